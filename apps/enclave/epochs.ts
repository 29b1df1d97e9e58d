/**
 * The node's keys and their evidence, epoch by epoch (spec/enclave.md §epochs). Private keys never leave this object except
 * into a handshake, and are overwritten when their epoch no longer accepts one.
 */
import { encodeHex, equalBytes } from '@sotto/bytes';
import type { ResponderEpoch } from '@sotto/channel';
import { eraseX25519Key, generateX25519 } from '@sotto/crypto/dh';
import type { Binding } from '@sotto/evidence/binding';
import { createEvidence } from '@sotto/evidence/collect';
import type { Clock, DeviceEvidenceSource, EvidenceSource, Random } from '@sotto/ports';
import { EnclaveError } from './enclave-error.ts';

export const SUITES = ['sotto-1'] as const;

export interface EpochTimes {
  /** How long an epoch's key answers new handshakes. */
  readonly rotateMs: number;
  /** How long its evidence says that the key is valid. */
  readonly validMs: number;
  /** How long after rotation a handshake that already began may still use the key. */
  readonly graceMs: number;
}

export const DEFAULT_TIMES: EpochTimes = { rotateMs: 20 * 60_000, validMs: 60 * 60_000, graceMs: 60_000 };

/** How long a live answer says that it holds: it speaks of one moment. */
const LIVE_SECONDS = 60;

export interface EpochsOptions {
  readonly source: EvidenceSource;
  /** GPUs and what else answers to a nonce of its own; absent where there are none. */
  readonly devices?: DeviceEvidenceSource;
  readonly nodeId: Uint8Array;
  readonly releaseDigest: Uint8Array;
  readonly configDigest: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: EpochTimes;
  readonly onRotate?: () => void;
}

interface Epoch extends ResponderEpoch {
  readonly startMs: number;
  readonly publicKey: Uint8Array;
  isErased: boolean;
}

/** Owner of all epochs of one node. */
export class Epochs {
  readonly #options: EpochsOptions;
  /** Newest last; older ones stay as long as their evidence may be asked for. */
  #epochs: Epoch[] = [];
  #rotation: Promise<void> | undefined;

  private constructor(options: EpochsOptions) {
    this.#options = options;
  }

  /** Makes the first epoch. */
  static async create(options: EpochsOptions): Promise<Epochs> {
    const epochs = new Epochs(options);
    await epochs.refresh();
    return epochs;
  }

  /** The epoch that answers handshakes now. */
  current(): ResponderEpoch {
    return this.#newest();
  }

  /** Evidence by its digest in hex, while it may still be asked for. */
  evidence(digestHex: string): Uint8Array | undefined {
    return this.#epochs.find(({ evidenceDigest }) => encodeHex(evidenceDigest) === digestHex)?.evidence;
  }

  /**
   * Fresh evidence that this machine, now, speaks for the key of a session (spec/evidence.md §live).
   *
   * @param options.epochId of the session's latest handshake
   * @throws EnclaveError `not-found` when that epoch is over
   */
  async live(options: {
    readonly epochId: Uint8Array;
    readonly clientNonce: Uint8Array;
    readonly handshakeHash: Uint8Array;
  }): Promise<Uint8Array> {
    const epoch = this.#epochs.find(({ epochId }) => equalBytes(epochId, options.epochId));
    if (epoch === undefined) throw new EnclaveError('not-found');
    const nowSeconds = Math.floor(this.#options.clock.nowMs() / 1000);
    const { bundle } = await createEvidence({
      ...this.#options,
      binding: {
        ...this.#bindingOf(epoch.publicKey, epoch.epochId),
        purpose: 'live',
        notBeforeSeconds: nowSeconds,
        notAfterSeconds: nowSeconds + LIVE_SECONDS,
        clientNonce: options.clientNonce,
        handshakeHash: options.handshakeHash,
      },
    });
    return bundle;
  }

  /** Rotates when it is time, and erases what is over. Called before each session, and by `run`. */
  async refresh(): Promise<void> {
    const { clock, times } = this.#options;
    const newest = this.#epochs.at(-1);
    const ageMs = newest === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() - newest.startMs;
    // A clock that was set back would otherwise keep one key in use for as long as it was set back.
    if (ageMs >= times.rotateMs || ageMs < 0) {
      this.#rotation ??= this.#rotate().finally(() => {
        this.#rotation = undefined;
      });
      await this.#rotation;
    }
    this.#erase();
  }

  /** Keeps the epochs turning until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, times } = this.#options;
    try {
      for (;;) {
        await clock.sleep(Math.min(times.graceMs, times.rotateMs), signal);
        await this.refresh();
      }
    } catch {
      for (const epoch of this.#epochs) eraseKey(epoch);
    }
  }

  #newest(): Epoch {
    return this.#epochs.at(-1) as Epoch;
  }

  async #rotate(): Promise<void> {
    const { clock, random, times, onRotate } = this.#options;
    const { privateKey, publicKey } = await generateX25519();
    const epochId = random.bytes(16);
    const startMs = clock.nowMs();
    const binding = {
      ...this.#bindingOf(publicKey, epochId),
      notBeforeSeconds: Math.floor(startMs / 1000),
      notAfterSeconds: Math.floor((startMs + times.validMs) / 1000),
    };
    const { bundle, digest } = await createEvidence({ ...this.#options, binding });
    const epoch = {
      epochId,
      staticPrivateKey: privateKey,
      publicKey,
      evidence: bundle,
      evidenceDigest: digest,
      startMs,
      notAfterMs: startMs + times.validMs,
      isErased: false,
    };
    this.#epochs.push(epoch);
    onRotate?.();
  }

  /** What evidence of every purpose says of this node; of purpose `epoch`, without its times. */
  #bindingOf(
    publicKey: Uint8Array,
    epochId: Uint8Array,
  ): Omit<Binding, 'notBeforeSeconds' | 'notAfterSeconds' | 'deviceEvidenceDigest'> {
    const { nodeId, releaseDigest, configDigest } = this.#options;
    return {
      purpose: 'epoch',
      suites: SUITES,
      keys: [{ use: 'channel', algorithm: 'x25519', publicKey }],
      nodeId,
      epochId,
      checkpoint: undefined,
      releaseDigest,
      configDigest,
      clientNonce: new Uint8Array(0),
      handshakeHash: new Uint8Array(0),
    };
  }

  #erase(): void {
    const { clock, times } = this.#options;
    const nowMs = clock.nowMs();
    const newest = this.#newest();
    for (const epoch of this.#epochs) {
      const isReplaced = epoch !== newest;
      // EN-20: a key that stays in memory after its epoch opens every session of that epoch to whoever reads the memory.
      if (isReplaced && nowMs - newest.startMs >= times.graceMs) eraseKey(epoch);
    }
    // Evidence of an epoch that is over must not be handed out as if it were current (EN-21).
    this.#epochs = this.#epochs.filter((epoch) => epoch === newest || nowMs - epoch.startMs < times.validMs);
  }
}

function eraseKey(epoch: Epoch): void {
  if (epoch.isErased) return;
  epoch.isErased = true;
  eraseX25519Key(epoch.staticPrivateKey as Uint8Array);
}
