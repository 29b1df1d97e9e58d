/**
 * Which segments an index has: one sealed value, written in the same batch as the segments it names (spec/client.md "Search").
 *
 *     struct State { u8 version; u64 generation; u8 recheck; u32 segments;
 *                    { byte id[16]; u32 documents; u32 conversations; u32 words; u32 blocks } segments[] }
 */
import { ByteReader, ByteWriter, encodeHex, parseHex, SottoError } from '@sotto/bytes';
import { SearchError } from './error.ts';
import { INDEX_VERSION } from './segment.ts';

export interface SegmentInfo {
  /** 16 random bytes as hex; never used again. */
  readonly id: string;
  readonly documents: number;
  readonly conversations: number;
  /** Of all documents together. */
  readonly words: number;
  readonly blocks: number;
}

export interface IndexState {
  /** Rises with every write. */
  readonly generation: number;
  /** A segment was lost: what is covered must be looked at anew. */
  readonly recheck: boolean;
  /** Oldest first. */
  readonly segments: readonly SegmentInfo[];
}

export const EMPTY_STATE: IndexState = { generation: 0, recheck: false, segments: [] };
const SEGMENT_COUNT_LIMIT = 10_000;

export function encodeState({ generation, recheck, segments }: IndexState): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(64 + 32 * segments.length);
  writer
    .u8(INDEX_VERSION)
    .u64(generation)
    .u8(recheck ? 1 : 0)
    .u32(segments.length);
  for (const { id, documents, conversations, words, blocks } of segments) {
    writer.raw(parseHex(id, 16)).u32(documents).u32(conversations).u32(words).u32(blocks);
  }
  return writer.finish();
}

/** @throws SearchError `index-damaged`, also for the index of another version */
export function parseState(bytes: Uint8Array): IndexState {
  try {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== INDEX_VERSION) throw new SearchError('index-damaged');
    const generation = reader.u64Number();
    const recheck = reader.u8() !== 0;
    const count = reader.u32();
    if (count > SEGMENT_COUNT_LIMIT) throw new SearchError('index-damaged');
    const segments = Array.from({ length: count }, () => ({
      id: encodeHex(reader.view(16)),
      documents: reader.u32(),
      conversations: reader.u32(),
      words: reader.u32(),
      blocks: reader.u32(),
    }));
    reader.end();
    return { generation, recheck, segments };
  } catch (cause) {
    if (cause instanceof SearchError || !(cause instanceof SottoError)) throw cause;
    throw new SearchError('index-damaged', { cause });
  }
}
