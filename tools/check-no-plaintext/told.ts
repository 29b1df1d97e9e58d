/** The secrets that the telling page says (unsafe-telling): each draw and each key, less what is no secret. */
import type { BrowserContext } from 'playwright-core';
import type { Needle } from './search.ts';
import { keyNeedle } from './secrets.ts';

/** A draw by one of these is an id, a salt or a challenge: stored or sent as it is. All other draws are secrets. `/16`: those of so many bytes. */
const NO_SECRET: ReadonlySet<string> = new Set([
  // Ids.
  ...['#announced', '#newId', '#withHeads', 'newId', 'loadGuest', 'saveDevice', 'draftAccount', 'createPasskeyLock'],
  ...['setPassphrase/16', 'createTemporaryHistory', 'attach', 'add', 'newRecordId'],
  // Salts, and what is sent or stored as it is.
  ...['sealEnvelope', 'sealLocal', 'sealBlob', 'wrapAccountKey', 'sealToLock', 'createPassphraseParameters'],
  ...['unlockWithKeptPasskey', 'digitsOfNew', 'digitsOfOpen', 'proveLive'],
]);

function isNoSecret(name: string, length: number): boolean {
  const drawnBy = /^drawn by (?:.*\.)?(.*)$/.exec(name)?.[1] ?? '';
  return NO_SECRET.has(drawnBy) || NO_SECRET.has(`${drawnBy}/${length}`);
}

/** What every run must have told: a build that tells nothing would find nothing. */
export const EXPECTED = [
  'AccountKey',
  'EpochKey',
  'LocalKey',
  'LockSecret',
  'DeviceKeys',
  'LinkSecret',
  'BlobKey',
] as const;

const SHORTEST_BYTES = 16;

export class Told {
  readonly #needles = new Map<string, Needle>();
  readonly #counts = new Map<string, number>();

  /** Listens to every page of a browser. */
  async listen(context: BrowserContext): Promise<void> {
    await context.exposeBinding('unsafeTellForTesting', (_source, name: string, bytes: number[]) => {
      if (bytes.length < SHORTEST_BYTES || isNoSecret(name, bytes.length)) return;
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
      const key = Buffer.from(bytes).toString('hex');
      if (!this.#needles.has(key)) this.#needles.set(key, keyNeedle(name, Uint8Array.from(bytes)));
    });
  }

  get needles(): Needle[] {
    return [...this.#needles.values()];
  }

  /** How many of each kind. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  missing(): string[] {
    return EXPECTED.filter((name) => !this.#counts.has(name));
  }
}
