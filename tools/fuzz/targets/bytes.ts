/** Readers and text encodings: never past the end, and one spelling of each value. */
import {
  ByteReader,
  BytesError,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  encodeUtf8,
  equalBytes,
  parseBase64,
  parseBase64Url,
  parseHex,
  parseUtf8,
} from '@sotto/bytes';
import { lossyText } from '../corpus.ts';
import { insist, type Target } from '../target.ts';

const ENCODINGS = [
  [encodeHex, (text: string) => parseHex(text)],
  [encodeBase64, parseBase64],
  [encodeBase64Url, parseBase64Url],
] as const;

export const bytesTargets: readonly Target[] = [
  {
    // Part 0 says which fields to read, part 1 holds them.
    name: 'bytes/reader',
    errors: [BytesError],
    corpus: () => [
      [Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7), new Uint8Array(200)],
      [Uint8Array.of(5, 5, 7), Uint8Array.of(0, 2, 1, 2, 0, 1, 9, 3)],
      [Uint8Array.of(6, 7), Uint8Array.of(0, 0, 0, 3, 1, 2, 3)],
    ],
    run([plan = new Uint8Array(0), bytes = new Uint8Array(0)]) {
      const reader = new ByteReader(bytes);
      for (const step of plan) {
        const before = reader.offset;
        if (step % 8 === 0) reader.u8();
        else if (step % 8 === 1) reader.u16();
        else if (step % 8 === 2) reader.u32();
        else if (step % 8 === 3) reader.u64Number();
        else if (step % 8 === 4) reader.take(step);
        else if (step % 8 === 5) reader.vector16(step * 16);
        else if (step % 8 === 6) reader.vector32(step * 1024);
        else reader.rest();
        insist(reader.offset >= before && reader.offset <= bytes.length, 'the reader is out of its bytes');
      }
      reader.end();
    },
  },
  {
    name: 'bytes/text',
    errors: [BytesError],
    corpus: () => ['', '00ff10ab', 'AAECAw==', 'AAECAw', '-_8', '+/8=', 'Grüße 👋'].map((text) => [encodeUtf8(text)]),
    run([part = new Uint8Array(0)]) {
      const text = lossyText(part);
      let refusal: unknown;
      for (const [encode, parse] of ENCODINGS) {
        try {
          const spelled = encode(parse(text));
          insist(spelled === text, 'two spellings of the same bytes');
        } catch (error) {
          if (!(error instanceof BytesError)) throw error;
          refusal = error;
        }
      }
      insist(equalBytes(encodeUtf8(parseUtf8(part)), part), 'two spellings of the same text');
      if (refusal !== undefined) throw refusal;
    },
  },
];
