/** What Argon2id is asked; the caller bounds it before it costs anything. */
export interface Argon2Input {
  readonly message: Uint8Array;
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** KiB of memory, at least 8 a lane. */
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}
