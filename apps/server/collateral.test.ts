/** What vendors publish, through the server, with a vendor of the test's own on this machine (spec/server.md §collateral). */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeBase64, encodeBase64Url, encodeUtf8 } from '@sotto/bytes';
import { COLLATERAL_LIMIT_BYTES, parseCollateralAnswer } from '@sotto/wire';
import { questionOf, VENDOR_ORIGINS } from './collateral/sources.ts';
import { createTestServer, temporaryFolder } from './fixture-for-testing.ts';
import { parseFlags } from './flags.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const CHAIN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

/** A vendor whose answers the test chooses. */
async function createVendor(t: TestContext) {
  const asked: Asked[] = [];
  let answer = (_: Asked, response: ServerResponse): void => {
    response.setHeader('TCB-Info-Issuer-Chain', encodeURIComponent(CHAIN));
    response.end('{"tcbInfo":{}}');
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, headers, body: Buffer.concat(parts) });
      answer(asked.at(-1) as Asked, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const origins = { intel: origin, intelCertificates: origin, amd: origin, nvidiaRim: origin, nvidiaOcsp: origin };
  return { asked, origins, answerWith: (next: typeof answer) => (answer = next) };
}

async function createOnline(t: TestContext, limits = {}) {
  const vendor = await createVendor(t);
  const server = await createTestServer(t, { collateral: { kind: 'online', origins: vendor.origins }, limits });
  const ask = (path: string) => server.browser().call('GET', `/api/collateral/${path}`);
  return { ...vendor, server, ask };
}

const TCB = 'intel/tcb/b0c06f000000';
const chipId = 'ab'.repeat(64);

