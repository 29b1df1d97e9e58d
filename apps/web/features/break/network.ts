/**
 * A network in the hands of an evil operator: passes everything between this browser and the real server and machine, and
 * changes what an attack says it should. It can do what an operator can: every answer and every frame goes through it.
 */
import { encodeUtf8 } from '@sotto/bytes';
import type { ClientPorts } from '@sotto/client';
import type { Fetch, FetchInit, Socket } from '@sotto/ports';

export interface Tampering {
  /** Changes what the server answers at this path; the same bytes are left alone. */
  answer?(path: string, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /**
   * Changes a frame on its way from the machine, or keeps it back (undefined). `index` 0 is the machine's half of the
   * handshake; `isAnswer` once the test sentence has been asked.
   */
  frame?(frame: Uint8Array, at: { readonly index: number; readonly isAnswer: boolean }): Uint8Array | undefined;
}

export interface EvilNetwork {
  readonly ports: ClientPorts;
  /** Resolves with the first change. */
  readonly changed: Promise<void>;
  readonly hasChanged: boolean;
  /** From now on what the machine sends belongs to an answer. */
  asked(): void;
  /** True when `words` went out as they are, in a request or a frame. */
  carried(words: string): boolean;
}

/** Puts the evil network between `real` and whoever uses its ports. */
export function createEvilNetwork(real: ClientPorts, tampering: Tampering): EvilNetwork {
  const sent: Uint8Array[] = [];
  let isAnswer = false;
  let hasChanged = false;
  let tellChanged = () => {};
  const changed = new Promise<void>((resolve) => {
    tellChanged = resolve;
  });
  const change = <Value>(before: Value, after: Value): Value => {
    if (after !== before) {
      hasChanged = true;
      tellChanged();
    }
    return after;
  };

  const fetch: Fetch = async (url, init) => {
    sent.push(encodeUtf8(url), bodyOf(init));
    const response = await real.fetch(url, init);
    const bytes = await response.bytes();
    const passed = change(bytes, tampering.answer?.(new URL(url).pathname, bytes) ?? bytes);
    return { status: response.status, header: (name) => response.header(name), bytes: async () => passed };
  };

  const connect: ClientPorts['connect'] = async (url, signal) => {
    const socket = await real.connect(url, signal);
    let index = 0;
    const victim: Socket = {
      onMessage: undefined,
      onClose: undefined,
      get bufferedBytes() {
        return socket.bufferedBytes;
      },
      send: (message) => {
        sent.push(message.slice());
        socket.send(message);
      },
      close: (code, reason) => socket.close(code, reason),
    };
    socket.onMessage = (frame) => {
      const at = { index: index++, isAnswer };
      const passed = change<Uint8Array | undefined>(frame, tampering.frame ? tampering.frame(frame, at) : frame);
      if (passed !== undefined) victim.onMessage?.(passed);
    };
    socket.onClose = (code, reason) => victim.onClose?.(code, reason);
    return victim;
  };

  return {
    ports: { ...real, fetch, connect },
    changed,
    get hasChanged() {
      return hasChanged;
    },
    asked: () => {
      isAnswer = true;
    },
    carried: (words) => sent.some((bytes) => contains(bytes, encodeUtf8(words))),
  };
}

/** A copy with one bit turned over; negative places count from the end. */
export function flipped<Data extends Uint8Array>(bytes: Data, place: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  const index = place < 0 ? copy.length + place : Math.min(place, copy.length - 1);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

function bodyOf(init: FetchInit | undefined): Uint8Array {
  const body = init?.body ?? '';
  return typeof body === 'string' ? encodeUtf8(body) : body;
}

function contains(bytes: Uint8Array, part: Uint8Array): boolean {
  const fits = (at: number) => part.every((byte, index) => bytes[at + index] === byte);
  return bytes.some((_, at) => at + part.length <= bytes.length && fits(at));
}
