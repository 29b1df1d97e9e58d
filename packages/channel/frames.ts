/**
 * Frames: what a record's plaintext is made of (spec/channel.md, frames). The plaintext is authenticated but its author,
 * the peer, is hostile: parsing is total and every length has a cap.
 *
 *   struct Frame { u8 kind; body by kind }     struct Record { Frame frames[]; byte zeros[] to the bucket's size }
 */
import { ByteReader, BytesError, ByteWriter } from '@sotto/bytes';
import { ChannelError } from './errors.ts';
import { HEAD_LIMIT_BYTES } from './limits.ts';
import type { HandshakeRole } from './noise/handshake.ts';
import { PROFILES } from './shaping/profiles.ts';
import { MESSAGE_1_BYTES, MESSAGE_2_BYTES } from './suite.ts';

export type Frame =
  | { readonly kind: 'verified' }
  | { readonly kind: 'open'; readonly stream: number; readonly head: Uint8Array }
  | { readonly kind: 'head'; readonly stream: number; readonly head: Uint8Array }
  | { readonly kind: 'data'; readonly stream: number; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly stream: number }
  | { readonly kind: 'cancel'; readonly stream: number }
  | { readonly kind: 'error'; readonly stream: number; readonly reset: number }
  | { readonly kind: 'credit'; readonly stream: number; readonly bytes: number }
  | { readonly kind: 'ping'; readonly token: Uint8Array }
  | { readonly kind: 'pong'; readonly token: Uint8Array }
  | { readonly kind: 'close'; readonly reason: number }
  | { readonly kind: 'rekey' }
  | { readonly kind: 'renew'; readonly message: Uint8Array }
  | { readonly kind: 'renewed'; readonly message: Uint8Array }
  | { readonly kind: 'switch' }
  | { readonly kind: 'advice'; readonly advice: number }
  | { readonly kind: 'shape'; readonly profile: number };

export type FrameKind = Frame['kind'];

/** 0x00 is padding; 0x80 and above are for private use. */
const NUMBERS: Record<FrameKind, number> = {
  verified: 0x01,
  open: 0x02,
  head: 0x03,
  data: 0x04,
  end: 0x05,
  cancel: 0x06,
  error: 0x07,
  credit: 0x08,
  ping: 0x09,
  pong: 0x0a,
  close: 0x0b,
  rekey: 0x10,
  renew: 0x11,
  renewed: 0x12,
  switch: 0x13,
  advice: 0x14,
  shape: 0x20,
};
const KINDS = new Map<number, FrameKind>(Object.entries(NUMBERS).map(([kind, number]) => [number, kind as FrameKind]));

/** The last frames of their records: the next record of the direction is under another key. */
const LAST_UNDER_KEY: ReadonlySet<FrameKind> = new Set<FrameKind>(['rekey', 'switch']);

/** What only one side may send; the other kinds belong to both. */
const ONLY: Partial<Record<FrameKind, HandshakeRole>> = {
  verified: 'initiator',
  open: 'initiator',
  cancel: 'initiator',
  head: 'responder',
  error: 'responder',
  renew: 'initiator',
  renewed: 'responder',
  advice: 'responder',
  shape: 'initiator',
};

/** What an `advice` says; of other numbers nothing is done. */
export const ADVICE = { 'new-epoch': 1, leaving: 2 } as const;

export const REKEY_NUMBER = NUMBERS.rekey;
export const PING_TOKEN_BYTES = 8;
/** Kind, stream and length: what a data frame adds to its bytes. */
export const DATA_OVERHEAD_BYTES = 7;

/** What one data frame can carry. */
export const DATA_LIMIT_BYTES = 0xffff;

/** Writes a data frame's kind, stream and length to the start of `room`. @returns how many bytes */
export function encodeDataHeader(room: Uint8Array, stream: number, bytes: number): number {
  const view = new DataView(room.buffer, room.byteOffset, DATA_OVERHEAD_BYTES);
  view.setUint8(0, NUMBERS.data);
  view.setUint32(1, stream);
  view.setUint16(5, bytes);
  return DATA_OVERHEAD_BYTES;
}

export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(frame.kind === 'data' ? frame.bytes.length + DATA_OVERHEAD_BYTES : 64);
  writer.u8(NUMBERS[frame.kind]);
  switch (frame.kind) {
    case 'verified':
    case 'rekey':
    case 'switch':
      break;
    case 'open':
    case 'head':
      writer.u32(frame.stream).vector16(frame.head);
      break;
    case 'data':
      writer.u32(frame.stream).vector16(frame.bytes);
      break;
    case 'end':
    case 'cancel':
      writer.u32(frame.stream);
      break;
    case 'error':
      writer.u32(frame.stream).u16(frame.reset);
      break;
    case 'credit':
      writer.u32(frame.stream).u32(frame.bytes);
      break;
    case 'ping':
    case 'pong':
      writer.raw(frame.token);
      break;
    case 'close':
      writer.u16(frame.reason);
      break;
    case 'renew':
    case 'renewed':
      writer.vector16(frame.message);
      break;
    case 'advice':
      writer.u8(frame.advice);
      break;
    case 'shape':
      writer.u8(frame.profile);
      break;
  }
  return writer.finish();
}