test('SV-50 a question names one thing by its id, and leads to one fixed address', () => {
  const url = (path: string) => questionOf(path, VENDOR_ORIGINS)?.url;
  assert.equal(url(TCB), 'https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=b0c06f000000');
  assert.equal(url('intel/qe-identity'), 'https://api.trustedservices.intel.com/tdx/certification/v4/qe/identity');
  assert.equal(
    url('intel/pck-crl/platform'),
    'https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
  );
  assert.equal(url('intel/root-crl'), 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der');
  assert.equal(
    url(`amd/vcek/Genoa/${chipId}/10-0-23-84`),
    `https://kdsintf.amd.com/vcek/v1/Genoa/${chipId}?blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84`,
  );
  assert.equal(
    url('amd/vcek/Turin/00112233aabbccdd/1-2-3-4-5'),
    'https://kdsintf.amd.com/vcek/v1/Turin/00112233aabbccdd?blSPL=1&teeSPL=2&snpSPL=3&ucodeSPL=4&fmcSPL=5',
  );
  assert.equal(url('amd/vlek-chain/Milan'), 'https://kdsintf.amd.com/vlek/v1/Milan/cert_chain');
  assert.equal(url('amd/vcek-crl/Turin'), 'https://kdsintf.amd.com/vcek/v1/Turin/crl');
  const rim = 'NV_GPU_DRIVER_GH100_550.144.03';
  assert.equal(url(`nvidia/rim/${rim}`), `https://rim.attestation.nvidia.com/v1/rim/${rim}`);
  const question = encodeUtf8('x'.repeat(60));
  const ocsp = questionOf(`nvidia/ocsp/${encodeBase64Url(question)}`, VENDOR_ORIGINS);
  assert.deepEqual([ocsp?.url, ocsp?.body], ['https://ocsp.ndis.nvidia.com/', question]);
});

const NO_QUESTIONS = [
  '',
  'intel',
  'intel/tcb/',
  'intel/tcb/B0C06F000000',
  'intel/tcb/b0c06f0000000',
  'intel/tcb/b0c06f00000&x',
  'intel/pck-crl/root',
  'intel/root-crl/x',
  'amd/vcek/Naples/00112233aabbccdd/1-2-3-4',
  'amd/vcek/Genoa/00112233aabbccdd/1-2-3-4',
  `amd/vcek/Genoa/${chipId}/1-2-3-256`,
  `amd/vcek/Genoa/${chipId}/1-2-3-4-5`,
  'amd/vcek/Turin/00112233aabbccdd/1-2-3-4',
  'nvidia/rim/../../../etc/passwd',
  'nvidia/rim/NV..RIM',
  'nvidia/rim/nv_lower',
  'nvidia/rim/A@evil.example',
  'nvidia/rim/%2e%2e',
  `nvidia/ocsp/${'A'.repeat(39)}`,
  `nvidia/ocsp/${'_'.repeat(41)}B`,
  `nvidia/ocsp/${'A'.repeat(700)}`,
  'http://evil.example/',
];

test('SV-50 every other path is not there, and nobody is asked', async (t) => {
  const { ask, asked } = await createOnline(t);
  for (const path of NO_QUESTIONS) {
    const { status, json } = await ask(path);
    assert.deepEqual([status, json?.error?.code], [404, 'not-found'], path);
  }
  assert.deepEqual(asked, []);
});

test('SV-51 nothing of a request but the id reaches the vendor', async (t) => {
  const { server, ask, asked } = await createOnline(t);
  const browser = server.browser();
  await browser.call('POST', '/api/guest');
  assert.notEqual(browser.cookie, '');
  const headers = { 'x-secret': 'secret', referer: 'http://localhost/private', 'user-agent': 'secret agent' };
  const answer = await browser.call('GET', `/api/collateral/${TCB}?secret=1`, undefined, headers);
  assert.equal(answer.status, 200);
  const [{ method, url, headers: sent, body }] = asked as [Asked];
  assert.deepEqual([method, url, body.length], ['GET', '/tdx/certification/v4/tcb?fmspc=b0c06f000000', 0]);
  assert.equal(JSON.stringify(sent).includes('secret'), false);
  assert.deepEqual([sent.cookie, sent.referer, sent.origin], [undefined, undefined, undefined]);
  const question = encodeUtf8('y'.repeat(60));
  await ask(`nvidia/ocsp/${encodeBase64Url(question)}`);
  const { method: post, body: posted, headers: types } = asked[1] as Asked;
  assert.deepEqual([post, types['content-type']], ['POST', 'application/ocsp-request']);
  assert.deepEqual(new Uint8Array(posted), question);
});

test('SV-52 the vendor’s answer comes as it is, with the chain of its signer', async (t) => {
  const { ask, server } = await createOnline(t);
  const { status, json } = await ask(TCB);
  assert.equal(status, 200);
  const { body, issuerChainPem, fetchedAtMs } = parseCollateralAnswer(json);
  assert.deepEqual([body, issuerChainPem], [encodeBase64(encodeUtf8('{"tcbInfo":{}}')), CHAIN]);
  assert.equal(fetchedAtMs, server.clock.nowMs());
});

test('SV-52 a vendor that answers badly is not there', async (t) => {
  const { ask, answerWith } = await createOnline(t);
  const answers: Record<string, (asked: Asked, response: ServerResponse) => void> = {
    'no chain': (_, response) => response.end('{}'),
    'a chain that is no text': (_, response) => response.setHeader('TCB-Info-Issuer-Chain', '%E0%A4%A').end('{}'),
    'a long chain': (_, response) => response.setHeader('TCB-Info-Issuer-Chain', 'A'.repeat(16_385)).end('{}'),
    'not found': (_, response) => response.writeHead(404, { 'tcb-info-issuer-chain': 'AAAA' }).end('{}'),
    'no content': (_, response) => response.writeHead(200, { 'tcb-info-issuer-chain': 'AAAA' }).end(),
    'a redirect': (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
    'too much': (_, response) => {
      response.setHeader('TCB-Info-Issuer-Chain', encodeURIComponent(CHAIN));
      response.end(Buffer.alloc(COLLATERAL_LIMIT_BYTES + 1));
    },
    'cut off': (_, response) => void response.socket?.destroy(),
  };
  for (const [name, answer] of Object.entries(answers)) {
    answerWith(answer);
    const { status, json } = await ask(TCB);
    assert.deepEqual([status, json.error.code], [503, 'collateral-unavailable'], name);
  }
});

test('SV-53 one answer serves many, for its time; then it is asked for again', async (t) => {
  const { ask, asked, server } = await createOnline(t);
  const both = await Promise.all([ask(TCB), ask(TCB)]);
  assert.deepEqual([both[0].text, asked.length], [both[1].text, 1]);
  await server.clock.advance(3_599_000);
  await ask(TCB);
  assert.equal(asked.length, 1);
  await server.clock.advance(2000);
  await ask(TCB);
  assert.equal(asked.length, 2);
});

test('SV-53 while the vendor is away its last answer is handed out, for a week', async (t) => {
  const { ask, answerWith, server } = await createOnline(t);
  const first = await ask(TCB);
  answerWith((_, response) => response.writeHead(500).end('x'));
  await server.clock.advance(6 * 24 * 3_600_000);
  assert.equal((await ask(TCB)).text, first.text);
  await server.clock.advance(2 * 24 * 3_600_000);
  assert.equal((await ask(TCB)).json.error.code, 'collateral-unavailable');
});

test('SV-54 what is kept has a limit, and the longest unused goes first', async (t) => {
  const limits = { collateral: { burst: 1000, perSecond: 1000 }, collateralBytes: 10_000 };
  const { ask, asked, answerWith } = await createOnline(t, limits);
  answerWith((_, response) => response.end(Buffer.alloc(1000)));
  const rim = (index: number) => ask(`nvidia/rim/RIM_${index}`);
  for (let index = 1; index <= 10; index++) {
    await rim(0);
    await rim(index);
  }
  assert.equal(asked.length, 11);
  await rim(0);
  await rim(10);
  assert.equal(asked.length, 11);
  await rim(1);
  assert.equal(asked.length, 12);
});

test('SV-55 a folder answers by itself, and nobody is asked', async (t) => {
  const folder = await temporaryFolder(t);
  const server = await createTestServer(t, { collateral: { kind: 'folder', folder } });
  const ask = (path: string) => server.browser().call('GET', `/api/collateral/${path}`);
  const put = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, `${path}.json`), text);
  };
  await put(TCB, JSON.stringify({ body: 'AAAA', fetchedAtMs: 5, issuerChainPem: CHAIN }));
  assert.equal((await ask(TCB)).json.body, 'AAAA');
  await put('intel/qe-identity', '{"body":"*"}');
  await put('amd/vcek-crl/Genoa', 'x'.repeat(2 * COLLATERAL_LIMIT_BYTES + 1));
  await writeFile(join(folder, 'secret.json'), JSON.stringify({ body: 'AAAA', fetchedAtMs: 5 }));
  for (const path of ['intel/qe-identity', 'amd/vcek-crl/Genoa', 'intel/root-crl']) {
    assert.equal((await ask(path)).json.error.code, 'collateral-unavailable', path);
  }
  for (const path of ['secret', '../secret', 'nvidia/rim/../../secret'])
    assert.equal((await ask(path)).status, 404, path);
});

test('SV-56 a server that nobody told to asks no vendor', async (t) => {
  const server = await createTestServer(t);
  const { status, json } = await server.browser().call('GET', `/api/collateral/${TCB}`);
  assert.deepEqual([status, json.error.code], [404, 'collateral-off']);
  const needed = ['--data', 'd', '--web', 'w'];
  assert.equal(parseFlags(needed).collateral, undefined);
  assert.deepEqual(parseFlags([...needed, '--collateral', 'online']).collateral, { kind: 'online' });
  assert.deepEqual(parseFlags([...needed, '--collateral', 'x/y']).collateral, { kind: 'folder', folder: 'x/y' });
});

test('SV-20 questions about collateral are limited by address', async (t) => {
  const { ask } = await createOnline(t, { collateral: { burst: 3, perSecond: 0.001 } });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await ask(TCB)).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
});
