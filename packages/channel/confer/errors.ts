/** Everything that suite `confer-1` can refuse (spec/confer.md, errors). Messages are constant: no key, token or byte of a peer. */
import { type ErrorAction, SottoError } from '@sotto/bytes';

const ERRORS = {
  // Handshake
  'confer-handshake-malformed': ['stop', 'a handshake message is not what the protocol says'],
  'confer-handshake-too-large': ['stop', 'a handshake message is longer than its limit'],
  'confer-handshake-failed': ['stop', 'the handshake could not be authenticated'],
  'confer-handshake-timeout': ['retry', 'the handshake took too long'],
  'confer-evidence-missing': ['stop', 'the machine sent no evidence'],
  'confer-peer-mismatch': ['stop', 'the machine at the other end is not the one that was judged'],
  // Transport
  'confer-message-too-large': ['stop', 'a message is longer than its limit'],
  'confer-message-forged': ['stop', 'a message was altered, repeated, lost or reordered'],
  'confer-exhausted': ['retry', 'the connection has carried as many messages as it may'],
  'confer-backlog': ['retry', 'too much waits to be sent, opened or read'],
  'confer-frame-malformed': ['stop', 'a frame breaks its format'],
  'confer-assembly-limit': ['stop', 'a message in pieces is longer than its limit, or too many are open'],
  'confer-assembly-timeout': ['retry', 'a message in pieces never ended'],
  'confer-message-malformed': ['stop', 'a message breaks its format'],
  'confer-id-unknown': ['stop', 'an answer to something that was never asked'],
  'confer-too-many-requests': ['retry', 'too many requests are open'],
  // The end
  'confer-closed': ['retry', 'the connection has been closed'],
  'confer-lost': ['retry', 'the connection was lost'],
  // Token
  'confer-token-malformed': ['fix-input', 'the access token cannot be read'],
  'confer-token-forged': ['fix-input', 'the access token was not made by this service'],
  'confer-token-expired': ['fix-input', 'the access token has expired'],
  // Attestation by a third party
  'confer-evidence-malformed': ['stop', 'the evidence cannot be read'],
  'confer-not-attested': ['stop', 'the third party did not vouch for this machine'],
  'confer-binding-mismatch': ['stop', 'the evidence speaks of another key than the one of this connection'],
  'confer-attestation-expired': ['retry', 'what the third party said is no longer valid'],
  // Answers
  'confer-refused': ['retry', 'the machine refused the request'],
  'confer-answer-malformed': ['stop', 'the machine gave an answer that cannot be understood'],
  'confer-answer-cut': ['retry', 'the connection was lost before the end of the answer'],
  'confer-silent': ['retry', 'the machine has said nothing for too long'],
  'confer-tools-unsupported': ['stop', 'the machine asks for a tool, and none was offered'],
} as const satisfies Record<string, readonly [ErrorAction, string]>;

export type ConferErrorCode = keyof typeof ERRORS;

export class ConferError extends SottoError<ConferErrorCode> {
  /** With `confer-refused`: the status that the machine gave. Its text is the machine's and never kept. */
  readonly status: number | undefined;

  constructor(code: ConferErrorCode, options: { rule?: string; status?: number; cause?: unknown } = {}) {
    const { status, ...details } = options;
    const [action, message] = ERRORS[code];
    super(code, message, { action, ...details });
    this.status = status;
  }
}

/** How a responder closes the WebSocket for an error: code and reason as the public proxy gives them. */
export function closingOf(code: ConferErrorCode): readonly [number, string] {
  switch (code) {
    case 'confer-handshake-too-large':
      return [1003, 'Handshake message too large'];
    case 'confer-message-too-large':
      return [1003, 'Message too large'];
    case 'confer-message-malformed':
      return [1003, 'Invalid request'];
    case 'confer-message-forged':
      return [1011, 'Decryption failed'];
    case 'confer-frame-malformed':
      return [1011, 'Frame decode failed'];
    case 'confer-handshake-malformed':
    case 'confer-handshake-failed':
    case 'confer-handshake-timeout':
      return [1011, 'Handshake failed'];
    case 'confer-closed':
      return [1000, ''];
    default:
      return [1011, 'Limit reached'];
  }
}
