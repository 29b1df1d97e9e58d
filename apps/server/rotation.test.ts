/** Rotation, as the server does it (spec/server.md "Rotation"): whole or absent, and what was removed is gone. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { concatBytes, encodeBase64, encodeHex, encodeUtf8, parseBase64 } from '@sotto/bytes';
import { createSeededRandom, createSoftwareAuthenticator } from '@sotto/testkit';
import { createApp } from './app.ts';
import {
  accountRequest,
  createAccount,
  createTestServer,
  ORIGIN,
  randomBase64,
  randomHex,
  type TestAccount,
  type TestServer,
} from './fixture-for-testing.ts';

/** What the server sees of a sealed record: its magic and its epoch. */
function envelope(epoch: number): string {
  const bytes = concatBytes(Uint8Array.of(0x53, 0x56, 0x52, 1), new Uint8Array(252));
  new DataView(bytes.buffer).setUint32(36, epoch);
  return encodeBase64(bytes);
}

const lockIdOf = (account: TestAccount) => encodeHex(parseBase64(account.lookupId));

async function newestSequence({ browser }: TestAccount): Promise<number> {
  return (await browser.call('GET', '/api/records?after=0')).json.nextSequence;
}

async function rotationOf(account: TestAccount, changes: object = {}) {
  const epochRecordId = randomHex();
  return {
    epoch: 2,
    baseSequence: await newestSequence(account),
    epochRecordId,
    locks: [{ lockId: lockIdOf(account), kind: 'recovery-code', lock: randomBase64(200) }],
    credentials: [] as string[],
    devices: [] as string[],
    records: [
      { recordId: epochRecordId, envelope: envelope(2) },
      { recordId: randomHex(), envelope: envelope(1) },
    ],
    ...changes,
  };
}

const rotate = (account: TestAccount, body: object) => account.browser.call('POST', '/api/rotation', body);

async function addPasskey({ browser }: TestAccount): Promise<string> {
  const device = createSoftwareAuthenticator({ origin: ORIGIN, random: createSeededRandom(randomHex()) });
  const options = await browser.call('POST', '/api/passkeys/register/options', {});
  const { response } = await device.create(options.json);
  return (await browser.call('POST', '/api/passkeys/register', response)).json.credentialId;
}

async function tablesOf(server: TestServer): Promise<string> {
  const { db } = server.graph.services;
  const names = ['accounts', 'epochs', 'locks', 'recoveries', 'credentials', 'devices', 'records', 'sessions'] as const;
  return JSON.stringify(await Promise.all(names.map((name) => db.selectFrom(name).selectAll().execute())));
}

test('SV-102 an epoch begins, its locks and records are there, and the next one follows it', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  assert.deepEqual((await account.browser.call('GET', '/api/epoch')).json, { epoch: 1 });
  const body = await rotationOf(account);
  const answer = await rotate(account, body);
  assert.deepEqual([answer.status, answer.json], [200, { epoch: 2 }]);
  const [first] = body.records;
  assert.deepEqual((await account.browser.call('GET', '/api/epoch')).json, { epoch: 2, statement: first });
  assert.deepEqual((await account.browser.call('GET', '/api/locks')).json.locks, body.locks);
  assert.equal((await account.browser.call('GET', '/api/records?after=0')).json.records.length, 2);
  for (const epoch of [1, 2, 4]) {
    const again = await rotate(account, await rotationOf(account, { epoch }));
    assert.equal(again.json.error.code, 'epoch-conflict', String(epoch));
  }
});

test('SV-103 a rotation that has not seen the newest record is refused, and changes nothing', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const body = await rotationOf(account);
  await account.browser.call('PUT', `/api/records/${randomHex()}`, parseBase64(envelope(1)));
  const before = await tablesOf(server);
  assert.equal((await rotate(account, body)).json.error.code, 'record-conflict');
  assert.equal(await tablesOf(server), before);
  assert.equal((await rotate(account, await rotationOf(account))).status, 200);
});

test('SV-101 when one row cannot be written nothing of the rotation is', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const body = await rotationOf(account);
  const before = await tablesOf(server);
  for (const table of ['epochs', 'locks']) {
    server.graph.sqlite.exec(`create trigger refuse before insert on ${table} begin select raise(abort, "no"); end`);
    assert.ok((await rotate(account, body)).status >= 500);
    assert.equal(await tablesOf(server), before, table);
    server.graph.sqlite.exec('drop trigger refuse');
  }
  assert.equal((await rotate(account, body)).status, 200);
});

