/** Which segments become which (spec/client.md "Search"). Pure: opened segments in, new ones out. */
import { buildSegment, mergeSegments, type SearchDocument, type Segment } from './build.ts';
import { SEGMENT_LIMIT } from './segment.ts';
import type { SegmentInfo } from './state.ts';

/** Below it a segment is written again with what is added, instead of beside it. */
const SMALL = 16;
/** So many segments of about one size become one. */
const MERGE_COUNT = 4;

export interface FreshDocuments {
  readonly conversationId: string;
  readonly covered: string;
  readonly documents: readonly SearchDocument[];
}

export interface Old {
  readonly info: SegmentInfo;
  readonly segment: Segment;
}

export function isSmall(info: SegmentInfo): boolean {
  return sizeOf(info) < SMALL;
}

/**
 * @param together all of `old` become one; else the small ones do, with what is fresh
 * @param kept whether a document stays
 * @param covered the version of a conversation, '' where it is not known, undefined where it is to be forgotten
 */
export function rewriteSegments(
  old: readonly Old[],
  fresh: readonly FreshDocuments[],
  kept: (segmentId: string, document: number) => boolean,
  covered: (conversationId: string) => string | undefined,
  together: boolean,
): readonly Segment[] {
  const rewritten: Segment[] = [];
  const joined: { readonly segment: Segment; readonly id: string | undefined }[] = [];
  for (const { info, segment } of old) {
    if (together || isSmall(info)) joined.push({ segment, id: info.id });
    else rewritten.push(mergeSegments([segment], (_, document) => kept(info.id, document), covered));
  }
  for (const part of inParts(fresh)) {
    const segment = buildSegment(part);
    if (segment.head.documents.count < SEGMENT_LIMIT / 2) joined.push({ segment, id: undefined });
    else rewritten.push(segment);
  }
  const [first] = joined;
  if (joined.length === 1 && first?.id === undefined) rewritten.push((first as { segment: Segment }).segment);
  else if (joined.length > 0) {
    const keptAt = (at: number, document: number) => {
      const id = joined[at]?.id;
      return id === undefined || kept(id, document);
    };
    rewritten.push(
      mergeSegments(
        joined.map(({ segment }) => segment),
        keptAt,
        covered,
      ),
    );
  }
  return rewritten.filter(({ head }) => head.conversations.length > 0);
}

/** Segments that should become one: of about one size, the smallest that fit. */
export function toMerge(segments: readonly SegmentInfo[]): readonly SegmentInfo[] {
  const classOf = (info: SegmentInfo) => Math.floor(Math.log(Math.max(sizeOf(info), 1)) / Math.log(MERGE_COUNT));
  for (const group of Map.groupBy(segments, classOf).values()) {
    if (group.length < MERGE_COUNT) continue;
    const fitting: SegmentInfo[] = [];
    let sum = 0;
    for (const info of group.toSorted((a, b) => a.documents - b.documents)) {
      sum += info.documents;
      if (sum <= SEGMENT_LIMIT) fitting.push(info);
    }
    if (fitting.length > 1) return fitting;
  }
  return [];
}

function sizeOf({ documents, conversations }: SegmentInfo): number {
  return documents + conversations;
}

/** Parts of which each fits a segment; a conversation may be cut. */
function inParts(fresh: readonly FreshDocuments[]): FreshDocuments[][] {
  const parts: FreshDocuments[][] = [];
  let room = 0;
  for (const one of fresh) {
    let rest = one.documents;
    do {
      if (room === 0) {
        parts.push([]);
        room = SEGMENT_LIMIT;
      }
      const taken = rest.slice(0, room);
      parts.at(-1)?.push({ ...one, documents: taken });
      room -= taken.length;
      rest = rest.slice(taken.length);
    } while (rest.length > 0);
  }
  return parts;
}
