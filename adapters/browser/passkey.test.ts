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
