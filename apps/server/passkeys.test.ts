import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeBase64Url, encodeUtf8, parseBase64Url } from '@sotto/bytes';
import { createSeededRandom, createSoftwareAuthenticator } from '@sotto/testkit';
import {
  createAccount,
  createTestServer,
  ORIGIN,
  randomBase64,
  randomHex,
  type TestAccount,
} from './fixture-for-testing.ts';

const authenticator = (options: { origin?: string; userVerified?: boolean } = {}) =>
  createSoftwareAuthenticator({ origin: ORIGIN, random: createSeededRandom(randomHex()), ...options });

const PRF_INPUT = encodeUtf8('constant');

async function register({ browser }: TestAccount, device: ReturnType<typeof authenticator>) {
  const options = await browser.call('POST', '/api/passkeys/register/options', {});
  const { response } = await device.create(options.json, PRF_INPUT);
  return browser.call('POST', '/api/passkeys/register', response);
}

async function signInWith(
  server: Awaited<ReturnType<typeof createTestServer>>,
  device: ReturnType<typeof authenticator>,
) {
  const browser = server.browser();
  const options = await browser.call('POST', '/api/sign-in/passkey/options', {});
  const { response } = await device.get(options.json, PRF_INPUT);
  return { browser, options, response, answer: await browser.call('POST', '/api/sign-in/passkey', response) };
}

test('SV-15 a passkey is registered and signs in; its lock comes back with the account', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const options = await account.browser.call('POST', '/api/passkeys/register/options', {});
  assert.equal(options.json.rp.id, 'localhost');
  assert.equal(options.json.attestation, 'none');
  assert.equal(options.json.authenticatorSelection.residentKey, 'required');
  assert.equal(options.json.authenticatorSelection.userVerification, 'required');
  assert.equal(parseBase64Url(options.json.challenge).length, 32);

  const device = authenticator();
  const { response } = await device.create(options.json, PRF_INPUT);
  const registered = await account.browser.call('POST', '/api/passkeys/register', response);
  assert.equal(registered.status, 201);
  const { credentialId } = registered.json;
  assert.equal(credentialId, response.id);
  const lock = { kind: 'passkey-prf', lock: randomBase64(120), credentialId };
  assert.equal((await account.browser.call('PUT', `/api/locks/${randomHex()}`, lock)).status, 200);

  const { browser, answer } = await signInWith(server, device);
  assert.deepEqual(answer.json, { accountId: account.accountId });
  const locks = (await browser.call('GET', '/api/locks')).json.locks;
  assert.ok(locks.some((one: { credentialId?: string }) => one.credentialId === credentialId));
});

test('SV-15 an unknown passkey is named as such', async (t) => {
  const server = await createTestServer(t);
  const device = authenticator();
  await device.create({ challenge: 'AAAA', rp: { id: 'localhost' }, user: { id: 'AAAA' } });
  const { answer } = await signInWith(server, device);
  assert.equal(answer.status, 401);
  assert.equal(answer.json.error.code, 'passkey-unknown');
});

test('SV-15 registration refuses another origin, an unverified user and a false attestation', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  for (const device of [authenticator({ origin: 'http://evil.example' }), authenticator({ userVerified: false })]) {
    const answer = await register(account, device);
    assert.equal(answer.status, 401);
    assert.equal(answer.json.error.code, 'passkey-refused');
  }
  const options = await account.browser.call('POST', '/api/passkeys/register/options', {});
  const { response } = await authenticator().create(options.json);
  const attestationObject = encodeBase64Url(packedAttestation(String(response.response.attestationObject)));
  const forged = { ...response, response: { ...response.response, attestationObject } };
  const answer = await account.browser.call('POST', '/api/passkeys/register', forged);
  assert.equal(answer.json.error.code, 'passkey-refused');
  assert.equal((await server.graph.services.db.selectFrom('credentials').selectAll().execute()).length, 0);
});

test('SV-15 signing in refuses a false signature, another origin and an unverified user', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const device = authenticator();
  await register(account, device);
  const browser = server.browser();
  const options = await browser.call('POST', '/api/sign-in/passkey/options', {});
  const { response } = await device.get(options.json);
  const other = await device.get({ ...options.json, challenge: encodeBase64Url(new Uint8Array(32)) });
  const swapped = { ...response, response: { ...response.response, signature: other.response.response.signature } };
  const answer = await browser.call('POST', '/api/sign-in/passkey', swapped);
  assert.equal(answer.status, 401);
  assert.equal(answer.json.error.code, 'passkey-refused');
  assert.equal(browser.cookie, '');
});

test('SV-15 whatever comes instead of an answer is refused and never a failure', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const device = authenticator();
  const { credentialId } = (await register(account, device)).json;
  const { response } = await signInWith(server, device);
  const bodies = [
    {},
    { id: credentialId },
    { id: credentialId, response: null },
    { ...response, response: 7 },
    { ...response, response: { ...response.response, clientDataJSON: 'AAAA' } },
    { ...response, response: { ...response.response, authenticatorData: 'AAAA' } },
    { ...response, response: { ...response.response, signature: [] } },
    { ...response, type: 'password' },
  ];
  for (const body of bodies) {
    const signIn = await server.browser().call('POST', '/api/sign-in/passkey', body);
    assert.ok(signIn.status === 401 || signIn.status === 400, signIn.text);
    const registration = await account.browser.call('POST', '/api/passkeys/register', body);
    assert.ok(registration.status === 401 || registration.status === 400, registration.text);
  }
});