/**
 * The frames of a record's plaintext.
 *
 * @param from who made them
 * @throws ChannelError `frame-malformed`, `frame-unknown`, `frame-misplaced`, `rekey-missing`
 */
export function parseFrames(plaintext: Uint8Array, from: HandshakeRole): Frame[] {
  const reader = new ByteReader(plaintext);
  const frames: Frame[] = [];
  try {
    while (reader.remaining > 0) {
      const number = reader.u8();
      if (number === 0) {
        const padding = reader.rest();
        // CH-22: padding that may hold anything is a place to hide bytes from every reader of the format.
        if (padding.some((byte) => byte !== 0)) throw new ChannelError('frame-malformed', { rule: 'CH-22' });
        break;
      }
      const kind = KINDS.get(number);
      // CH-30: skipping what we do not know would let an attacker use what a later version understands.
      if (kind === undefined) throw new ChannelError('frame-unknown', { rule: 'CH-30' });
      const only = ONLY[kind];
      // CH-32: a frame from the wrong side would drive a state that nobody designed.
      if (only !== undefined && only !== from) throw new ChannelError('frame-misplaced', { rule: 'CH-32' });
      frames.push(parseBody(kind, reader, plaintext));
      if (!LAST_UNDER_KEY.has(kind)) continue;
      // CH-61: what stands after the frame that ends a key would be under a key that is said to be gone.
      if (reader.rest().some((byte) => byte !== 0)) throw new ChannelError('frame-malformed', { rule: 'CH-61' });
      break;
    }
  } catch (error) {
    // CH-31: a length that promises more than there is must not be filled with what happens to follow.
    if (error instanceof BytesError) throw new ChannelError('frame-malformed', { rule: 'CH-31' });
    throw error;
  }
  const isKeyKept = !LAST_UNDER_KEY.has(frames.at(-1)?.kind ?? 'data');
  const isStreamOver = from === 'responder' && frames.some(({ kind }) => kind === 'end' || kind === 'error');
  // CH-62: an answer whose key outlives it can be read by who steals that key later.
  if (isStreamOver && isKeyKept) throw new ChannelError('rekey-missing', { rule: 'CH-62' });
  return frames;
}

function parseBody(kind: FrameKind, reader: ByteReader, plaintext: Uint8Array): Frame {
  switch (kind) {
    case 'verified':
    case 'rekey':
    case 'switch':
      return { kind };
    case 'open':
    case 'head':
      return { kind, stream: reader.u32(), head: reader.vector16(HEAD_LIMIT_BYTES) };
    case 'data': {
      const [stream, length] = [reader.u32(), reader.u16()];
      // Most of a record is not copied out of it. Less would keep the whole record for a few bytes.
      const bytes = length > plaintext.length / 2 ? reader.view(length) : reader.take(length);
      // CH-34: an empty chunk costs us work and its sender none of its credit.
      if (bytes.length === 0) throw new ChannelError('frame-malformed', { rule: 'CH-34' });
      return { kind, stream, bytes };
    }
    case 'end':
    case 'cancel':
      return { kind, stream: reader.u32() };
    case 'error':
      return { kind, stream: reader.u32(), reset: reader.u16() };
    case 'credit': {
      const [stream, bytes] = [reader.u32(), reader.u32()];
      // CH-34: the same for a grant of nothing.
      if (bytes === 0) throw new ChannelError('frame-malformed', { rule: 'CH-34' });
      return { kind, stream, bytes };
    }
    case 'ping':
    case 'pong':
      return { kind, token: reader.take(PING_TOKEN_BYTES) };
    case 'close':
      return { kind, reason: reader.u16() };
    case 'renew':
      return { kind, message: reader.vector16(MESSAGE_1_BYTES) };
    case 'renewed':
      return { kind, message: reader.vector16(MESSAGE_2_BYTES) };
    case 'advice':
      return { kind, advice: reader.u8() };
    case 'shape': {
      const profile = reader.u8();
      // SH-02: a profile that we do not know is a shape that the client would wait for in vain.
      if (profile >= PROFILES.length) throw new ChannelError('frame-malformed', { rule: 'SH-02' });
      return { kind, profile };
    }
  }
}
