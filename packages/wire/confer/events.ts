/** The events of a streamed chat, one JSON object a response. Made by the machine; a model's words are in them. */
import { encodeUtf8 } from '@sotto/bytes';
import { answerShape, booleanShape, integerShape, opaqueObjectShape, parseJson, textShape } from '../shape.ts';

const EVENT_LIMIT_BYTES = 1024 * 1024;
const count = integerShape(0, Number.MAX_SAFE_INTEGER);
const tokenShape = answerShape({ content: textShape(EVENT_LIMIT_BYTES) });
const completionShape = answerShape(
  { context_tokens: count, max_context_tokens: count },
  { pending_tool_calls: booleanShape },
);
const kindShape = answerShape({ type: textShape(64) });

export type ConferEvent =
  | { readonly kind: 'token'; readonly content: string }
  | {
      readonly kind: 'completion';
      /** Tokens of the last call of the model, 0 where unknown. */
      readonly contextTokens: number;
      readonly maxContextTokens: number;
      /** The machine waits for tools that the client was to run. */
      readonly isPending: boolean;
    }
  /** Another event (`thinking`, `tool_call` …), of this version or a later one: never words of the answer. */
  | { readonly kind: 'other' };

/** @throws WireError */
export function parseConferEvent(bytes: Uint8Array): ConferEvent {
  const object = opaqueObjectShape(parseJson(bytes, EVENT_LIMIT_BYTES));
  switch (kindShape(object).type) {
    case 'token':
      return { kind: 'token', content: tokenShape(object).content };
    case 'completion': {
      const { context_tokens, max_context_tokens, pending_tool_calls } = completionShape(object);
      const isPending = pending_tool_calls === true;
      return { kind: 'completion', contextTokens: context_tokens, maxContextTokens: max_context_tokens, isPending };
    }
    default:
      return { kind: 'other' };
  }
}

/** For machines of ours that speak the protocol. */
export function encodeConferEvent(event: Exclude<ConferEvent, { kind: 'other' }>): Uint8Array<ArrayBuffer> {
  if (event.kind === 'token') return encodeUtf8(JSON.stringify({ type: 'token', content: event.content }));
  const { contextTokens, maxContextTokens, isPending } = event;
  const pending = isPending ? { pending_tool_calls: true } : {};
  return encodeUtf8(
    JSON.stringify({
      type: 'completion',
      context_tokens: contextTokens,
      max_context_tokens: maxContextTokens,
      ...pending,
    }),
  );
}
