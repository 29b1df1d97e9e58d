/**
 * Sessions: who a cookie is. The cookie is 32 random bytes; the database holds its SHA-256 only, so a copy of the database
 * signs nobody in. Cookies come from browsers and may be anything.
 */
import { BytesError, encodeBase64Url, encodeHex, parseBase64Url } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Clock, Random } from '@sotto/ports';
import type { Kysely } from 'kysely';
import type { Database } from './database/schema.ts';
import type { Site } from './site.ts';

const TOKEN_BYTES = 32;

/** An account or a guest. */
export interface Subject {
  readonly kind: 'account' | 'guest';
  /** 16 bytes as lower-case hex. */
  readonly id: string;
}

export interface Session {
  readonly tokenHash: string;
  readonly subject: Subject;
}

export class Sessions {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lifeMs: number;

  constructor(db: Kysely<Database>, clock: Clock, random: Random, lifeMs: number) {
    this.#db = db;
    this.#clock = clock;
    this.#random = random;
    this.#lifeMs = lifeMs;
  }

  /** @returns the value of the `Set-Cookie` header; the token is held nowhere else */
  async start(subject: Subject, site: Site, db = this.#db): Promise<string> {
    const token = this.#random.bytes(TOKEN_BYTES);
    const nowMs = this.#clock.nowMs();
    await db
      .insertInto('sessions')
      .values({
        token_hash: hashOf(token),
        account_id: subject.kind === 'account' ? subject.id : null,
        guest_id: subject.kind === 'guest' ? subject.id : null,
        created_at_ms: nowMs,
        expires_at_ms: nowMs + this.#lifeMs,
      })
      .execute();
    return cookie(site, encodeBase64Url(token), Math.floor(this.#lifeMs / 1000));
  }

  /** @param cookieHeader the request's whole `Cookie` header */
  async find(cookieHeader: string | undefined, site: Site): Promise<Session | undefined> {
    const token = tokenOf(cookieHeader, site.cookieName);
    if (token === undefined) return undefined;
    const tokenHash = hashOf(token);
    const row = await this.#db
      .selectFrom('sessions')
      .selectAll()
      .where('token_hash', '=', tokenHash)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    // SV-10: a stolen old cookie would open the account for ever.
    if (row.expires_at_ms <= this.#clock.nowMs()) return undefined;
    if (row.account_id !== null) return { tokenHash, subject: { kind: 'account', id: row.account_id } };
    return row.guest_id === null ? undefined : { tokenHash, subject: { kind: 'guest', id: row.guest_id } };
  }

  async end(session: Session): Promise<void> {
    await this.#db.deleteFrom('sessions').where('token_hash', '=', session.tokenHash).execute();
  }

  /** Removes what has expired, and guests that no session can reach any more. */
  async sweep(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    await this.#db.deleteFrom('sessions').where('expires_at_ms', '<=', nowMs).execute();
    await this.#db.deleteFrom('challenges').where('expires_at_ms', '<=', nowMs).execute();
    await this.#db
      .deleteFrom('guests')
      .where('guest_id', 'not in', (sub) =>
        sub.selectFrom('sessions').select('guest_id').where('guest_id', 'is not', null).$castTo<{ guest_id: string }>(),
      )
      .execute();
  }
}

/** The `Set-Cookie` value that makes a browser forget the session. */
export function expiredCookie(site: Site): string {
  return cookie(site, '', 0);
}

function cookie(site: Site, value: string, maxAgeSeconds: number): string {
  const secure = site.secure ? '; Secure' : '';
  return `${site.cookieName}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}

function hashOf(token: Uint8Array): string {
  return encodeHex(sha256(token));
}

function tokenOf(cookieHeader: string | undefined, name: string): Uint8Array | undefined {
  const pair = cookieHeader?.split(';').find((part) => part.trim().startsWith(`${name}=`));
  if (pair === undefined) return undefined;
  try {
    const token = parseBase64Url(pair.trim().slice(name.length + 1));
    return token.length === TOKEN_BYTES ? token : undefined;
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}
