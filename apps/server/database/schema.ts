/**
 * Everything the server holds, as types; `migrations.ts` is the same as SQL. Every table names the account or the guest
 * it belongs to (SV-25), so that the operator's view can show a person all of it. No column can hold text of a chat.
 * Ids and digests are lower-case hex; times are milliseconds since the Unix epoch.
 */
import type { Generated } from 'kysely';

type Bytes = Uint8Array<ArrayBuffer>;

export interface Database {
  migrations: { version: number; name: string; applied_at_ms: number };
  accounts: {
    account_id: string;
    created_at_ms: number;
    last_sequence: Generated<number>;
    record_count: Generated<number>;
    record_bytes: Generated<number>;
    /** The newest epoch: what the headers of its records say. */
    epoch: Generated<number>;
    /** Of the parts of sealed files, finished or not. */
    blob_bytes: Generated<number>;
  };
  /** The epochs that rotations have begun; an account without one is in its first. */
  epochs: {
    account_id: string;
    epoch: number;
    /** The sealed record that holds its statement. */
    record_id: string;
    begun_at_ms: number;
  };
  /** Of removed accounts, for ninety days: so that their other devices learn why they are refused. */
  deleted_accounts: { account_id: string; deleted_at_ms: number };
  guests: { guest_id: string; created_at_ms: number };
  sessions: {
    /** SHA-256 of the cookie's 32 random bytes; the cookie itself is never stored. */
    token_hash: string;
    account_id: string | null;
    guest_id: string | null;
    created_at_ms: number;
    expires_at_ms: number;
  };
  devices: { account_id: string; public_key: Bytes; signed_record: Bytes; created_at_ms: number };
  recoveries: {
    lookup_id: string;
    account_id: string;
    /** SHA-256 of the authenticator that only the recovery code gives. */
    verifier: Bytes;
    created_at_ms: number;
  };
  locks: {
    account_id: string;
    lock_id: string;
    kind: 'passkey-prf' | 'recovery-code' | 'recovery-phrase';
    credential_id: string | null;
    lock: Bytes;
    updated_at_ms: number;
  };
  credentials: {
    credential_id: string;
    account_id: string;
    public_key: Bytes;
    counter: number;
    transports: string;
    created_at_ms: number;
    last_used_at_ms: number | null;
  };
  challenges: {
    challenge_hash: string;
    account_id: string | null;
    purpose: 'register' | 'sign-in' | 'device-sign-in';
    expires_at_ms: number;
  };
  records: {
    account_id: string;
    record_id: string;
    sequence: number;
    /** The sealed envelope, or null once removed. */
    envelope: Bytes | null;
    written_at_ms: number;
  };
  /** Sealed copies of chats that their owner shared by a link; the key is in the link and never came here. */
  shares: {
    share_id: string;
    account_id: string;
    sealed: Bytes;
    created_at_ms: number;
    expires_at_ms: number;
  };
  /** Sealed files: their parts lie in the blob store, and are there for every row of `blob_parts`. */
  blobs: {
    account_id: string;
    blob_id: string;
    /** 1 once the client said that every part was sent; 0 before. */
    committed: number;
    /** Of the last part, then of the commit. */
    written_at_ms: number;
  };
  blob_parts: {
    account_id: string;
    blob_id: string;
    part: number;
    /** SHA-256 of the sealed bytes. */
    digest: string;
    bytes: number;
  };
}
