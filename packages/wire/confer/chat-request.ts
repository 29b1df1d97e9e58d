/** A chat request of the confer protocol, as far as ours goes: no tools, documents or images. Parsed from a stranger's bytes. */
import { encodeUtf8 } from '@sotto/bytes';
import { MESSAGE_LIMIT_LENGTH } from '../chat.ts';
import {
  answerShape,
  booleanShape,
  integerShape,
  listShape,
  nullableShape,
  numberShape,
  oneOfShape,
  parseJson,
  type ShapeOf,
  textShape,
} from '../shape.ts';

const REQUEST_LIMIT_BYTES = 4 * 1024 * 1024;

const shape = answerShape(
  {
    messages: listShape(
      answerShape({
        role: oneOfShape('user', 'assistant', 'system', 'developer'),
        content: textShape(MESSAGE_LIMIT_LENGTH),
      }),
      2000,
    ),
    stream: booleanShape,
  },
  {
    model: nullableShape(textShape(200)),
    temperature: nullableShape(numberShape(0, 2)),
    maxTokens: nullableShape(integerShape(1, 1_000_000)),
    webSearch: nullableShape(booleanShape),
  },
);

/** Field names as the public proxy has them; fields it knows and we do not are dropped, as it drops what it does not know. */
export type ConferChatRequest = ShapeOf<typeof shape>;

/** @throws WireError */
export function parseConferChatRequest(bytes: Uint8Array): ConferChatRequest {
  return shape(parseJson(bytes, REQUEST_LIMIT_BYTES));
}

export function encodeConferChatRequest(request: ConferChatRequest): Uint8Array<ArrayBuffer> {
  return encodeUtf8(JSON.stringify(request));
}