test('SV-16 a challenge works once, for its own purpose and account, and not for long', async (t) => {
  const server = await createTestServer(t, { limits: { challengeMs: 60_000 } });
  const account = await createAccount(server);
  const stranger = await createAccount(server);
  const device = authenticator();
  await register(account, device);

  const { response, options } = await signInWith(server, device);
  const replayed = await server.browser().call('POST', '/api/sign-in/passkey', response);
  assert.equal(replayed.json.error.code, 'challenge-expired');

  const made = await device.get({ ...options.json, challenge: encodeBase64Url(new Uint8Array(32)) });
  const invented = await server.browser().call('POST', '/api/sign-in/passkey', made.response);
  assert.equal(invented.json.error.code, 'challenge-expired');

  const forRegistering = await account.browser.call('POST', '/api/passkeys/register/options', {});
  const misused = await device.get({ challenge: forRegistering.json.challenge, rpId: 'localhost' });
  const answer = await server.browser().call('POST', '/api/sign-in/passkey', misused.response);
  assert.equal(answer.json.error.code, 'challenge-expired');

  const theirs = await stranger.browser.call('POST', '/api/passkeys/register/options', {});
  const crossed = await authenticator().create(theirs.json);
  const registered = await account.browser.call('POST', '/api/passkeys/register', crossed.response);
  assert.equal(registered.json.error.code, 'challenge-expired');

  const late = await server.browser().call('POST', '/api/sign-in/passkey/options', {});
  const answered = await device.get(late.json);
  await server.clock.advance(60_000);
  const expired = await server.browser().call('POST', '/api/sign-in/passkey', answered.response);
  assert.equal(expired.json.error.code, 'challenge-expired');
  assert.equal(expired.json.error.action, 'retry');
});

test('SV-17 a credential is registered once, and a user handle of another account is refused', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const stranger = await createAccount(server);
  const copy = () => createSoftwareAuthenticator({ origin: ORIGIN, random: createSeededRandom('one seed, one id') });
  assert.equal((await register(account, copy())).status, 201);
  const again = await register(stranger, copy());
  assert.equal(again.status, 409);
  assert.equal(again.json.error.code, 'passkey-taken');

  const device = authenticator();
  await register(account, device);
  const browser = server.browser();
  const options = await browser.call('POST', '/api/sign-in/passkey/options', {});
  const { response } = await device.get(options.json);
  for (const userHandle of [encodeBase64Url(Buffer.from(stranger.accountId, 'hex')), '!!', 'AAAA']) {
    const mixed = { ...response, response: { ...response.response, userHandle } };
    const answer = await browser.call('POST', '/api/sign-in/passkey', mixed);
    assert.ok(answer.status === 401 || answer.status === 400, answer.text);
    assert.equal(browser.cookie, '');
  }
});

test('SV-17 the first wrong user handle after a good signature is what is refused', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const stranger = await createAccount(server);
  const device = authenticator();
  await register(account, device);
  const browser = server.browser();
  const options = await browser.call('POST', '/api/sign-in/passkey/options', {});
  const { response } = await device.get(options.json);
  const userHandle = encodeBase64Url(new Uint8Array(Buffer.from(stranger.accountId, 'hex')));
  const mixed = { ...response, response: { ...response.response, userHandle } };
  const answer = await browser.call('POST', '/api/sign-in/passkey', mixed);
  assert.equal(answer.json.error.code, 'passkey-refused');
});

test('SV-21 an account holds a bounded number of passkeys', async (t) => {
  const server = await createTestServer(t, { limits: { credentialsPerAccount: 1 } });
  const account = await createAccount(server);
  assert.equal((await register(account, authenticator())).status, 201);
  const options = await account.browser.call('POST', '/api/passkeys/register/options', {});
  assert.equal(options.json.error.code, 'locks-full');
});

/** The same authenticator data under "packed" self attestation with r = s = 1 for a signature. */
function packedAttestation(noneAttestation: string): Uint8Array {
  const object = parseBase64Url(noneAttestation);
  const head = Buffer.from('a363666d74646e6f6e656761747453746d74a0', 'hex').length;
  const rest = object.slice(head);
  const forged = Buffer.from('a363666d74667061636b65646761747453746d74a263616c672663736967', 'hex');
  const signatureOfNothing = Buffer.from('483006020101020101', 'hex');
  return concatBytes(forged, signatureOfNothing, rest);
}

test('SV-21 options that were asked for beforehand do not go beyond the number', async (t) => {
  const server = await createTestServer(t, { limits: { credentialsPerAccount: 2 } });
  const { browser } = await createAccount(server);
  const asked = [];
  for (let i = 0; i < 4; i++) asked.push((await browser.call('POST', '/api/passkeys/register/options', {})).json);
  const statuses = [];
  for (const options of asked) {
    const { response } = await authenticator().create(options, PRF_INPUT);
    statuses.push((await browser.call('POST', '/api/passkeys/register', response)).status);
  }
  assert.deepEqual(statuses, [201, 201, 409, 409]);
});
