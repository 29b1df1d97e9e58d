/** Every cap of the server in one place. Tests lower them; a deployment may raise them in code, not by a flag. */
import { ENVELOPE_LIMIT_BYTES } from '@sotto/wire';
import type { Rate } from './rate-limit.ts';

const SECOND_MS = 1000;
const DAY_MS = 24 * 60 * 60 * SECOND_MS;

export interface Limits {
  /** A JSON body. */
  readonly jsonBytes: number;
  /** One sealed record. */
  readonly recordBytes: number;
  readonly recordsPerAccount: number;
  readonly bytesPerAccount: number;
  readonly locksPerAccount: number;
  readonly credentialsPerAccount: number;
  /** One page of `GET /api/records`. */
  readonly pageRecords: number;
  readonly pageBytes: number;
  readonly sessionMs: number;
  readonly challengeMs: number;
  readonly guests: Rate;
  readonly accounts: Rate;
  /** Passkey ceremonies: bounds what their challenges fill; nobody can guess a passkey. */
  readonly passkeys: Rate;
  /** Tries with a recovery code, per address and per code. */
  readonly recoveries: Rate;
  readonly recordWrites: Rate;
  readonly relayOpens: Rate;
  /** Questions about what vendors publish. */
  readonly collateral: Rate;
  /** Answers of vendors that are remembered. */
  readonly collateralBytes: number;
  readonly relayFrames: Rate;
  readonly relayBytes: Rate;
  readonly relayFrameBytes: number;
  readonly relayIdleMs: number;
  readonly relaysPerSession: number;
  readonly relays: number;
  /** Bytes waiting for one end before the other end is no longer read. */
  readonly relayBufferBytes: number;
  readonly capturedFrames: number;
  readonly capturedSubjects: number;
}

export const DEFAULT_LIMITS: Limits = {
  jsonBytes: 64 * 1024,
  recordBytes: ENVELOPE_LIMIT_BYTES,
  recordsPerAccount: 200_000,
  bytesPerAccount: 1024 * 1024 * 1024,
  locksPerAccount: 32,
  credentialsPerAccount: 32,
  pageRecords: 500,
  pageBytes: 1024 * 1024,
  sessionMs: 30 * DAY_MS,
  challengeMs: 5 * 60 * SECOND_MS,
  guests: { burst: 100, perSecond: 0.5 },
  accounts: { burst: 60, perSecond: 0.5 },
  passkeys: { burst: 300, perSecond: 5 },
  recoveries: { burst: 30, perSecond: 0.2 },
  recordWrites: { burst: 5000, perSecond: 50 },
  relayOpens: { burst: 120, perSecond: 2 },
  collateral: { burst: 120, perSecond: 2 },
  collateralBytes: 64 * 1024 * 1024,
  relayFrames: { burst: 4000, perSecond: 2000 },
  relayBytes: { burst: 64 * 1024 * 1024, perSecond: 16 * 1024 * 1024 },
  relayFrameBytes: 65_535,
  relayIdleMs: 15 * 60 * SECOND_MS,
  relaysPerSession: 64,
  relays: 5000,
  relayBufferBytes: 1024 * 1024,
  capturedFrames: 256,
  capturedSubjects: 500,
};
