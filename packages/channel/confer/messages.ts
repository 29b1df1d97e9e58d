/**
 * The two messages inside the frames (spec/confer.md, messages). Requests come from a stranger, responses from a machine
 * that somebody else vouched for; both are hostile. Bodies are bytes here.
 *
 *   message WebsocketRequest  { int64 id = 1; string verb = 2; string path = 3; bytes body = 4; StreamChunk chunk = 5 }
 *   message WebsocketResponse { int64 id = 1; int32 status = 2; bytes body = 3; map<string, string> headers = 4 }
 *   message StreamChunk       { bytes data = 1; bool final = 2; uint32 seq = 3 }
 */
import { BytesError, encodeUtf8, parseUtf8 } from '@sotto/bytes';
import { ConferError } from './errors.ts';
import { type Fields, FieldWriter, ProtobufError, parseFields } from './protobuf.ts';
import { CONFER_LIMITS, EMPTY } from './suite.ts';

const VERB_LIMIT_BYTES = 16;
const PATH_LIMIT_BYTES = 1024;
const HEADERS_LIMIT_COUNT = 64;
const HEADER_LIMIT_BYTES = 8192;
const BODY = { kind: 'bytes', limitBytes: CONFER_LIMITS.messageBytes } as const;
const INTEGER = { kind: 'integer' } as const;

export interface ConferRequest {
  readonly id: bigint;
  readonly verb: string;
  readonly path: string;
  readonly body: Uint8Array;
}

export interface ConferResponse {
  readonly id: bigint;
  readonly status: number;
  readonly body: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
}

/** What a responder can be sent: a request, the start of an upload, or a further part of one. */
export type ConferIncoming =
  | { readonly kind: 'request'; readonly request: ConferRequest; readonly isUpload: boolean }
  | { readonly kind: 'upload-part'; readonly id: bigint };

export function encodeConferRequest(request: ConferRequest): Uint8Array<ArrayBuffer> {
  const writer = new FieldWriter(request.body.length + 128)
    .integer(1, request.id)
    .bytes(2, encodeUtf8(request.verb))
    .bytes(3, encodeUtf8(request.path));
  if (request.body.length > 0) writer.bytes(4, request.body);
  return writer.finish();
}

/** @throws ConferError `confer-message-malformed` */
export function parseConferRequest(bytes: Uint8Array): ConferIncoming {
  return turnErrors(() => {
    const fields = parseFields(bytes, {
      1: INTEGER,
      2: { kind: 'bytes', limitBytes: VERB_LIMIT_BYTES },
      3: { kind: 'bytes', limitBytes: PATH_LIMIT_BYTES },
      4: BODY,
      5: BODY,
    });
    const id = idOf(fields);
    const [verb, path] = [fields.bytes(2), fields.bytes(3)];
    const isUpload = fields.bytes(5) !== undefined;
    if (verb !== undefined && path !== undefined) {
      const body = fields.bytes(4) ?? EMPTY;
      return { kind: 'request', request: { id, verb: parseUtf8(verb), path: parseUtf8(path), body }, isUpload };
    }
    // CO-30: half a request has no meaning, and guessing one would be ours.
    if (verb !== undefined || path !== undefined || !isUpload) throw new ProtobufError('neither request nor part');
    return { kind: 'upload-part', id };
  });
}

export function encodeConferResponse(response: ConferResponse): Uint8Array<ArrayBuffer> {
  const writer = new FieldWriter(response.body.length + 64).integer(1, response.id).integer(2, BigInt(response.status));
  if (response.body.length > 0) writer.bytes(3, response.body);
  for (const [name, value] of response.headers) {
    writer.bytes(4, new FieldWriter().bytes(1, encodeUtf8(name)).bytes(2, encodeUtf8(value)).finish());
  }
  return writer.finish();
}

/** @throws ConferError `confer-message-malformed` */
export function parseConferResponse(bytes: Uint8Array): ConferResponse {
  return turnErrors(() => {
    const fields = parseFields(bytes, {
      1: INTEGER,
      2: INTEGER,
      3: BODY,
      4: { kind: 'bytes', limitBytes: HEADER_LIMIT_BYTES, times: HEADERS_LIMIT_COUNT },
    });
    const status = fields.signed(2) ?? 0n;
    // CO-31: with a status that is none, an error passes for an answer.
    if (status < 100n || status > 599n) throw new ProtobufError('no such status');
    const headers = fields.all(4).map((entry): [string, string] => {
      const pair = parseFields(entry, {
        1: { kind: 'bytes', limitBytes: 256 },
        2: { kind: 'bytes', limitBytes: 8192 },
      });
      return [parseUtf8(pair.bytes(1) ?? EMPTY), parseUtf8(pair.bytes(2) ?? EMPTY)];
    });
    return { id: idOf(fields), status: Number(status), body: fields.bytes(3) ?? EMPTY, headers: new Map(headers) };
  });
}

function idOf(fields: Fields): bigint {
  const id = fields.signed(1);
  // CO-30: without an id nobody knows what is answered.
  if (id === undefined) throw new ProtobufError('no id');
  return id;
}

function turnErrors<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ProtobufError || error instanceof BytesError)) throw error;
    throw new ConferError('confer-message-malformed', { rule: 'CO-30' });
  }
}
