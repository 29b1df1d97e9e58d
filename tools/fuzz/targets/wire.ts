/** Every parser of @sotto/wire: heads, JSON shapes, events, chat. */
import { deepStrictEqual } from 'node:assert/strict';
import { concatBytes, encodeUtf8, parseHex } from '@sotto/bytes';
import * as wire from '@sotto/wire';
import { parseConferChatRequest, parseConferEvent, parseConferEvidence } from '@sotto/wire/confer';
import { jsonBytes, loadVectors, lossyText } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

interface Vector {
  readonly kind?: string;
  readonly bytes_hex?: string;
  readonly json?: string;
}
const { WireError } = wire;
const heads = (kind: string): Input[] =>
  loadVectors<{ vectors: Vector[] }>('wire/heads.json')
    .vectors.filter((vector) => vector.kind === kind)
    .map(({ bytes_hex = '' }) => [parseHex(bytes_hex)]);

const ID = 'ab'.repeat(16);
const B16 = 'qqqqqqqqqqqqqqqqqqqqqg==';
const B32 = 'qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=';
const LOCK = { lockId: ID, kind: 'recovery-code', lock: 'AAEC' };
/** One genuine value of every shape. */
export const GENUINE_JSON = {
  nodes: { nodes: [{ nodeId: ID, suites: ['sotto-1'], evidenceDigest: ID + ID, epochId: ID }] },
  guest: { guestId: ID },
  account: {
    accountId: ID,
    device: { publicKey: B32, record: 'AAEC' },
    recovery: { lookupId: B16, verifier: B32 },
    lock: 'AAEC',
  },
  accountAnswer: { accountId: ID },
  passkey: { credentialId: 'AAEC' },
  lock: { kind: 'passkey-prf', lock: 'AAEC', credentialId: 'AAEC' },
  locks: { accountId: ID, locks: [LOCK, { ...LOCK, kind: 'passkey-prf', credentialId: 'AAEC' }] },
  recovery: { lookupId: B16, authenticator: B32 },
  records: {
    records: [
      { recordId: ID, sequence: 1, envelope: 'AAEC' },
      { recordId: ID, sequence: 2, envelope: null },
    ],
    nextSequence: 2,
    more: false,
  },
  sequence: { sequence: 3 },
  batch: { sequences: [3, 4], refused: 'record-conflict' },
  error: { error: { code: 'busy', message: 'Wait.', action: 'retry', rule: 'SV-10' } },
  chat: {
    model: 'm',
    messages: [
      { role: 'system', content: 'a' },
      { role: 'user', content: 'b' },
    ],
    stream: true,
    max_tokens: 5,
    temperature: 0.5,
  },
  models: {
    object: 'list',
    data: [{ id: 'm', object: 'model', label: 'M', parameters: 135, context_tokens: 2048, starter: true }],
  },
  completion: {
    model: 'm',
    choices: [{ message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  },
};

const SHAPES = [
  wire.parseNodesAnswer,
  wire.parseGuestAnswer,
  wire.parseCreateAccountRequest,
  wire.parseAccountAnswer,
  wire.parsePasskeyAnswer,
  wire.parsePasskeyOptions,
  wire.parseLockRequest,
  wire.parseLocksAnswer,
  wire.parseRecoverySignInRequest,
  wire.parseRecordsAnswer,
  wire.parseSequenceAnswer,
  wire.parseBatchAnswer,
  wire.parseErrorAnswer,
  wire.parseChatCompletionRequest,
  wire.parseModelsAnswer,
  wire.parseChatCompletion,
] as const;

export const CHUNKS = [
  { choices: [{ delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }] },
  { choices: [{ delta: {}, finish_reason: 'stop' }] },
  { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
  { error: { code: 'engine-crashed', message: 'It stopped.', action: 'retry' } },
];

async function readEvents(parts: Iterable<Uint8Array>): Promise<string[]> {
  const events: string[] = [];
  const stream = (async function* () {
    yield* parts;
  })();
  for await (const event of wire.parseSse(stream)) events.push(event);
  return events;
}

/** Runs a parser several times with different cuts; all must accept the same, or all refuse. */
async function outcomeOf(parts: Iterable<Uint8Array>): Promise<string[] | Error> {
  try {
    return await readEvents(parts);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

const RECORDS = [
  { recordId: ID, sequence: 3, envelope: new Uint8Array(256).fill(7) },
  { recordId: ID, sequence: 5, envelope: undefined },
];
/** A genuine body of each form of records, with its reader and its writer. */
const RECORD_FORMS = [
  {
    name: 'record-page',
    genuine: wire.encodeRecordPage({ records: RECORDS, newest: 9, more: true }),
    again: (part: Uint8Array) => wire.encodeRecordPage(wire.parseRecordPage(part)),
  },
  {
    name: 'record-index',
    genuine: wire.encodeRecordIndex({ entries: [{ recordId: ID, sequence: 3 }], newest: 9, more: false }),
    again: (part: Uint8Array) => wire.encodeRecordIndex(wire.parseRecordIndex(part)),
  },
  {
    name: 'record-batch',
    genuine: wire.encodeRecordBatch(RECORDS.map(({ sequence, ...record }) => ({ ...record, base: sequence }))),
    again: (part: Uint8Array) => wire.encodeRecordBatch(wire.parseRecordBatch(part)),
  },
  {
    name: 'live-message',
    genuine: wire.encodeLiveMessage(9),
    again: (part: Uint8Array) => wire.encodeLiveMessage(wire.parseLiveMessage(part)),
  },
];

export const wireTargets: readonly Target[] = [
  ...RECORD_FORMS.map(
    ({ name, genuine, again }): Target => ({
      name: `wire/${name}`,
      errors: [WireError],
      corpus: () => [[genuine]],
      run([part = new Uint8Array(0)]) {
        // One value, one spelling.
        deepStrictEqual(again(part), new Uint8Array(part));
      },
    }),
  ),
  {
    name: 'wire/request-head',
    errors: [WireError],
    corpus: () => heads('request-head'),
    run([part = new Uint8Array(0)]) {
      const head = wire.parseRequestHead(part);
      deepStrictEqual(wire.parseRequestHead(wire.encodeRequestHead(head)), head);
    },
  },
  {
    name: 'wire/response-head',
    errors: [WireError],
    corpus: () => heads('response-head'),
    run([part = new Uint8Array(0)]) {
      const head = wire.parseResponseHead(part);
      deepStrictEqual(wire.parseResponseHead(wire.encodeResponseHead(head)), head);
    },
  },
  {
    name: 'wire/json',
    errors: [WireError],
    corpus: () => [
      ...Object.values(GENUINE_JSON).map((value) => [jsonBytes(value)]),
      ...loadVectors<{ vectors: Vector[] }>('wire/json.json').vectors.map(({ json = '' }) => [encodeUtf8(json)]),
    ],
    run([part = new Uint8Array(0)]) {
      const value = wire.parseJson(part, 1024 * 1024);
      let accepted = 0;
      let refusal: unknown;
      for (const shape of SHAPES) {
        try {
          shape(value);
          accepted++;
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          refusal = error;
        }
      }
      insist(Object.getPrototypeOf({}) === Object.prototype && !('polluted' in {}), 'a prototype was changed');
      // An object of any kind is what passkey options are.
      if (accepted < 2) throw refusal;
    },
  },
  {
    // The parts are the pieces in which the stream arrives.
    name: 'wire/sse',
    errors: [WireError],
    corpus: () => [
      CHUNKS.map((chunk) => encodeUtf8(wire.encodeSseEvent(JSON.stringify(chunk)))),
      ['data: a\n', 'data: b\r\n\r\n', ': comment\n\n', 'event: x\ndata:c\n\n', 'data: [DONE]\n\n'].map(encodeUtf8),
      [encodeUtf8('data: Grü'), encodeUtf8('ße 👋\n\n')],
    ],
    async run(parts) {
      const whole = concatBytes(...parts);
      const inOne = await outcomeOf([whole]);
      const inPieces = await outcomeOf(parts);
      const piecesAgree = inOne instanceof Error === inPieces instanceof Error;
      insist(piecesAgree, 'whether a stream is sound depends on how it was cut');
      if (!(inOne instanceof Error) && !(inPieces instanceof Error)) deepStrictEqual(inPieces, inOne);
      if (inOne instanceof Error) throw inOne;
    },
  },
  {
    name: 'wire/chat-chunk',
    errors: [WireError],
    corpus: () => CHUNKS.map((chunk) => [jsonBytes(chunk)]),
    run([part]) {
      wire.parseChatChunk(lossyText(part));
    },
  },
  {
    name: 'wire/confer',
    errors: [WireError],
    corpus: () =>
      loadVectors<{ cases: { text: string }[] }>('confer/json.json').cases.map(({ text }) => [encodeUtf8(text)]),
    run([part = new Uint8Array(0)]) {
      let refusal: unknown;
      let accepted = 0;
      for (const parse of [parseConferEvidence, parseConferChatRequest, parseConferEvent]) {
        try {
          parse(part);
          accepted++;
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          refusal = error;
        }
      }
      if (accepted === 0) throw refusal;
    },
  },
];
