/** Numbers that both ends of a channel agree on (spec/wire.md §streams). `channel` frames the bytes and does not import these. */

/** Carries the evidence bundle; the only stream that an unverified channel can open. */
export const EVIDENCE_STREAM_ID = 0;
/** Clients number their streams 1, 2, 3, … */
export const FIRST_REQUEST_STREAM_ID = 1;