test('SV-104 look-up, passkey and device of what was removed are gone', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const [kept, removed] = [await addPasskey(account), await addPasskey(account)];
  const recovery = {
    kind: 'recovery-phrase',
    lookupId: randomBase64(16),
    verifier: randomBase64(32),
    lock: randomBase64(90),
  };
  assert.equal((await account.browser.call('POST', '/api/recoveries', recovery)).status, 201);
  const lockId = encodeHex(parseBase64(recovery.lookupId));
  const locks = [{ lockId, kind: 'recovery-phrase', lock: randomBase64(200) }];
  assert.equal((await rotate(account, await rotationOf(account, { locks, credentials: [kept] }))).status, 200);
  const { db } = server.graph.services;
  const rows = async (table: 'credentials' | 'recoveries' | 'devices' | 'locks') =>
    db.selectFrom(table).selectAll().execute();
  assert.deepEqual(
    (await rows('credentials')).map((row) => 'credential_id' in row && row.credential_id),
    [kept],
  );
  assert.notEqual(kept, removed);
  assert.deepEqual(
    (await rows('recoveries')).map((row) => 'lookup_id' in row && row.lookup_id),
    [lockId],
  );
  assert.equal((await rows('devices')).length, 0);
  const { lookupId, authenticator } = account;
  const old = await server.browser().call('POST', '/api/sign-in/recovery', { lookupId, authenticator });
  assert.equal(old.json.error.code, 'recovery-refused');
});

test('SV-104 what a rotation removes while it signs in is not signed in', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const recovery = accountRequest();
  const { lookupId, verifier } = recovery.body.recovery;
  const added = { kind: 'recovery-code', lookupId, verifier, lock: randomBase64(100) };
  assert.equal((await account.browser.call('POST', '/api/recoveries', added)).status, 201);
  const device = createSoftwareAuthenticator({ origin: ORIGIN, random: createSeededRandom(randomHex()) });
  const creation = (await account.browser.call('POST', '/api/passkeys/register/options', {})).json;
  await account.browser.call('POST', '/api/passkeys/register', (await device.create(creation)).response);
  const { sessions } = server.graph.services;
  const end = sessions.end.bind(sessions);
  for (const [epoch, path] of ['/api/sign-in/passkey', '/api/sign-in/recovery'].entries()) {
    const elsewhere = server.browser();
    await elsewhere.call('POST', '/api/guest', {});
    const options = (await elsewhere.call('POST', '/api/sign-in/passkey/options', {})).json;
    const { authenticator } = recovery;
    const proof = epoch === 0 ? (await device.get(options)).response : { lookupId, authenticator };
    const kept = { lockId: encodeHex(parseBase64(lookupId)), kind: 'recovery-code', lock: randomBase64(200) };
    const rotation = await rotationOf(account, { epoch: epoch + 2 });
    if (epoch === 0) rotation.locks.push(kept);
    rotation.records = [{ recordId: rotation.epochRecordId, envelope: envelope(epoch + 2) }];
    // Between the look-up and the new session the guest's own ends.
    sessions.end = async (session) => {
      sessions.end = end;
      assert.equal((await rotate(account, rotation)).status, 200);
      await end(session);
    };
    assert.equal((await elsewhere.call('POST', path, proof)).json.error?.code, 'signed-out', path);
  }
});

test('SV-105 a rotation names its own passkeys alone, and those that remain', async (t) => {
  const server = await createTestServer(t);
  const [account, stranger] = [await createAccount(server), await createAccount(server)];
  const [own, theirs] = [await addPasskey(account), await addPasskey(stranger)];
  const lock = (credentialId: string) => ({
    lockId: randomHex(),
    kind: 'passkey-prf',
    lock: randomBase64(200),
    credentialId,
  });
  for (const changes of [
    { locks: [lock(theirs)], credentials: [theirs] },
    { locks: [lock(own)], credentials: [] },
    { credentials: [theirs] },
  ]) {
    assert.equal((await rotate(account, await rotationOf(account, changes))).json.error.code, 'bad-request');
  }
  assert.equal(
    (await rotate(account, await rotationOf(account, { locks: [lock(own)], credentials: [own] }))).status,
    200,
  );
});

