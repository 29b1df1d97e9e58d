/**
 * The profiles and their figures (spec/shaping.md, profiles). The client chooses; the node follows. Nothing here is secret:
 * who watches the line can tell the profile from its shape.
 */

/** In the order of their numbers on the wire. */
export const PROFILES = ['compact', 'balanced', 'strict'] as const;
export type Profile = (typeof PROFILES)[number];

/** What the node sends while an answer is shaped. */
export interface DownShape {
  readonly everyMs: number;
  /** Plaintext of one record. */
  readonly recordBytes: number;
  /** Writers are asked for what they have so long before a record leaves. */
  readonly gatherMs: number;
}

/** What the client sends: one record of `recordBytes` for so many of the node's. */
export interface UpShape {
  readonly everyRecords: number;
  readonly recordBytes: number;
}

export const BALANCED = {
  down: { everyMs: 50, recordBytes: 256, gatherMs: 5 },
  up: { everyRecords: 10, recordBytes: 256 },
  /** The shortest window: 16 s of records. Longer ones are its doublings. */
  windowRecords: 320,
  /** What waits must leave within so many records, or the records grow. */
  lagRecords: 8,
  /** The smallest upload. Larger ones are its doublings. */
  uploadBytes: 4096,
  /** Uploads beyond this leave in records of this. */
  uploadRecordBytes: 16_384,
} as const satisfies { down: DownShape; up: UpShape; [figure: string]: unknown };

export const STRICT = {
  down: { everyMs: 50, recordBytes: 256, gatherMs: 5 },
  up: { everyRecords: 2, recordBytes: 1024 },
  /** Cover of one session, in the node's records: 16 MiB, 54 minutes. */
  budgetRecords: 65_536,
} as const satisfies { down: DownShape; up: UpShape; [figure: string]: unknown };

/** The client takes a node that has said nothing for so long for one whose window is over. */
export const PAUSE_MS = 1000;
