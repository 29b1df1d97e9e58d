/** Every cap and time of the channel (spec/channel.md, caps). The first group is the protocol's; the second each side's own. */

/** Stream 0 carries evidence and nothing else. */
export const EVIDENCE_STREAM = 0;
export const HEAD_LIMIT_BYTES = 15_360;
/** What a side may send on a stream before it is granted more. */
export const STREAM_WINDOW_BYTES = 65_536;
/** How far a reader that keeps up lets the window of its stream grow, and all streams of a session together. */
export const LARGEST_WINDOW_BYTES = 1_048_576;
export const WINDOW_GROWTH_BYTES = 4 * 1_048_576;
/** The most that grants may add up to: more is an attack on arithmetic. */
export const CREDIT_LIMIT_BYTES = 0x7fff_ffff;
export const STREAMS_LIMIT = 128;
export const LAST_STREAM = 0x7fff_ffff;
/** Plaintext sizes. The largest and its tag are the largest Noise message. */
export const RECORD_BUCKETS = [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_519] as const;
export const RECORD_LIMIT_BYTES = 65_519;
/** The most records under one key. */
export const RECORDS_PER_KEY = 2 ** 16;
export const AEAD_TAG_BYTES = 16;

/** The smallest size that holds so many bytes; undefined when none does. */
export function bucketOf(bytes: number): number | undefined {
  return RECORD_BUCKETS.find((bucket) => bucket >= bytes);
}

/** How far two honest clocks may be apart. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;

export interface ChannelLimits {
  /** From the first byte to the end of the handshake. */
  readonly handshakeTimeoutMs: number;
  /** How long a responder keeps a channel whose initiator has not said `verified`. */
  readonly verificationTimeoutMs: number;
  /** How often silence is noticed. The initiator pings at every silent tick. */
  readonly tickMs: number;
  /** Silent ticks after which the session is over. */
  readonly silentTicks: number;
  /** Writes of this long share a record while a stream is busy. */
  readonly coalesceMs: number;
  readonly recordsPerDirection: number;
  readonly recordsPerKey: number;
  /** Ticks after which a key that protects something sent is replaced. */
  readonly rekeyTicks: number;
  /** Ticks after which an initiator should renew the session, and after which either end ends it. */
  readonly renewTicks: number;
  readonly lifeTicks: number;
  /** Renewals that an initiator lets a node advise at once, and a second afterwards; a responder answers twice as many. */
  readonly renewalsAtOnce: number;
  readonly renewalsPerSecond: number;
  /** Bytes that may wait in the socket. */
  readonly outgoingBacklogBytes: number;
  /** Frames that are no body's that may wait for their record. */
  readonly waitingFrames: number;
  /** Bytes of records that may wait to be opened. */
  readonly incomingBacklogBytes: number;
  /** Streams that an initiator may open at once, and a second afterwards. */
  readonly opensAtOnce: number;
  readonly opensPerSecond: number;
  /** Frames that carry nothing of a body, and records with next to nothing in them, that a peer may send at once. */
  readonly idleWorkAtOnce: number;
  /** And a second afterwards. */
  readonly idleWorkPerSecond: number;
}

export const DEFAULT_LIMITS: ChannelLimits = {
  handshakeTimeoutMs: 10_000,
  verificationTimeoutMs: 60_000,
  tickMs: 30_000,
  silentTicks: 4,
  coalesceMs: 4,
  recordsPerDirection: 2 ** 20,
  recordsPerKey: RECORDS_PER_KEY,
  rekeyTicks: 2,
  renewTicks: 30,
  lifeTicks: 40,
  renewalsAtOnce: 8,
  renewalsPerSecond: 0.1,
  outgoingBacklogBytes: 16 * 1024 * 1024,
  incomingBacklogBytes: 16 * 1024 * 1024,
  waitingFrames: 8192,
  opensAtOnce: 256,
  opensPerSecond: 64,
  idleWorkAtOnce: 4096,
  idleWorkPerSecond: 512,
};
