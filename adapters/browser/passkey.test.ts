import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browserPasskeys, resultOf } from './passkey.ts';

const PRF = new Uint8Array(32).fill(7);
const buffer = (...bytes: number[]) => new Uint8Array(bytes).buffer;

function credential(response: object, extensions: object): PublicKeyCredential {
  return {
    id: 'AQI',
    rawId: buffer(1, 2),
    response,
    getClientExtensionResults: () => extensions,
    toJSON: () => assert.fail('toJSON holds the PRF output'),
  } as unknown as PublicKeyCredential;
}

test('what goes to the server holds no extension result, and the PRF output stands apart', () => {
  const results = { prf: { enabled: true, results: { first: PRF.buffer } }, credProps: { rk: true } };
  const created = resultOf(
    credential({ clientDataJSON: buffer(3), attestationObject: buffer(4), getTransports: () => ['internal'] }, results),
  );
  assert.deepEqual(created.response, {
    id: 'AQI',
    rawId: 'AQI',
    type: 'public-key',
    response: { clientDataJSON: 'Aw', attestationObject: 'BA', transports: ['internal'] },
    clientExtensionResults: {},
  });
  assert.deepEqual(created.prf, PRF);
  const used = resultOf(
    credential(
      { clientDataJSON: buffer(3), authenticatorData: buffer(5), signature: buffer(6), userHandle: null },
      results,
    ),
  );
  assert.deepEqual(used.response.response, { clientDataJSON: 'Aw', authenticatorData: 'BQ', signature: 'Bg' });
  assert.ok(!JSON.stringify([created.response, used.response]).includes('prf'));
});

test('without a whole PRF output there is none', () => {
  for (const extensions of [
    {},
    { prf: {} },
    { prf: { enabled: true } },
    { prf: { results: { first: buffer(1, 2) } } },
  ]) {
    assert.equal(
      resultOf(
        credential({ clientDataJSON: buffer(3), signature: buffer(1), authenticatorData: buffer(1) }, extensions),
      ).prf,
      undefined,
    );
  }
});

test('where there is no navigator.credentials there are no passkeys', async () => {
  assert.equal(browserPasskeys.isAvailable(), false);
  await assert.rejects(browserPasskeys.get({ challenge: 'AA' }, PRF), { code: 'passkey-unavailable' });
});

test('CL-20 the server chooses neither the host of a passkey, nor that nobody is asked for', async (t) => {
  const asked: { publicKey: Record<string, unknown> }[] = [];
  class Credential {}
  const take = async (options: { publicKey: Record<string, unknown> }) => {
    asked.push(options);
    return null;
  };
  const before = ['navigator', 'location', 'PublicKeyCredential'].map(
    (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const,
  );
  t.after(() => {
    for (const [name, descriptor] of before) {
      Reflect.deleteProperty(globalThis, name);
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor);
    }
  });
  const define = (name: string, value: unknown) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  define('PublicKeyCredential', Credential);
  define('location', { hostname: 'chat.example' });
  define('navigator', { credentials: { create: take, get: take } });

  const evil = {
    challenge: 'AA',
    rp: { id: 'example', name: 'x' },
    rpId: 'example',
    user: { id: 'AA', name: 'x', displayName: 'x' },
    userVerification: 'discouraged',
    authenticatorSelection: { userVerification: 'discouraged', residentKey: 'discouraged' },
    extensions: { prf: { eval: { first: new Uint8Array(1) } } },
  };
  await assert.rejects(browserPasskeys.create(evil, PRF), { code: 'passkey-failed' });
  await assert.rejects(browserPasskeys.get(evil, PRF), { code: 'passkey-failed' });
  const [created, used] = asked.map(({ publicKey }) => publicKey);
  assert.deepEqual(created?.rp, { name: 'Sotto', id: 'chat.example' });
  const selection = { residentKey: 'required', requireResidentKey: true, userVerification: 'required' };
  assert.deepEqual(created?.authenticatorSelection, selection);
  assert.deepEqual([used?.rpId, used?.userVerification], ['chat.example', 'required']);
  for (const options of [created, used]) {
    const { prf } = (options?.extensions ?? {}) as { prf?: unknown };
    assert.deepEqual(prf, { eval: { first: PRF } });
  }
});
