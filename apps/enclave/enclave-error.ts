/** Every error the enclave answers with: a closed code, an HTTP status, a constant message (spec/enclave.md §errors). */
import { type ErrorAction, SottoError } from '@sotto/bytes';

const ERRORS = {
  'bad-request': [400, 'fix-input', 'The request is not a chat request this node understands.'],
  'not-found': [404, 'fix-input', 'This node has nothing at that path.'],
  'answer-not-kept': [404, 'fix-input', 'This node does not keep that answer, or not any more.'],
  'method-not-allowed': [405, 'fix-input', 'That path does not take this method.'],
  'body-too-large': [413, 'fix-input', 'The request is larger than this node accepts. Shorten it and send it again.'],
  'model-not-found': [404, 'fix-input', 'This node does not run that model. Ask for its list of models.'],
  'prompt-too-long': [
    400,
    'fix-input',
    'The conversation is longer than the model can read. Shorten it and send it again.',
  ],
  busy: [429, 'retry', 'This node is answering as many people as it can. Try again in a moment.'],
  'engine-missing': [
    503,
    'fix-input',
    'No model is installed. Start with --model FILE, or let "sotto up" fetch the starter.',
  ],
  'engine-crashed': [502, 'retry', 'The model stopped working in the middle. It is being restarted: try again.'],
  'engine-not-local': [400, 'fix-input', 'An engine address must be on this machine (localhost, 127.0.0.1 or [::1]).'],
  'engine-unreachable': [503, 'retry', 'No engine answers at that address. Start it, then try again.'],
  'model-unreadable': [
    503,
    'fix-input',
    'The model file cannot be read as a GGUF model. Fetch it again or choose another.',
  ],
  'time-limit': [504, 'retry', 'The answer took longer than this node allows, and was stopped.'],
  cancelled: [499, 'retry', 'The answer was stopped.'],
  'data-unusable': [500, 'fix-input', 'The data folder cannot be used. Check that it exists and can be written.'],
  'evidence-unavailable': [
    500,
    'fix-input',
    'This machine cannot show evidence of that kind. Start it on such hardware, or with --evidence dev.',
  ],
  'evidence-kind-mismatch': [500, 'stop', 'This machine shows evidence of another kind than it was started with.'],
  'evidence-disturbed': [500, 'retry', 'Another program asked for evidence at the same moment.'],
  'evidence-malformed': [500, 'stop', 'What this machine shows as evidence is not evidence of that kind.'],
  'port-taken': [500, 'fix-input', 'The port is already in use. Choose another with --port.'],
  'bad-flags': [500, 'fix-input', 'The flags cannot be understood. See --help.'],
  internal: [500, 'retry', 'Something went wrong inside the node.'],
} as const satisfies Record<string, readonly [status: number, action: ErrorAction, message: string]>;

export type EnclaveErrorCode = keyof typeof ERRORS;

/** The only figures an error may carry: numbers, never text. */
export interface ErrorFigures {
  readonly limitTokens?: number;
  readonly usedTokens?: number;
  readonly limitBytes?: number;
}

/** An error of the closed set. `status` is the HTTP status it is answered with. */
export class EnclaveError extends SottoError<EnclaveErrorCode> {
  readonly status: number;
  readonly figures: ErrorFigures;

  constructor(code: EnclaveErrorCode, figures: ErrorFigures = {}, rule?: string) {
    const [status, action, message] = ERRORS[code];
    super(code, describe(message, figures), rule === undefined ? { action } : { action, rule });
    this.status = status;
    this.figures = figures;
  }
}

/** The constant message, and behind it the figures in words. */
function describe(message: string, { limitTokens, usedTokens }: ErrorFigures): string {
  if (limitTokens === undefined || usedTokens === undefined) return message;
  return `${message} It has about ${usedTokens} tokens; the limit is ${limitTokens}.`;
}

/** Whether a text is one of the closed codes. */
export function isEnclaveErrorCode(text: string): text is EnclaveErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/** What a client is told about any exception: ours as it is, everything else (whose text may hold content) as `fallback`. */
export function toEnclaveError(error: unknown, fallback: EnclaveErrorCode): EnclaveError {
  if (error instanceof EnclaveError) return error;
  // EN-12: a foreign exception's message can quote the prompt; only a code of the closed set may pass.
  if (!(error instanceof SottoError) || !isEnclaveErrorCode(error.code)) return new EnclaveError(fallback);
  return new EnclaveError(error.code, parseFigures(error));
}

/** The figures among the members of a foreign value; whatever is not a whole number is left out. */
export function parseFigures(value: object): ErrorFigures {
  const names = ['limitTokens', 'usedTokens', 'limitBytes'] as const;
  const entries = names.map((name) => [name, (value as Record<string, unknown>)[name]] as const);
  return Object.fromEntries(entries.filter(([, figure]) => Number.isSafeInteger(figure)));
}

/** The JSON body of an error answer, and of an error inside a stream. */
export function encodeErrorBody(error: EnclaveError): string {
  const { code, message, action, rule, figures } = error;
  return JSON.stringify({ error: { code, message, action, ...(rule === undefined ? {} : { rule }), ...figures } });
}
