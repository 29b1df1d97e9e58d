import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { createTestServer, randomHex } from './fixture-for-testing.ts';
import { parseNodeAddress } from './node-directory.ts';

interface FakeNode {
  readonly baseUrl: string;
  readonly nodeId: string;
  listing: unknown;
  bundle: Uint8Array;
  readonly asked: string[];
  close(): void;
}

async function startNode(t: TestContext): Promise<FakeNode> {
  const http = createServer((request, response) => {
    node.asked.push(request.url ?? '');
    if (request.url === '/node') response.end(JSON.stringify(node.listing));
    else if (request.url?.startsWith('/evidence/')) response.end(node.bundle);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const nodeId = randomHex();
  const bundle = new Uint8Array(500).fill(3);
  const listing = { nodeId, suites: ['sotto-1'], evidenceDigest: encodeHex(sha256(bundle)), epochId: randomHex() };
  const node: FakeNode = {
    baseUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    nodeId,
    listing,
    bundle,
    asked: [],
    close: () => {
      http.close();
      http.closeAllConnections();
    },
  };
  t.after(() => node.close());
  return node;
}

test('SV-30 the directory lists the nodes that answer, as they say it, and only ids that the operator expects', async (t) => {
  const good = await startNode(t);
  const renamed = await startNode(t);
  const odd = await startNode(t);
  odd.listing = { nodeId: 'x' };
  const nodes = [
    { baseUrl: good.baseUrl },
    { baseUrl: renamed.baseUrl, nodeId: randomHex() },
    { baseUrl: odd.baseUrl },
    { baseUrl: 'http://127.0.0.1:9' },
  ];
  const browser = (await createTestServer(t, { nodes })).browser();
  assert.deepEqual((await browser.call('GET', '/api/nodes')).json, { nodes: [good.listing] });
});

test('SV-30 evidence of a node outside the configuration is not fetched', async (t) => {
  const node = await startNode(t);
  const browser = (await createTestServer(t, { nodes: [{ baseUrl: node.baseUrl }] })).browser();
  const digest = encodeHex(sha256(node.bundle));
  const answer = await browser.call('GET', `/api/nodes/${randomHex()}/evidence/${digest}`);
  assert.equal(answer.json.error.code, 'node-unknown');
  for (const path of ['/api/nodes/x/evidence/y', `/api/nodes/${node.nodeId}/evidence/..%2fnode`]) {
    assert.equal((await browser.call('GET', path)).status, 400);
  }
  assert.ok(node.asked.every((path) => path === '/node'));
});

test('SV-37 evidence is handed out only when its digest is the one in the address, and kept', async (t) => {
  const node = await startNode(t);
  const { browser: open } = await createTestServer(t, { nodes: [{ baseUrl: node.baseUrl }] });
  const browser = open();
  const digest = encodeHex(sha256(node.bundle));
  const other = await browser.call('GET', `/api/nodes/${node.nodeId}/evidence/${randomHex(32)}`);
  assert.equal(other.status, 503);
  assert.equal(other.json.error.code, 'node-unavailable');
  assert.notEqual(other.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  const answer = await browser.call('GET', `/api/nodes/${node.nodeId}/evidence/${digest}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.text.length, 500);
  assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  node.close();
  assert.equal((await browser.call('GET', `/api/nodes/${node.nodeId}/evidence/${digest}`)).status, 200);
});

test('SV-35 while no node answers the directory is empty and evidence is unavailable', async (t) => {
  const browser = (await createTestServer(t, { nodes: [{ baseUrl: 'http://127.0.0.1:9' }] })).browser();
  assert.deepEqual((await browser.call('GET', '/api/nodes')).json, { nodes: [] });
  const answer = await browser.call('GET', `/api/nodes/${randomHex()}/evidence/${randomHex(32)}`);
  assert.equal(answer.json.error.code, 'node-unavailable');
});

test('SV-39 a node is named as http or ws address, with its id where wanted', () => {
  const id = randomHex();
  assert.deepEqual(parseNodeAddress('http://127.0.0.1:9000'), { baseUrl: 'http://127.0.0.1:9000' });
  assert.deepEqual(parseNodeAddress('ws://[::1]:9000/channel'), { baseUrl: 'http://[::1]:9000' });
  assert.deepEqual(parseNodeAddress(`${id}=http://node.internal/`), { baseUrl: 'http://node.internal', nodeId: id });
  for (const text of [
    '',
    'localhost:9000',
    'https://x',
    'http://x/path',
    `${id}x=http://x`,
    'http://user@x',
    'http://x?y',
  ]) {
    assert.equal(parseNodeAddress(text), undefined, text);
  }
});
