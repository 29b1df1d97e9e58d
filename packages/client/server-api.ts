/**
 * The server's HTTP API as typed calls. The server is not trusted: every answer is parsed in full, and its error codes
 * come from a closed set (spec/client.md CL-09, spec/server.md).
 */
import { parseBase64 } from '@sotto/bytes';
import type { Fetch, FetchInit, FetchResponse, RecordPage } from '@sotto/ports';
import {
  type BatchAnswer,
  type BatchWrite,
  type CreateAccountRequest,
  type DeviceRequest,
  type DeviceSignInRequest,
  type EpochAnswer,
  encodeRecordBatch,
  type LockRequest,
  type LocksAnswer,
  type NodeListing,
  type PasskeysAnswer,
  parseAccountAnswer,
  parseBatchAnswer,
  parseDeviceOptionsAnswer,
  parseEpochAnswer,
  parseErrorAnswer,
  parseGuestAnswer,
  parseJson,
  parseLocksAnswer,
  parseNodesAnswer,
  parsePasskeyAnswer,
  parsePasskeyOptions,
  parsePasskeysAnswer,
  parseRecordIndex,
  parseRecordPage,
  parseRecordsAnswer,
  parseSequenceAnswer,
  type RecordBulkPage,
  type RecordIndexPage,
  type RecoveryRequest,
  type RecoverySignInRequest,
  type RemoveAccountRequest,
  type RotationRequest,
  SHARE_LIMIT_BYTES,
} from '@sotto/wire';
import { ClientError, isClientErrorCode } from './errors.ts';

/** A page of records, a list of locks, an operator's view: nothing the server says is longer. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

type PasskeyOptions = Readonly<Record<string, unknown>>;

export interface SigningAccount {
  /** 32 hex digits. */
  readonly accountId: string;
  readonly signIn: () => Promise<void>;
}

export class ServerApi {
  readonly #fetch: Fetch;
  readonly #baseUrl: string;
  #account: SigningAccount | undefined;
  #signingIn: Promise<void> | undefined;
  /** This visit ended its session: asking with it first would only be refused. */
  #isSignedOut = false;

  /** @param baseUrl origin of the server, without a path */
  constructor(fetch: Fetch, baseUrl: string) {
    this.#fetch = fetch;
    this.#baseUrl = baseUrl;
  }

  /** As a browser spells it. */
  get origin(): string {
    return this.#baseUrl;
  }

  /**
   * The account that is open, and how it signs in by itself: every request says for whom it is, and one that is refused for
   * want of a session is tried once more. Undefined when the account is locked.
   */
  signsInWith(account: SigningAccount | undefined): void {
    this.#account = account;
  }

