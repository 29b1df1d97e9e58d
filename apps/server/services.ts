/** What the routes share: built once in `start.ts`, handed to each area's routes. */
import type { IncomingMessage } from 'node:http';
import type { BlobStore, Clock, Random } from '@sotto/ports';
import type { Context } from 'hono';
import type { Kysely } from 'kysely';
import type { Captures } from './captures.ts';
import type { Collateral } from './collateral/collateral.ts';
import type { Database } from './database/schema.ts';
import { ServerError } from './errors.ts';
import type { Limits } from './limits.ts';
import type { LinkMailboxes } from './link-mailboxes.ts';
import type { Log } from './log.ts';
import { networkOf } from './network.ts';
import type { NodeDirectory } from './node-directory.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Session, Sessions, Subject } from './sessions.ts';
import type { Site, SiteOf } from './site.ts';
import type { Turns } from './turns.ts';

export interface Services {
  readonly db: Kysely<Database>;
  /** The parts of sealed files. */
  readonly blobs: BlobStore;
  /** By account: its files are written and removed one after the other. */
  readonly blobTurns: Turns;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: Limits;
  readonly siteOf: SiteOf;
  /** Where a person on this computer should go, for the page at a wrong address; undefined over TLS. */
  readonly localhostUrl: () => string | undefined;
  readonly sessions: Sessions;
  readonly nodes: NodeDirectory;
  readonly captures: Captures;
  readonly collateral: Collateral;
  readonly links: LinkMailboxes;
  readonly rates: {
    readonly requests: RateLimit;
    readonly guests: RateLimit;
    readonly accounts: RateLimit;
    readonly passkeys: RateLimit;
    readonly recoveries: RateLimit;
    readonly deviceSignIns: RateLimit;
    readonly links: RateLimit;
    readonly linkReads: RateLimit;
    readonly rotations: RateLimit;
    readonly accountCalls: RateLimit;
    readonly recordWrites: RateLimit;
    readonly recordWriteBytes: RateLimit;
    readonly recordPages: RateLimit;
    readonly liveOpens: RateLimit;
    readonly blobWrites: RateLimit;
    readonly blobReads: RateLimit;
    readonly shareReads: RateLimit;
    readonly relayOpens: RateLimit;
    readonly evidenceReads: RateLimit;
    readonly collateral: RateLimit;
  };
  /** Called when a session ended, so that its relays end too. */
  readonly onSessionEnd: (tokenHash: string) => void;
  /** Called when records were written; `newest` is the account's newest sequence. */
  readonly onRecordsChanged: (accountId: string, newest: number) => void;
  /** Folder of the built web app. */
  readonly webDir: string;
}

export interface AppEnv {
  Bindings: { incoming?: IncomingMessage };
  Variables: { site: Site; session?: Session | undefined };
}

export type AppContext = Context<AppEnv>;

/** The account or guest of this request. @throws ServerError `signed-out` */
export function requireSession(c: AppContext): Session {
  const session = c.get('session');
  // SV-10: without it anybody could use the relay, or read what is stored.
  if (session === undefined) throw new ServerError('signed-out');
  return session;
}

/** @throws ServerError `signed-out` or `account-required` */
export function requireAccount(c: AppContext): Subject {
  const { subject } = requireSession(c);
  // SV-11: a guest owns no rows; its id must never be used as an account's.
  if (subject.kind !== 'account') throw new ServerError('account-required');
  return subject;
}

/** Who writes: an account, and whether the session that speaks for it stands. */
export interface Writer {
  readonly accountId: string;
  /** Comes first in every transaction of a write. @throws ServerError `signed-out` */
  readonly hold: (db: Kysely<Database>) => Promise<void>;
}

/** @throws ServerError `signed-out` or `account-required` */
export function requireWriter(c: AppContext): Writer {
  return { accountId: requireAccount(c).id, hold: (db) => requireStanding(db, c) };
}

/**
 * Asked in the transaction that writes: the request's body may have come long after its session was looked up.
 *
 * @throws ServerError `signed-out`
 */
export async function requireStanding(db: Kysely<Database>, c: AppContext): Promise<void> {
  const { tokenHash, subject } = requireSession(c);
  await holdAccount(db, subject.id);
  const standing = db.selectFrom('sessions').select('token_hash').where('token_hash', '=', tokenHash);
  const isEnded = (await standing.executeTakeFirst()) === undefined;
  // SV-106, SV-133: a removed device would begin a request before the rotation, and add a key or remove chats after it.
  if (isEnded) throw new ServerError('signed-out');
}

/** Written before anything is read, so that a rotation of this account is before or after the caller's transaction. */
export async function holdAccount(db: Kysely<Database>, accountId: string): Promise<void> {
  await db
    .updateTable('accounts')
    .set((eb) => ({ last_sequence: eb.ref('last_sequence') }))
    .where('account_id', '=', accountId)
    .execute();
}

/** Who to count for rate limits: a network. Not logged, not stored. */
export function addressOf(c: AppContext): string {
  return networkOf(c.env?.incoming?.socket.remoteAddress ?? 'local');
}

/** @throws ServerError `rate-limited` */
export function spend(rate: RateLimit, key: string, cost = 1): void {
  // SV-20: unlimited tries are what guessing and flooding need.
  if (!rate.take(key, cost)) throw new ServerError('rate-limited');
}
