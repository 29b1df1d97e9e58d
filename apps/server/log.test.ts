import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '@sotto/testkit';
import { createAccount, createTestServer, randomHex } from './fixture-for-testing.ts';
import { createLog, type LogFields } from './log.ts';

test('SV-26 only listed fields with short words or numbers are written', () => {
  const lines: string[] = [];
  const log = createLog(createManualClock(0), (line) => lines.push(line));
  log.write({
    event: 'request',
    status: 200,
    subject: 'ab'.repeat(16),
    route: '/api/records/:recordId',
    code: 'two words',
    method: 'x'.repeat(65),
    durationMs: Number.NaN,
    bytes: '5' as unknown as number,
    body: 'secret',
    password: 'secret',
    count: { toString: () => 'secret' } as unknown as number,
  } as LogFields);
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    time: '1970-01-01T00:00:00.000Z',
    event: 'request',
    status: 200,
    subject: 'abababab',
    route: '/api/records/:recordId',
  });
});

test('SV-26 nothing of a request but its route, status and subject reaches the log', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const recordId = randomHex();
  await account.browser.call('PUT', `/api/records/${recordId}`, new Uint8Array(10));
  await account.browser.call('GET', '/api/records?after=SENTINEL');
  await account.browser.call('GET', '/SENTINEL/path', undefined, { 'user-agent': 'SENTINEL', referer: 'SENTINEL' });
  await account.browser.call('POST', '/api/sign-in/recovery', { SENTINEL: 'SENTINEL' });
  const text = server.log.join('\n');
  for (const secret of [
    'SENTINEL',
    recordId,
    account.accountId,
    account.lookupId,
    account.authenticator,
    account.browser.cookie,
  ]) {
    assert.ok(!text.includes(secret), secret);
  }
  const put = server.log.map((line) => JSON.parse(line)).find((line) => line.method === 'PUT');
  assert.deepEqual(Object.keys(put), ['time', 'event', 'level', 'method', 'route', 'status', 'durationMs', 'subject']);
  assert.equal(put.route, '/api/records/:recordId');
  assert.equal(put.subject, account.accountId.slice(0, 8));
});

test('SV-24 log lines are found by their subject', () => {
  const log = createLog(createManualClock(0), () => undefined);
  log.write({ event: 'a', subject: '11111111aaaa' });
  log.write({ event: 'b' });
  log.write({ event: 'c', subject: '22222222aaaa' });
  assert.equal(log.linesOf('11111111aaaa').length, 1);
  assert.match(log.linesOf('22222222aaaa')[0] ?? '', /"event":"c"/);
});
