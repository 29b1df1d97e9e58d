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
  /** Sealed files; their bytes count into those of the account. */
  readonly blobsPerAccount: number;
  readonly blobPartsPerAccount: number;
  /** How long a file that was begun and not finished is kept. */
  readonly unfinishedBlobMs: number;
  readonly locksPerAccount: number;
  readonly credentialsPerAccount: number;
  readonly devicesPerAccount: number;
  /** One page of `GET /api/records`. */
  readonly pageRecords: number;
  readonly pageBytes: number;
  /** One page of `GET /api/records/bulk`. */
  readonly bulkRecords: number;
  readonly bulkBytes: number;
  /** One page of `GET /api/records/index`. */
  readonly indexRecords: number;
  /** How long two devices may take to be linked, how many may at once, and one message of theirs. */
  readonly linkMs: number;
  readonly links: number;
  readonly linkBytes: number;
  readonly sessionMs: number;
  readonly challengeMs: number;
  /** Requests of every kind, WebSockets too, per address: what each costs besides is limited by its own rate. */
  readonly requests: Rate;
  readonly guests: Rate;
  readonly accounts: Rate;
  /** Passkey ceremonies: bounds what their challenges fill; nobody can guess a passkey. */
  readonly passkeys: Rate;
  /** Tries with a recovery code, per address and per code. */
  readonly recoveries: Rate;
  /** Sign-ins by device key, per address and per account; nobody can guess a key. */
  readonly deviceSignIns: Rate;
  /** Messages of a link, per address and per account, and how often they may be asked for. */
  readonly linkWrites: Rate;
  readonly linkReads: Rate;
  /** Rotations and new recovery codes of an account. */
  readonly rotations: Rate;
  /** What an account asks and changes besides: locks, passkeys, devices, lists, and, for ten of them, the operator's view. */
  readonly accountCalls: Rate;
  /** Records written by an account; an import of 100,000 takes minutes. */
  readonly recordWrites: Rate;
  readonly recordWriteBytes: Rate;
  /** Pages of every kind: a first sync of 105,000 records is 30 in bulk, 210 as JSON. */
  readonly recordPages: Rate;
  /** WebSockets of `/api/records/live`. */
  readonly liveOpens: Rate;
  readonly livePerAccount: number;
  readonly live: number;
  readonly liveMs: number;
  /** Parts of sealed files; one of 100 MiB has 400. */
  readonly blobWrites: Rate;
  readonly blobReads: Rate;
  /** Chats shared by link; and how often an address may ask for one. */
  readonly sharesPerAccount: number;
  readonly shareReads: Rate;
  readonly relayOpens: Rate;
  /** Evidence of nodes, of which each that is not remembered is fetched. */
  readonly evidenceReads: Rate;
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
  blobsPerAccount: 20_000,
  blobPartsPerAccount: 40_000,
  unfinishedBlobMs: DAY_MS,
  locksPerAccount: 32,
  credentialsPerAccount: 32,
  devicesPerAccount: 64,
  pageRecords: 500,
  pageBytes: 1024 * 1024,
  bulkRecords: 8192,
  bulkBytes: 3 * 1024 * 1024,
  indexRecords: 32_768,
  linkMs: 10 * 60 * SECOND_MS,
  links: 2000,
  linkBytes: 2048,
  sessionMs: 30 * DAY_MS,
  challengeMs: 5 * 60 * SECOND_MS,
  requests: { burst: 20_000, perSecond: 500 },
  guests: { burst: 100, perSecond: 0.5 },
  accounts: { burst: 60, perSecond: 0.5 },
  passkeys: { burst: 300, perSecond: 5 },
  recoveries: { burst: 30, perSecond: 0.2 },
  deviceSignIns: { burst: 120, perSecond: 1 },
  linkWrites: { burst: 60, perSecond: 0.2 },
  linkReads: { burst: 2000, perSecond: 20 },
  rotations: { burst: 60, perSecond: 0.1 },
  accountCalls: { burst: 3000, perSecond: 20 },
  recordWrites: { burst: 20_000, perSecond: 500 },
  recordWriteBytes: { burst: 256 * 1024 * 1024, perSecond: 4 * 1024 * 1024 },
  recordPages: { burst: 1200, perSecond: 10 },
  liveOpens: { burst: 60, perSecond: 0.5 },
  livePerAccount: 32,
  live: 5000,
  liveMs: 60 * 60 * SECOND_MS,
  blobWrites: { burst: 4000, perSecond: 50 },
  blobReads: { burst: 10_000, perSecond: 200 },
  sharesPerAccount: 100,
  shareReads: { burst: 60, perSecond: 1 },
  relayOpens: { burst: 120, perSecond: 2 },
  evidenceReads: { burst: 600, perSecond: 10 },
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
