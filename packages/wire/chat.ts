/**
 * The OpenAI-compatible subset that the node speaks inside the channel. spec/wire.md §chat. A request comes from a client,
 * chunks from a node (verified, but its model's output is untrusted); each side checks the other's.
 */

import { parseErrorAnswer } from './api.ts';
import { WireError } from './error.ts';
import {
  answerShape,
  booleanShape,
  integerShape,
  listShape,
  nullableShape,
  numberShape,
  oneOfShape,
  parseJson,
  requestShape,
  type ShapeOf,
  textShape,
} from './shape.ts';

/** Longest text of one message, in UTF-16 units. The model's own limit is lower and has its own error. */
export const MESSAGE_LIMIT_LENGTH = 1_000_000;
/** Largest body of a chat request. */
export const CHAT_REQUEST_LIMIT_BYTES = 4 * 1024 * 1024;
const CHUNK_LIMIT_LENGTH = 256 * 1024;
/** The data of the last event of a stream. */
export const SSE_DONE = '[DONE]';

const count = integerShape(0, Number.MAX_SAFE_INTEGER);

/** `POST /v1/chat/completions`. Unknown fields are refused: a setting that is not obeyed must not pass in silence. */
export const parseChatCompletionRequest = requestShape(
  {
    model: textShape(200),
    messages: listShape(
      requestShape({ role: oneOfShape('system', 'user', 'assistant'), content: textShape(MESSAGE_LIMIT_LENGTH) }),
      2000,
    ),
  },
  { stream: booleanShape, max_tokens: integerShape(1, 1_000_000), temperature: numberShape(0, 2) },
);
export type ChatCompletionRequest = ShapeOf<typeof parseChatCompletionRequest>;
export type ChatRole = ChatCompletionRequest['messages'][number]['role'];

/** `GET /v1/models`; the fields beyond `id` are ours. */
export const parseModelsAnswer = answerShape({
  object: oneOfShape('list'),
  data: listShape(
    answerShape(
      { id: textShape(200), object: oneOfShape('model') },
      { label: textShape(200), parameters: count, context_tokens: count, starter: booleanShape },
    ),
    200,
  ),
});
export type ModelsAnswer = ShapeOf<typeof parseModelsAnswer>;
export type ModelListing = ModelsAnswer['data'][number];

const finishReason = oneOfShape('stop', 'length');
const usage = answerShape({ prompt_tokens: count, completion_tokens: count, total_tokens: count });
export type Usage = ShapeOf<typeof usage>;

/** A whole answer, `stream: false`. */
export const parseChatCompletion = answerShape(
  {
    model: textShape(200),
    choices: listShape(
      answerShape({
        message: answerShape({ role: oneOfShape('assistant'), content: textShape(MESSAGE_LIMIT_LENGTH) }),
        finish_reason: finishReason,
      }),
      1,
    ),
  },
  { usage },
);
export type ChatCompletion = ShapeOf<typeof parseChatCompletion>;

const chunkShape = answerShape(
  {
    choices: listShape(
      answerShape(
        { delta: answerShape({}, { content: nullableShape(textShape(CHUNK_LIMIT_LENGTH)) }) },
        { finish_reason: nullableShape(finishReason) },
      ),
      1,
    ),
  },
  { usage: nullableShape(usage) },
);

export interface ChatChunk {
  readonly deltaText?: string;
  readonly finishReason?: 'stop' | 'length';
  readonly usage?: Usage;
  /** The node's own refusal in mid-answer; nothing follows it. */
  readonly error?: ReturnType<typeof parseErrorAnswer>['error'];
}

/**
 * One event's data, other than `SSE_DONE`.
 *
 * @throws WireError `wire-malformed`, `wire-too-large`
 */
export function parseChatChunk(data: string): ChatChunk {
  const value = parseJson(data, CHUNK_LIMIT_LENGTH * 2);
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, 'error')) {
    return { error: parseErrorAnswer(value).error };
  }
  const chunk = chunkShape(value);
  const choice = chunk.choices[0];
  // WI-21: a chunk that says nothing would let a peer keep a reply open for ever without a word.
  if (choice === undefined && !chunk.usage) throw new WireError('wire-malformed', 'a chunk says nothing', 'WI-21');
  return {
    ...(choice?.delta.content ? { deltaText: choice.delta.content } : {}),
    ...(choice?.finish_reason ? { finishReason: choice.finish_reason } : {}),
    ...(chunk.usage ? { usage: chunk.usage } : {}),
  };
}
