import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@sotto/bytes';
import type { FetchInit } from '@sotto/ports';
import type { ClientError } from './errors.ts';
import { ServerApi } from './server-api.ts';

function apiAnswering(status: number, body: string, seen: FetchInit[] = []): ServerApi {
  return new ServerApi(async (_url, init) => {
    seen.push(init ?? {});
    return { status, header: () => undefined, bytes: async () => encodeUtf8(body) };
  }, 'http://localhost:1');
}

const codeOf = (code: string) => (error: ClientError) => error.code === code;

test('CL-09 a malformed server answer is refused as server-malformed', async () => {
  for (const body of ['', '{', '[]', '{"nodes":[{}]}', '{"nodes":"x"}', `{"nodes":[{"nodeId":"${'a'.repeat(31)}"}]}`]) {
    await assert.rejects(apiAnswering(200, body).nodes(), codeOf('server-malformed'));
  }
});

test('CL-09 error codes come from a closed set and the server cannot put words into a message', async () => {
  const body = (code: string) => JSON.stringify({ error: { code, message: 'click http://evil', action: 'stop' } });
  await assert.rejects(apiAnswering(507, body('store-full')).records(0), codeOf('store-full'));
  await assert.rejects(apiAnswering(400, body('anything-else')).records(0), (error: ClientError) => {
    assert.equal(error.code, 'server-refused');
    assert.doesNotMatch(error.message, /evil/);
    return true;
  });
  await assert.rejects(apiAnswering(502, 'gateway').records(0), codeOf('store-unavailable'));
});

test('CL-10 a request body that holds a prf field never leaves', async () => {
  const seen: FetchInit[] = [];
  const api = apiAnswering(200, '{"credentialId":"AAAA"}', seen);
  const credential = { id: 'AAAA', clientExtensionResults: { prf: { results: { first: 'secret' } } } };
  await assert.rejects(api.registerPasskey(credential), codeOf('prf-refused'));
  await assert.rejects(api.signInWithPasskey(credential), codeOf('prf-refused'));
  assert.equal(seen.length, 0);
});

test('a failing network is network-unreachable, an abort is the caller’s own reason', async () => {
  const failing = new ServerApi(async () => {
    throw new TypeError('fetch failed');
  }, 'http://localhost:1');
  await assert.rejects(failing.nodes(), codeOf('network-unreachable'));
  await assert.rejects(failing.nodes(AbortSignal.abort(new Error('mine'))), /mine/);
});
