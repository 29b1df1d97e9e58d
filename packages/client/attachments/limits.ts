/** How much of files lies on this device. */
export interface LocalLimits {
  /** Waiting to be sent, together; a guest's files, which stay here, count the same. */
  readonly queueBytes: number;
  /** Kept although they are on the server, so that they open at once and offline. */
  readonly cacheBytes: number;
  /** A draft that is older was left by a page that ended. */
  readonly draftMs: number;
  /** A file on the server that no message names is removed when it is older: its message may still be on its way from another device. */
  readonly unnamedMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export const LOCAL_LIMITS: LocalLimits = {
  queueBytes: 1024 * 1024 * 1024,
  cacheBytes: 192 * 1024 * 1024,
  draftMs: DAY_MS,
  unnamedMs: 30 * DAY_MS,
};