test('SV-106 every other session of the account ends, and nobody else’s', async (t) => {
  const server = await createTestServer(t);
  const [account, stranger] = [await createAccount(server), await createAccount(server)];
  const other = server.browser();
  const { lookupId, authenticator } = account;
  await other.call('POST', '/api/sign-in/recovery', { lookupId, authenticator });
  assert.equal((await other.call('GET', '/api/locks')).status, 200);
  assert.equal((await rotate(account, await rotationOf(account))).status, 200);
  assert.equal((await other.call('GET', '/api/locks')).json.error.code, 'signed-out');
  for (const { browser } of [account, stranger]) assert.equal((await browser.call('GET', '/api/locks')).status, 200);
});

test('SV-106 a request that was begun before the rotation adds no way in after it', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const removed = server.browser();
  const { lookupId, authenticator } = account;
  await removed.call('POST', '/api/sign-in/recovery', { lookupId, authenticator });
  const authenticators = createSoftwareAuthenticator({ origin: ORIGIN, random: createSeededRandom('removed') });
  const options = (await removed.call('POST', '/api/passkeys/register/options', {})).json;
  const passkey = (await authenticators.create(options)).response;
  const lock = randomBase64(200);
  const verifier = randomBase64(32);
  const rotation = await rotationOf(account);
  const bodies: [string, string, object][] = [
    ['POST', '/api/devices', { publicKey: randomBase64(32), record: randomBase64(120) }],
    ['POST', '/api/recoveries', { kind: 'recovery-code', lookupId: randomBase64(16), verifier, lock }],
    ['PUT', `/api/locks/${randomHex()}`, { kind: 'recovery-code', lock }],
    ['POST', '/api/passkeys/register', passkey],
    ['POST', '/api/rotation', { ...rotation, epoch: 3, baseSequence: 2 }],
    ['POST', '/api/account/remove', { recovery: { lookupId, authenticator } }],
  ];
  const app = createApp(server.graph.services);
  const begun = bodies.map(([method, path, body]) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = new ReadableStream({
      async pull(controller) {
        await promise;
        controller.enqueue(encodeUtf8(JSON.stringify(body)));
        controller.close();
      },
    });
    const headers = {
      host: new URL(ORIGIN).host,
      'sotto-client': '1',
      'content-type': 'application/json',
      cookie: removed.cookie,
    };
    const init: RequestInit & { duplex: 'half' } = { method, headers, body: late, duplex: 'half' };
    return { path, resolve, answer: Promise.resolve(app.request(`${ORIGIN}${path}`, init)) };
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await rotate(account, rotation)).status, 200);
  const before = await tablesOf(server);
  for (const { path, resolve, answer } of begun) {
    resolve();
    const { error } = (await (await answer).json()) as { error?: { code: string } };
    assert.equal(error?.code, 'signed-out', path);
    assert.equal(await tablesOf(server), before, path);
  }
});

test('SV-107 a record or lock of an older epoch is refused, one of this epoch and a removal are not', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const put = (epoch: number, recordId = randomHex()) =>
    account.browser.call('PUT', `/api/records/${recordId}`, parseBase64(envelope(epoch)));
  const recordId = randomHex();
  assert.equal((await put(1, recordId)).status, 200);
  assert.equal((await rotate(account, await rotationOf(account))).status, 200);
  assert.equal((await put(1)).json.error.code, 'epoch-stale');
  assert.equal((await put(2)).status, 200);
  assert.equal((await account.browser.call('DELETE', `/api/records/${recordId}`)).status, 200);
  const lock = (epoch: number) => {
    const bytes = concatBytes(Uint8Array.of(0x53, 0x56, 0x4c, 1), new Uint8Array(160));
    new DataView(bytes.buffer).setUint32(37, epoch);
    return { kind: 'recovery-code', lock: encodeBase64(bytes) };
  };
  for (const [epoch, code] of [
    [1, 'epoch-stale'],
    [2, undefined],
  ] as const) {
    const put = await account.browser.call('PUT', `/api/locks/${randomHex()}`, lock(epoch));
    const body = { ...lock(epoch), lookupId: randomBase64(16), verifier: randomBase64(32) };
    const post = await account.browser.call('POST', '/api/recoveries', body);
    assert.deepEqual([put.json.error?.code, post.json.error?.code], [code, code]);
  }
});

