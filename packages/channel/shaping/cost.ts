/** What each profile costs on the line: arithmetic over the profiles' figures, for people who choose (spec/shaping.md, cost). */
import { BALANCED, PROFILES, type Profile, STRICT } from './profiles.ts';

/** AEAD tag, and a WebSocket frame's head for these sizes. */
const DOWN_OVERHEAD_BYTES = 16 + 4;
/** The same, and the mask of what a client sends. */
const UP_OVERHEAD_BYTES = 16 + 8;

export interface ProfileCost {
  readonly profile: Profile;
  /** What an answer takes, both ways, whatever its length up to `answerSeconds`; undefined: what it is, in steps. */
  readonly answerBytes: number | undefined;
  readonly answerSeconds: number | undefined;
  /** The least that a request takes; undefined: what it is, in steps, or part of the constant stream. */
  readonly requestBytes: number | undefined;
  /** For as long as the session is open; undefined: nothing but pings. */
  readonly bytesPerHour: number | undefined;
  /** The most that the first word waits for its record: the answer's head may fill the one before. */
  readonly addedMs: number;
  /** In plain words, one sentence. */
  readonly words: string;
}

const down = (records: number, bytes: number) => records * (bytes + DOWN_OVERHEAD_BYTES);
const up = (records: number, bytes: number) => records * (bytes + UP_OVERHEAD_BYTES);

/** @returns the cost of `profile`, without TCP and TLS */
export function costOf(profile: Profile): ProfileCost {
  const none = { answerBytes: undefined, answerSeconds: undefined, requestBytes: undefined, bytesPerHour: undefined };
  if (profile === 'compact') {
    return { ...none, profile, addedMs: 0, words: 'Hides sizes only in steps: how an answer flows can be seen.' };
  }
  if (profile === 'balanced') {
    const { windowRecords, uploadBytes } = BALANCED;
    const answerBytes =
      down(windowRecords, BALANCED.down.recordBytes) +
      up(windowRecords / BALANCED.up.everyRecords, BALANCED.up.recordBytes);
    const answerSeconds = (windowRecords * BALANCED.down.everyMs) / 1000;
    return {
      ...none,
      profile,
      answerBytes,
      answerSeconds,
      requestBytes: up(1, uploadBytes),
      addedMs: 2 * BALANCED.down.everyMs,
      words: `Every answer of up to ${answerSeconds} seconds looks alike: about ${Math.round(answerBytes / 1000)} kB each, longer ones in doublings.`,
    };
  }
  const recordsPerHour = 3_600_000 / STRICT.down.everyMs;
  const bytesPerHour =
    down(recordsPerHour, STRICT.down.recordBytes) + up(recordsPerHour / STRICT.up.everyRecords, STRICT.up.recordBytes);
  return {
    ...none,
    profile,
    bytesPerHour,
    // The request waits for its record too.
    addedMs: (2 + STRICT.up.everyRecords) * STRICT.down.everyMs,
    words: `A constant stream while the app is connected: about ${Math.round(bytesPerHour / 1e6)} MB an hour, used or not.`,
  };
}

/** All profiles, cheapest first. */
export const PROFILE_COSTS: readonly ProfileCost[] = PROFILES.map(costOf);
