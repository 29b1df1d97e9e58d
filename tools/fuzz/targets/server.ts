/** The server's HTTP API in this process: whatever is asked, it refuses in its own words and never fails at it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { encodeBase64, encodeUtf8 } from '@sotto/bytes';
import { createManualClock } from '@sotto/testkit';
import { parseErrorAnswer } from '@sotto/wire';
import {
  accountRequest,
  createAccount,
  createTestServer,
  randomBase64,
  randomHex,
  type TestAccount,
  type TestServer,
} from '../../../apps/server/fixture-for-testing.ts';
import { fill, jsonBytes, lossyText } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

const MUCH = { burst: 1e9, perSecond: 1e9 };
/** Without these a run would soon be answered by the rate limits alone. */
const LIMITS = { guests: MUCH, accounts: MUCH, passkeys: MUCH, recoveries: MUCH, recordWrites: MUCH, relayOpens: MUCH };
/** Refusals that stand for a lack of something, and not for a fault. */
const DECLARED = new Set(['store-full', 'node-unavailable', 'web-missing']);

let server: TestServer | undefined;
let account: TestAccount | undefined;
let closers: (() => unknown)[] = [];

async function open(): Promise<TestAccount> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sotto-fuzz-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const context = { after: (close: () => unknown) => closers.push(close) } as unknown as TestContext;
  server = await createTestServer(context, { dataDir: folder, clock: createManualClock(), limits: LIMITS });
  return createAccount(server);
}

/** Line of the request, headers as JSON, body. */
function request(line: string, body?: unknown, headers: Record<string, string> = {}): Input {
  const isBytes = body instanceof Uint8Array;
  const type = { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' };
  const bytes = isBytes ? (body as Uint8Array<ArrayBuffer>) : body === undefined ? fill(0, 0) : jsonBytes(body);
  return [encodeUtf8(line), jsonBytes({ ...(body === undefined ? {} : type), ...headers }), bytes];
}

const credential = {
  id: 'AAEC',
  rawId: 'AAEC',
  type: 'public-key',
  response: {
    clientDataJSON: Buffer.from('{"type":"webauthn.create","challenge":"AAEC","origin":"http://localhost"}').toString(
      'base64url',
    ),
    attestationObject: 'o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUCg',
    authenticatorData: 'AAEC',
    signature: 'AAEC',
    userHandle: 'AAEC',
  },
  clientExtensionResults: {},
};

const requests = (): Input[] => [
  request('GET /api/nodes'),
  request(`GET /api/nodes/${randomHex()}/evidence/${randomHex(32)}`),
  request('POST /api/guest', {}),
  request('POST /api/accounts', accountRequest().body),
  request('POST /api/passkeys/register/options', {}),
  request('POST /api/passkeys/register', credential),
  request('POST /api/sign-in/passkey/options', {}),
  request('POST /api/sign-in/passkey', credential),
  request('POST /api/sign-in/recovery', { lookupId: randomBase64(16), authenticator: randomBase64(32) }),
  request('GET /api/locks'),
  request(`PUT /api/locks/${randomHex()}`, {
    kind: 'passkey-prf',
    lock: encodeBase64(fill(90, 1)),
    credentialId: 'AAEC',
  }),
  request('GET /api/records?after=0'),
  request(`PUT /api/records/${randomHex()}`, fill(300, 1)),
  request(`DELETE /api/records/${randomHex()}`),
  request('GET /api/operator-view'),
  request('GET /api/nothing', undefined, { cookie: 'a=b', origin: 'http://evil.example', 'accept-encoding': 'gzip' }),
  request('GET /assets/index.js', undefined, { range: 'bytes=0-5', 'if-none-match': '"x"' }),
  request('GET /%2e%2e/%2e%2e/etc/passwd'),
];

export const serverTargets: readonly Target[] = [
  {
    name: 'server/http',
    errors: [],
    corpus: requests,
    async run([line, headerJson, body]) {
      account ??= await open();
      const [method = '', target = '/'] = lossyText(line).split(' ');
      let answer: Awaited<ReturnType<TestAccount['browser']['call']>>;
      try {
        const isEmpty = method === 'GET' || method === 'HEAD' || body === undefined || body.length === 0;
        const headers = textFields(headerJson);
        const sent = isEmpty ? undefined : body;
        answer = await account.browser.call(method, target.startsWith('/') ? target : `/${target}`, sent, headers);
      } catch (error) {
        // The request cannot even be written: no such method, header or address.
        if (error instanceof TypeError) return 'not-http';
        throw error;
      }
      const { status, json, text } = answer;
      if (status < 400) return undefined;
      if (!target.startsWith('/api/') || method === 'HEAD' || text === '') {
        insist(status < 500 || DECLARED.has(json?.error?.code), `status ${status}`);
        return `${status}`;
      }
      const { code } = parseErrorAnswer(json).error;
      // It signed out, or in to something that it may not: the next request is an account's again.
      if (code === 'signed-out' || code === 'account-required') account = await createAccount(server as TestServer);
      insist(status < 500 || DECLARED.has(code), `the server failed: ${status} ${code}`);
      return `${status} ${code}`;
    },
    async close() {
      for (const close of closers.toReversed()) await close();
      [server, account, closers] = [undefined, undefined, []];
    },
  },
];

function textFields(json: Uint8Array | undefined): Record<string, string> {
  try {
    const fields = Object.entries(JSON.parse(lossyText(json)) as Record<string, unknown>);
    return Object.fromEntries(fields.filter((field): field is [string, string] => typeof field[1] === 'string'));
  } catch {
    return {};
  }
}