test('SV-108 a rotation that leaves no lock is refused', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  assert.equal((await rotate(account, await rotationOf(account, { locks: [] }))).json.error.code, 'bad-request');
  assert.equal((await account.browser.call('GET', '/api/locks')).json.locks.length, 1);
});

test('SV-109 another recovery code signs in to its own account, may be sent again, and is taken over by nobody', async (t) => {
  const server = await createTestServer(t);
  const [account, stranger] = [await createAccount(server), await createAccount(server)];
  const { authenticator, body } = accountRequest();
  const recovery = { kind: 'recovery-code', ...body.recovery, lock: randomBase64(100) };
  for (let round = 0; round < 2; round++) {
    assert.equal((await account.browser.call('POST', '/api/recoveries', recovery)).status, 201);
  }
  assert.equal((await stranger.browser.call('POST', '/api/recoveries', recovery)).json.error.code, 'account-exists');
  const other = { ...recovery, verifier: randomBase64(32) };
  assert.equal((await account.browser.call('POST', '/api/recoveries', other)).json.error.code, 'account-exists');
  const { lookupId } = body.recovery;
  const signedIn = await server.browser().call('POST', '/api/sign-in/recovery', { lookupId, authenticator });
  assert.deepEqual(signedIn.json, { accountId: account.accountId });
  assert.equal((await account.browser.call('GET', '/api/locks')).json.locks.length, 2);
});

test('SV-21 a recovery code counts as a lock', async (t) => {
  const server = await createTestServer(t, { limits: { locksPerAccount: 1 } });
  const account = await createAccount(server);
  const recovery = {
    kind: 'recovery-code',
    lookupId: randomBase64(16),
    verifier: randomBase64(32),
    lock: randomBase64(100),
  };
  assert.equal((await account.browser.call('POST', '/api/recoveries', recovery)).json.error.code, 'locks-full');
});

test('SV-100 how long the answer takes does not tell an unknown code from a wrong one', async (t) => {
  const often = { burst: 1e6, perSecond: 1e6 };
  const server = await createTestServer(t, { limits: { recoveries: often, requests: often } });
  const [known, unknown]: [string[], string[]] = [[], []];
  for (let i = 0; i < 20; i++) {
    known.push((await createAccount(server)).lookupId);
    unknown.push(randomBase64(16));
  }
  const browser = server.browser();
  const ask = async (lookupId: string, delayMs = 0) => {
    const body = JSON.stringify({ lookupId, authenticator: randomBase64(32) });
    const startMs = performance.now();
    await browser.call('POST', '/api/sign-in/recovery', body);
    const end = performance.now() + delayMs;
    while (performance.now() < end);
    return performance.now() - startMs;
  };
  /** Of two that are asked one after the other, what the machine does besides falls on both alike. */
  const compare = async (pairs: number, delayMs: number) => {
    const times: number[] = [];
    let longer = 0;
    for (let i = 0; i < pairs; i++) {
      const one = () => ask(known[i % known.length] as string, delayMs);
      const other = () => ask(unknown[i % unknown.length] as string);
      const [first, second] = i % 2 === 0 ? [await one(), await other()] : [await other(), await one()];
      const [wrong, unheard] = i % 2 === 0 ? [first, second] : [second, first];
      if (wrong > unheard) longer++;
      times.push(unheard);
    }
    // The sign test, in standard deviations from what a coin gives.
    return { distance: (2 * longer - pairs) / Math.sqrt(pairs), medianMs: medianOf(times) };
  };
  const { medianMs } = await compare(200, 0);
  const { distance: equal } = await compare(1200, 0);
  // A busy machine answers slowly: what is planted is a part of what an answer takes there.
  const plantedMs = medianMs / 25;
  const { distance: planted } = await compare(1200, plantedMs);
  t.diagnostic(
    `1,200 pairs: ${equal.toFixed(1)} standard deviations; with ${(plantedMs * 1000).toFixed(0)} µs planted ${planted.toFixed(1)}`,
  );
  assert.ok(planted > 4.5, 'a difference of a twenty-fifth is seen');
  assert.ok(Math.abs(equal) < 4.5, 'and there is none');
});

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
