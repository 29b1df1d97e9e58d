import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccount, createTestServer, randomHex } from './fixture-for-testing.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const code = (answer: { json?: { error?: { code?: string } } }) => answer.json?.error?.code;

test('SV-115 a mailbox has eight slots of 1 to 2,048 bytes under an id of 16 bytes, and nothing else', async (t) => {
  const server = await createTestServer(t);
  const browser = server.browser();
  const id = randomHex();
  for (let slot = 0; slot < 8; slot++) {
    assert.equal(
      (await browser.call('PUT', `/api/links/${id}/${slot}`, new Uint8Array(2048).fill(slot + 1))).status,
      204,
    );
  }
  const read = await browser.call('GET', `/api/links/${id}/3`);
  assert.equal(read.status, 200);
  assert.equal(read.text, '\u0004'.repeat(2048));
  for (const path of [`${id}/8`, `${id}/10`, `${id}/x`, `${id}/-1`, 'ab/0', `${id.toUpperCase()}x/0`, `${id}00/0`]) {
    assert.equal(code(await browser.call('PUT', `/api/links/${path}`, bytes('x'))), 'bad-request', path);
    assert.equal(code(await browser.call('GET', `/api/links/${path}`)), 'bad-request', path);
  }
  const other = randomHex();
  assert.equal(code(await browser.call('PUT', `/api/links/${other}/0`, new Uint8Array(2049))), 'too-large');
  assert.equal(code(await browser.call('PUT', `/api/links/${other}/0`, new Uint8Array(0))), 'bad-request');
  assert.equal((await browser.call('GET', `/api/links/${other}/0`)).status, 204);
});

test('SV-116 a slot is written once, also by who wrote it', async (t) => {
  const server = await createTestServer(t);
  const [first, second] = [server.browser(), server.browser()];
  const path = `/api/links/${randomHex()}/0`;
  assert.equal((await first.call('PUT', path, bytes('one'))).status, 204);
  for (const who of [second, first]) {
    const answer = await who.call('PUT', path, bytes('two'));
    assert.equal(answer.status, 409);
    assert.equal(code(answer), 'link-taken');
  }
  assert.equal((await second.call('GET', path)).text, 'one');
});

test('SV-117 a mailbox that was ended gives nothing and takes nothing; after ten minutes it is gone by itself', async (t) => {
  const server = await createTestServer(t);
  const browser = server.browser();
  const id = randomHex();
  await browser.call('PUT', `/api/links/${id}/0`, bytes('one'));
  assert.equal((await browser.call('DELETE', `/api/links/${id}`)).status, 204);
  for (const answer of [
    await browser.call('GET', `/api/links/${id}/0`),
    await browser.call('PUT', `/api/links/${id}/1`, bytes('two')),
  ]) {
    assert.equal(answer.status, 410);
    assert.equal(code(answer), 'link-ended');
  }
  const late = randomHex();
  await browser.call('PUT', `/api/links/${late}/0`, bytes('one'));
  await server.clock.advance(10 * 60_000 - 1);
  assert.equal((await browser.call('GET', `/api/links/${late}/0`)).text, 'one');
  await server.clock.advance(1);
  assert.equal((await browser.call('GET', `/api/links/${late}/0`)).status, 204);
  // Ending what is not there tells nothing.
  assert.equal((await browser.call('DELETE', `/api/links/${randomHex()}`)).status, 204);
});

