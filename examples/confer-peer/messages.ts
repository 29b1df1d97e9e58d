/** Frames, requests and responses of the confer protocol, read and written field by field. Shares no code with packages/. */
import { randomBytes } from 'node:crypto';

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(left & 127n) | (left > 127n ? 128 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}
export const integer = (field: number, value: bigint | number) =>
  Buffer.concat([varint(BigInt(field << 3)), varint(BigInt(value))]);
export const bytes = (field: number, value: Uint8Array | string) => {
  const data = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint(BigInt((field << 3) | 2)), varint(BigInt(data.length)), data]);
};

/** Every field of a message in order: number and value. */
export function* fieldsOf(message: Buffer): Generator<[number, bigint | Buffer]> {
  let at = 0;
  const number = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new Error('too short');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(number());
    const [field, type] = [tag >> 3, tag & 7];
    if (type === 0) yield [field, number()];
    else if (type === 1) yield [field, take(8)];
    else if (type === 2) yield [field, take(Number(number()))];
    else if (type === 5) yield [field, take(4)];
    else throw new Error('unknown wire type');
  }
}

export const FRAME_PAYLOAD = 65_489;

export function framesOf(message: Buffer, pieceBytes = FRAME_PAYLOAD, id = randomBytes(8).readBigInt64BE()): Buffer[] {
  const total = Math.max(1, Math.ceil(message.length / pieceBytes));
  return Array.from({ length: total }, (_, index) =>
    Buffer.concat([
      integer(1, id),
      integer(2, index),
      integer(3, total),
      bytes(4, message.subarray(index * pieceBytes, (index + 1) * pieceBytes)),
    ]),
  );
}

/** Puts frames together, as the public proxy does: any order, interleaved, no limits. */
export class Joiner {
  readonly open = new Map<string, Map<number, Buffer>>();
  /** The ids of the frames, in the order in which they came. */
  readonly ids: string[] = [];
  take(frame: Buffer): Buffer | undefined {
    let [id, index, total, payload] = ['0', 0, 0, Buffer.alloc(0)];
    for (const [field, value] of fieldsOf(frame)) {
      if (field === 1) id = String(value);
      if (field === 2) index = Number(value);
      if (field === 3) total = Number(value);
      if (field === 4) payload = Buffer.from(value as Buffer);
    }
    this.ids.push(id);
    if (total === 0 || index >= total) return undefined;
    const parts = this.open.get(id) ?? new Map<number, Buffer>();
    parts.set(index, payload);
    this.open.set(id, parts);
    if (parts.size < total) return undefined;
    this.open.delete(id);
    return Buffer.concat(Array.from({ length: total }, (_, part) => parts.get(part) ?? Buffer.alloc(0)));
  }
}

export interface Request {
  id: bigint;
  verb: string;
  path: string;
  body: string;
}

export function encodeRequest(request: Request): Buffer {
  return Buffer.concat([
    integer(1, request.id),
    bytes(2, request.verb),
    bytes(3, request.path),
    ...(request.body === '' ? [] : [bytes(4, request.body)]),
  ]);
}

export function decodeRequest(message: Buffer): Request {
  const request: Partial<Request> = { verb: '', path: '', body: '' };
  for (const [field, value] of fieldsOf(message)) {
    if (field === 1) request.id = BigInt.asIntN(64, value as bigint);
    if (field === 2) request.verb = String(value);
    if (field === 3) request.path = String(value);
    if (field === 4) request.body = String(value);
  }
  if (request.id === undefined || request.verb === '' || request.path === '') throw new Error('not a request');
  return request as Request;
}

export interface Response {
  id: bigint;
  status: number;
  body: string;
}

export function encodeResponse({ id, status, body }: Response, headers: Record<string, string> = {}): Buffer {
  return Buffer.concat([
    integer(1, id),
    integer(2, status),
    ...(body === '' ? [] : [bytes(3, body)]),
    ...Object.entries(headers).map(([name, value]) => bytes(4, Buffer.concat([bytes(1, name), bytes(2, value)]))),
  ]);
}

export function decodeResponse(message: Buffer): Response {
  const response: Response = { id: 0n, status: 0, body: '' };
  for (const [field, value] of fieldsOf(message)) {
    if (field === 1) response.id = BigInt.asIntN(64, value as bigint);
    if (field === 2) response.status = Number(BigInt.asIntN(64, value as bigint));
    if (field === 3) response.body = String(value);
  }
  return response;
}