  /** Signs in as `signsInWith` says; several that ask at once share one try. @throws ClientError `signed-out` where nothing was said */
  signInAgain(): Promise<void> {
    if (this.#account === undefined) return Promise.reject(new ClientError('signed-out'));
    this.#signingIn ??= this.#account
      .signIn()
      .then(() => {
        this.#isSignedOut = false;
      })
      .finally(() => {
        this.#signingIn = undefined;
      });
    return this.#signingIn;
  }

  /** The network for what speaks its own protocol (files): for the open account, and signing in by itself, as every call here. */
  readonly fetch: Fetch = async (url, init = {}) => {
    const ask = () => this.#fetch(url, { ...init, headers: { ...init.headers, ...this.#forWhom() } });
    const response = await ask();
    const wantsAccount = response.status === 401 || response.status === 403;
    if (!wantsAccount || this.#account === undefined) return response;
    return this.signInAgain().then(ask, () => response);
  };

  /** SV-113: a session of another account, left over in this browser, must not be taken for ours. */
  #forWhom(): Readonly<Record<string, string>> {
    return this.#account === undefined ? {} : { 'sotto-account': this.#account.accountId };
  }

  async nodes(signal?: AbortSignal): Promise<readonly NodeListing[]> {
    return parsed(parseNodesAnswer, await this.#json('GET', '/api/nodes', undefined, signal)).nodes;
  }

  /** The evidence bundle with this digest as the server keeps it; whether it is the right one is the caller's to check. */
  async evidence(
    nodeId: string,
    digest: string,
    limitBytes: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#send('GET', `/api/nodes/${nodeId}/evidence/${digest}`, undefined, signal);
    const bytes = await response.bytes();
    if (bytes.length > limitBytes) throw new ClientError('server-malformed');
    return bytes;
  }

  /** The relay asks for a session: keeps the one there is, or opens an anonymous one. */
  async ensureSession(signal?: AbortSignal): Promise<void> {
    let answer = await this.#json('POST', '/api/guest', {}, signal);
    if (this.#account !== undefined && accountOf(answer) !== this.#account.accountId) {
      // A guest's session would end, and its line with it, when the account signs in a moment later.
      await this.signInAgain().catch(() => {});
      answer = await this.#json('POST', '/api/guest', {}, signal);
    }
    if (accountOf(answer) === undefined) parsed(parseGuestAnswer, answer);
  }

  async createAccount(request: CreateAccountRequest): Promise<void> {
    parsed(parseAccountAnswer, await this.#json('POST', '/api/accounts', request));
  }

  async passkeyCreationOptions(): Promise<PasskeyOptions> {
    return parsed(parsePasskeyOptions, await this.#json('POST', '/api/passkeys/register/options', {}));
  }

  async registerPasskey(credential: object): Promise<string> {
    return parsed(parsePasskeyAnswer, await this.#json('POST', '/api/passkeys/register', credential)).credentialId;
  }

  async passkeyRequestOptions(): Promise<PasskeyOptions> {
    return parsed(parsePasskeyOptions, await this.#json('POST', '/api/sign-in/passkey/options', {}));
  }

  /** @returns the account id the server signed in, 32 hex digits */
  async signInWithPasskey(credential: object): Promise<string> {
    return parsed(parseAccountAnswer, await this.#json('POST', '/api/sign-in/passkey', credential)).accountId;
  }

  /** @throws ClientError `recovery-refused` (the same for an unknown code and a wrong one), `rate-limited` */
  async signInWithRecovery(request: RecoverySignInRequest): Promise<string> {
    return parsed(parseAccountAnswer, await this.#json('POST', '/api/sign-in/recovery', request)).accountId;
  }

  /** @throws ClientError `shares-full`, `account-required` */
  async putShare(shareId: string, days: number, sealed: Uint8Array<ArrayBuffer>): Promise<void> {
    await readJson(await this.#send('PUT', `/api/shares/${shareId}?days=${days}`, sealed));
  }

  async removeShare(shareId: string): Promise<void> {
    await this.#json('DELETE', `/api/shares/${shareId}`);
  }

  /** A sealed copy, as whoever has its link. @throws ClientError `share-unknown` */
  async share(shareId: string): Promise<Uint8Array<ArrayBuffer>> {
    const sealed = await this.#bytes('GET', `/api/shares/${shareId}`);
    // More than a copy can be is not used.
    if (sealed.length > SHARE_LIMIT_BYTES) throw new ClientError('server-malformed');
    return sealed;
  }

  /** @throws ClientError `recovery-refused`, `passkey-unknown`, `passkey-refused`, `account-deleted` */
  async removeAccount(proof: RemoveAccountRequest): Promise<void> {
    parsed(parseAccountAnswer, await this.#json('POST', '/api/account/remove', proof));
  }

  /** @returns 32 bytes, base64 */
  async deviceChallenge(): Promise<string> {
    return parsed(parseDeviceOptionsAnswer, await this.#json('POST', '/api/sign-in/device/options', {})).challenge;
  }

  /** @throws ClientError `device-refused` for a device that is not, or no longer, of the account */
  async signInWithDevice(request: DeviceSignInRequest): Promise<string> {
    return parsed(parseAccountAnswer, await this.#json('POST', '/api/sign-in/device', request)).accountId;
  }

  /** @throws ClientError `devices-full` */
  async registerDevice(request: DeviceRequest): Promise<void> {
    await this.#json('POST', '/api/devices', request);
  }

  async signOut(): Promise<void> {
    await this.#send('POST', '/api/sign-out', '{}');
    this.#isSignedOut = true;
  }

  async locks(): Promise<LocksAnswer> {
    return parsed(parseLocksAnswer, await this.#json('GET', '/api/locks'));
  }

  async putLock(lockId: string, request: LockRequest): Promise<void> {
    await this.#send('PUT', `/api/locks/${lockId}`, JSON.stringify(request));
  }

  /** The newest epoch and its statement. */
  async epoch(): Promise<EpochAnswer> {
    return parsed(parseEpochAnswer, await this.#json('GET', '/api/epoch'));
  }

  /** @throws ClientError `epoch-conflict`, `record-conflict`: another device was quicker, and nothing was done */
  async rotate(request: RotationRequest): Promise<void> {
    parsed(parseEpochAnswer, await this.#json('POST', '/api/rotation', request));
  }

  /** @throws ClientError `account-exists`, `locks-full` */
  async addRecovery(request: RecoveryRequest): Promise<void> {
    await this.#json('POST', '/api/recoveries', request);
  }

  /** Those that sign in to this account. */
  async passkeys(): Promise<PasskeysAnswer['passkeys']> {
    return parsed(parsePasskeysAnswer, await this.#json('GET', '/api/passkeys')).passkeys;
  }

  async records(afterSequence: number): Promise<RecordPage> {
    const page = parsed(parseRecordsAnswer, await this.#json('GET', `/api/records?after=${afterSequence}`));
    return {
      ...page,
      records: page.records.map((record) => ({
        recordId: record.recordId,
        sequence: record.sequence,
        envelope: record.envelope === null ? undefined : parseBase64(record.envelope),
      })),
    };
  }

  async putRecord(recordId: string, envelope: Uint8Array<ArrayBuffer>): Promise<{ readonly sequence: number }> {
    const response = await this.#send('PUT', `/api/records/${recordId}`, envelope);
    return parsed(parseSequenceAnswer, await readJson(response));
  }

  async removeRecord(recordId: string): Promise<{ readonly sequence: number }> {
    return parsed(parseSequenceAnswer, await this.#json('DELETE', `/api/records/${recordId}`));
  }

  /** Many records at once, as bytes (spec/wire.md "Records"). */
  async recordPage(afterSequence: number, signal?: AbortSignal): Promise<RecordBulkPage> {
    return parsed(parseRecordPage, await this.#bytes('GET', `/api/records/bulk?after=${afterSequence}`, signal));
  }

  /** @param afterRecordId empty to begin */
  async recordIndex(afterRecordId: string, signal?: AbortSignal): Promise<RecordIndexPage> {
    return parsed(parseRecordIndex, await this.#bytes('GET', `/api/records/index?after=${afterRecordId}`, signal));
  }

  async sendRecords(writes: readonly BatchWrite[], signal?: AbortSignal): Promise<BatchAnswer> {
    const response = await this.#send('POST', '/api/records/batch', encodeRecordBatch(writes), signal);
    return parsed(parseBatchAnswer, await readJson(response));
  }

  /** Everything the server holds of this session, as it stands in its own tables: shown to the person, never used. */
  operatorView(): Promise<unknown> {
    return this.#json('GET', '/api/operator-view');
  }

  async #json(method: string, path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body, refusePrf);
    return readJson(await this.#send(method, path, text, signal));
  }

  async #bytes(method: string, path: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#send(method, path, undefined, signal);
    try {
      return await response.bytes();
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ClientError('network-unreachable', { cause });
    }
  }

  async #send(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    signal?: AbortSignal,
    isRetry = false,
  ): Promise<FetchResponse> {
    const type = typeof body === 'string' ? 'application/json' : 'application/octet-stream';
    const startsSession = STARTS_SESSION.test(path);
    if (this.#isSignedOut && this.#account !== undefined && !startsSession) await this.signInAgain().catch(() => {});
    const init: FetchInit = {
      method,
      headers: {
        'sotto-client': '1',
        ...(body === undefined ? {} : { 'content-type': type }),
        ...(startsSession ? {} : this.#forWhom()),
      },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    };
    let response: FetchResponse;
    try {
      response = await this.#fetch(this.#baseUrl + path, init);
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ClientError('network-unreachable', { cause });
    }
    if (response.status < 400) return response;
    const refusal = await refusalOf(response);
    if (this.#account === undefined || isRetry || startsSession || !WANTS_ACCOUNT.has(refusal.code)) throw refusal;
    try {
      await this.signInAgain();
    } catch (cause) {
      // A device that was removed is signed out for good, and need not ask again with every request.
      const isRefused = cause instanceof ClientError && cause.code === 'device-refused';
      if (isRefused) this.#account = undefined;
      throw isRefused ? refusal : cause;
    }
    return this.#send(method, path, body, signal, true);
  }
}

/** The session is gone, or is a guest's: the account was opened without the server. */
const WANTS_ACCOUNT = new Set<string>(['signed-out', 'account-required']);

/** What starts a session or ends one is for whoever it says itself. */
const STARTS_SESSION = /^\/api\/(?:sign-in\/|sign-out$|guest$|accounts$|nodes)/;

function accountOf(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'accountId' in answer ? answer.accountId : undefined;
}

/** CL-10: `credential.toJSON()` and its kind carry the passkey's secret output under this name. */
function refusePrf(name: string, value: unknown): unknown {
  // CL-10: the output of a passkey's PRF opens the account; in a request body the server would have it.
  if (name === 'prf') throw new ClientError('prf-refused', { rule: 'CL-10' });
  return value;
}

export async function readJson(response: FetchResponse): Promise<unknown> {
  const bytes = await response.bytes();
  return parsed((value: Uint8Array) => parseJson(value, ANSWER_LIMIT_BYTES), bytes);
}

/** Runs a wire parser on a server's answer and turns its error into ours (CL-09). */
export function parsed<In, Out>(parse: (value: In) => Out, value: In): Out {
  try {
    return parse(value);
  } catch (cause) {
    throw new ClientError('server-malformed', { cause, rule: 'CL-09' });
  }
}

export async function refusalOf(response: FetchResponse): Promise<ClientError> {
  let code: string;
  try {
    code = parseErrorAnswer(parseJson(await response.bytes(), 65_536)).error.code;
  } catch {
    return new ClientError(response.status >= 500 ? 'store-unavailable' : 'server-refused', { rule: 'CL-09' });
  }
  return new ClientError(isClientErrorCode(code) ? code : 'server-refused', { rule: 'CL-09' });
}