test('SV-138 a few that fill every mailbox keep nobody from linking, and put nobody out who has one', async (t) => {
  const limits = { links: 12, linkWrites: { burst: 1000, perSecond: 0 } };
  const server = await createTestServer(t, { limits });
  const open = async (address: string, id = randomHex()) =>
    code(await server.browser(address).call('PUT', `/api/links/${id}/0`, bytes(address)));
  const first = randomHex();
  assert.equal(await open('192.0.2.1', first), undefined);
  for (let round = 0; round < 30; round++) await open(`198.51.100.${round % 4}`);
  assert.equal(await open('198.51.100.0'), 'rate-limited', 'who fills it gets no more');
  const persons = ['192.0.2.2', '192.0.2.3', '2001:db8::1'];
  const ids = persons.map(() => randomHex());
  for (const [i, address] of persons.entries()) assert.equal(await open(address, ids[i]), undefined, address);
  for (let round = 0; round < 30; round++) await open(`198.51.100.${round % 4}`);
  for (const [i, id] of [first, ...ids].entries()) {
    const found = await server.browser().call('GET', `/api/links/${id}/0`);
    assert.equal(found.text, ['192.0.2.1', ...persons][i]);
  }
  // Where nobody has two more than the other, who is linking goes on.
  for (let address = 10; address < 40; address++) await open(`203.0.113.${address}`);
  assert.equal(await open('203.0.113.50'), 'rate-limited');
  for (const id of [first, ...ids])
    assert.equal((await server.browser().call('GET', `/api/links/${id}/0`)).status, 200);
  await server.clock.advance(10 * 60_000);
  assert.equal(await open('203.0.113.50'), undefined);
});

test('SV-118 mailboxes at once are limited', async (t) => {
  const server = await createTestServer(t, { limits: { links: 3, linkWrites: { burst: 1000, perSecond: 0 } } });
  const browser = server.browser();
  for (let at = 0; at < 3; at++) {
    assert.equal((await browser.call('PUT', `/api/links/${randomHex()}/0`, bytes('x'))).status, 204);
  }
  assert.equal(code(await browser.call('PUT', `/api/links/${randomHex()}/0`, bytes('x'))), 'rate-limited');
  await server.clock.advance(10 * 60_000);
  assert.equal((await browser.call('PUT', `/api/links/${randomHex()}/0`, bytes('x'))).status, 204);
});

test('SV-20 SV-118 messages of a link are limited per address and per account, and so is asking for them', async (t) => {
  const limits = { linkWrites: { burst: 4, perSecond: 0 }, linkReads: { burst: 2, perSecond: 0 } };
  const server = await createTestServer(t, { limits });
  const { browser } = await createAccount(server);
  const id = randomHex();
  for (let slot = 0; slot < 4; slot++) {
    assert.equal((await browser.call('PUT', `/api/links/${id}/${slot}`, bytes('x'))).status, 204);
  }
  assert.equal(code(await browser.call('PUT', `/api/links/${id}/4`, bytes('x'))), 'rate-limited');
  assert.equal(code(await browser.call('DELETE', `/api/links/${id}`)), 'rate-limited');
  await browser.call('GET', `/api/links/${id}/0`);
  await browser.call('GET', `/api/links/${id}/0`);
  assert.equal(code(await browser.call('GET', `/api/links/${id}/0`)), 'rate-limited');
  assert.equal(server.graph.services.rates.links.take((await accountKeyOf(server)) ?? ''), false);
});

async function accountKeyOf({ graph }: Awaited<ReturnType<typeof createTestServer>>): Promise<string | undefined> {
  const row = await graph.services.db.selectFrom('accounts').select('account_id').executeTakeFirst();
  return row && `account ${row.account_id}`;
}

test('SV-119 of a mailbox nothing is on disk, and no line of the log names it', async (t) => {
  const server = await createTestServer(t);
  const browser = server.browser();
  const id = randomHex();
  await browser.call('PUT', `/api/links/${id}/0`, bytes('a message of a link'));
  await browser.call('GET', `/api/links/${id}/0`);
  assert.ok(!server.log.join('\n').includes(id));
  const tables = await server.graph.services.db.introspection.getTables();
  for (const { name } of tables) {
    const rows = server.graph.sqlite.prepare(`select * from "${name}"`).all();
    assert.ok(!JSON.stringify(rows).includes(id), name);
  }
});
