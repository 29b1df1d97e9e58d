/**
 * One chat completion over a verified session: an async sequence of events. The node's answer is untrusted output: it is
 * parsed in full, and it counts as finished only when every sign of an end has arrived (spec/client.md CL-07, CL-08).
 */
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import {
  type ChatCompletionRequest,
  parseChatChunk,
  parseErrorAnswer,
  parseJson,
  parseSse,
  SSE_DONE,
  type Usage,
} from '@sotto/wire';
import { ClientError, isClientErrorCode } from './errors.ts';
import type { NodeResponse } from './response.ts';

export type ChatEvent =
  | { readonly kind: 'text-delta'; readonly text: string }
  | { readonly kind: 'finish'; readonly reason: 'stop' | 'length'; readonly usage: Usage | undefined };

const ERROR_BODY_LIMIT_BYTES = 16_384;
/** Characters of one answer: several times what any model says, and little for a device. */
const ANSWER_LIMIT_LENGTH = 1_000_000;

export type ChatSender = (path: string, body: Uint8Array<ArrayBuffer>, signal?: AbortSignal) => Promise<NodeResponse>;

/**
 * Sends the conversation and yields the answer as it arrives.
 *
 * @throws ClientError `engine-missing`, `engine-crashed`, `prompt-too-long`, `busy`, `node-refused`, `answer-incomplete`, `node-malformed`;
 *   ChannelError when the session itself breaks
 */
export async function* streamChat(
  send: ChatSender,
  request: Omit<ChatCompletionRequest, 'stream'>,
  signal?: AbortSignal,
): AsyncGenerator<ChatEvent, void, undefined> {
  const body = encodeUtf8(JSON.stringify({ ...request, stream: true }));
  yield* readChat(() => send('/v1/chat/completions', body, signal));
}

/** The events of one answer, asked for or recovered. @throws as `streamChat` */
export async function* readChat(answer: () => Promise<NodeResponse>): AsyncGenerator<ChatEvent, void, undefined> {
  const response = await answer();
  if (response.status !== 200) throw await refusal(response);

  let finish: Extract<ChatEvent, { kind: 'finish' }>['reason'] | undefined;
  let usage: Usage | undefined;
  let ended = false;
  let length = 0;
  for await (const data of parseSse(response.body)) {
    if (data === SSE_DONE) {
      ended = true;
      continue;
    }
    const chunk = parseChatChunk(data);
    // CL-08: an error inside an answer must surface as an error, never as words of the answer.
    if (chunk.error !== undefined) throw nodeError(chunk.error.code);
    length += chunk.deltaText?.length ?? 0;
    // CL-21: a machine that never stops would fill the device that shows what it says.
    if (length > ANSWER_LIMIT_LENGTH) throw new ClientError('node-malformed', { rule: 'CL-21' });
    if (chunk.deltaText !== undefined) yield { kind: 'text-delta', text: chunk.deltaText };
    if (chunk.finishReason !== undefined) finish = chunk.finishReason;
    if (chunk.usage !== undefined) usage = chunk.usage;
  }
  // CL-07: a relay that cuts the stream must not make half an answer look whole.
  if (finish === undefined || !ended) throw new ClientError('answer-incomplete', { rule: 'CL-07' });
  yield { kind: 'finish', reason: finish, usage };
}

/** A `ClientError` for the code a node gave; codes outside the closed set become `node-refused`. */
function nodeError(code: string): ClientError {
  return new ClientError(isClientErrorCode(code) ? code : 'node-refused', { rule: 'CL-08' });
}

/** Reads a small error body `{error: {code}}` and turns it into a `ClientError`. */
export async function refusal(response: NodeResponse): Promise<ClientError> {
  try {
    const body = await collect(response.body, ERROR_BODY_LIMIT_BYTES);
    return nodeError(parseErrorAnswer(parseJson(body, ERROR_BODY_LIMIT_BYTES)).error.code);
  } catch {
    return nodeError('');
  }
}

/** The whole body as one byte string; `node-malformed` past the limit. */
export async function collect(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    // CH-88: an answer without an end would take all the memory there is.
    if (length > limitBytes) throw new ClientError('node-malformed');
    parts.push(part);
  }
  return concatBytes(...parts);
}
