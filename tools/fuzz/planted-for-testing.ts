/** Parsers with planted faults, one of each kind that the fuzzer must find, and one that is sound. */
import { ByteReader, BytesError, encodeUtf8 } from '@sotto/bytes';
import { insist, type Target } from './target.ts';

const GENUINE = [[encodeUtf8('SOT1'), encodeUtf8('{"name":"a","list":[1]}')]];
const corpus = () => GENUINE;
const json = (part: Uint8Array | undefined): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(part));
  } catch {
    throw new BytesError('bytes-bad-encoding', 'not JSON');
  }
};
const kept: Promise<never>[] = [];

export const targets: readonly Target[] = [
  {
    name: 'planted/sound',
    errors: [BytesError],
    corpus,
    run([part = new Uint8Array(0)]) {
      if (new ByteReader(part).u32() !== 0x534f5431) throw new BytesError('bytes-bad-encoding', 'not the magic');
    },
  },
  {
    name: 'planted/foreign-error',
    errors: [BytesError],
    corpus,
    // A DataView's own RangeError, where a length is not checked.
    run: ([part = new Uint8Array(0)]) => void new DataView(part.buffer).getUint32(0),
  },
  {
    name: 'planted/foreign-error-in-json',
    errors: [BytesError],
    corpus,
    run: ([, part]) => void (json(part) as { name: string }).name.length,
  },
  {
    name: 'planted/security',
    errors: [BytesError],
    corpus,
    // Takes what begins as it should for what is genuine.
    run([part = new Uint8Array(0)]) {
      if (part[0] !== 0x53) throw new BytesError('bytes-bad-encoding', 'not genuine');
      insist(new TextDecoder().decode(part) === 'SOT1', 'a forged input was accepted');
    },
  },
  {
    name: 'planted/slow',
    errors: [BytesError],
    corpus,
    run([part = new Uint8Array(0)]) {
      // Its own time, not the wall's: on a busy machine the two are far apart.
      const busyMs = () => process.threadCpuUsage().user / 1000;
      const end = busyMs() + (part.length > 600 ? 60 : 0);
      while (busyMs() < end);
    },
  },
  {
    name: 'planted/memory',
    errors: [BytesError],
    corpus,
    // Believes a length before it has the bytes.
    run([part = new Uint8Array(0)]) {
      held.length = 0;
      const length = part.length < 4 ? 0 : new DataView(part.buffer).getUint32(0);
      if (length > 0x80000000) held.push(new Uint8Array(24 * 1024 * 1024));
    },
  },
  {
    name: 'planted/never-settles',
    errors: [BytesError],
    corpus,
    run: ([part = new Uint8Array(0)]) => (part.length === 3 ? new Promise<void>(() => undefined) : undefined),
  },
  {
    name: 'planted/late-rejection',
    errors: [BytesError],
    corpus,
    async run([part = new Uint8Array(0)]) {
      if (part.length === 3) kept.push(Promise.reject(new TypeError('nobody listens')));
    },
  },
  {
    // Gives no turn to anything: only who watches from outside can end it.
    name: 'planted/endless',
    errors: [BytesError],
    corpus,
    run([part = new Uint8Array(0)]) {
      while (part.length === 3);
    },
  },
  { name: 'planted/no-input', errors: [], corpus: () => [], run: () => undefined },
];
const held: Uint8Array[] = [];
