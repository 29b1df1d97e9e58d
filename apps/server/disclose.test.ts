import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import { type Disclosure, disclose, disclosureLines } from './disclose.ts';
import { createAccount, createTestServer, randomHex } from './fixture-for-testing.ts';
import { LOG_FIELDS, type LogFields } from './log.ts';
import { liveView } from './routes/operator.ts';

const random = createSeededRandom('disclose');
const THREAT_MODEL = new URL('../../spec/threat-model.md', import.meta.url);

/** `table.field` of every row of the table in spec/threat-model.md. */
function listedFields(): string[] {
  const section = readFileSync(THREAT_MODEL, 'utf8').split('## What an operator can hand over\n')[1]?.split('\n## ')[0];
  return (section ?? '').split('\n').flatMap((line) => {
    const [, table, fields] = /^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|/.exec(line) ?? [];
    return [...(fields ?? '').matchAll(/\w+/g)].map(([field]) => `${table}.${field}`);
  });
}

function fieldsOf({ tables, relay, log, logFile }: Disclosure): string[] {
  return [
    ...tables.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column}`)),
    ...(relay ?? []).flatMap((frame) => Object.keys(frame).map((name) => `relay.${name}`)),
    ...[...(log ?? []), ...logFile].flatMap((line) => Object.keys(JSON.parse(line)).map((name) => `log.${name}`)),
  ];
}

/** An account and a guest of whom the server remembers something of every kind. */
async function discloseBoth(t: TestContext, change = '') {
  const server = await createTestServer(t);
  const { accountId, browser } = await createAccount(server);
  const { guestId } = (await server.browser().call('POST', '/api/guest')).json;
  await browser.call('PUT', `/api/records/${randomHex()}`, random.bytes(300));
  if (change !== '') server.graph.sqlite.exec(change);
  const { services } = server.graph;
  const every = LOG_FIELDS.filter((name) => !['time', 'subject'].includes(name)).map((name) => [name, 'word']);
  const numbers = { status: 1, durationMs: 1, frames: 1, bytes: 1, count: 1 };
  for (const id of [accountId, guestId]) {
    services.captures.add(id, 5, 'to-node', random.bytes(100));
    services.log.write({ ...(Object.fromEntries(every) as unknown as LogFields), ...numbers, subject: id });
  }
  const of = (id: string, logText = '') => disclose(services.db, id, liveView(services, id), logText);
  return { server, accountId, of, account: await of(accountId), guest: await of(guestId) };
}

test('SV-80 what is disclosed is what the threat model lists, field by field', async (t) => {
  const { account, guest } = await discloseBoth(t);
  const fields = new Set([...fieldsOf(account), ...fieldsOf(guest)]);
  assert.deepEqual([...fields].sort(), listedFields().sort());
  const text = disclosureLines(account).join('\n');
  for (const { rows } of account.tables) {
    for (const column of Object.keys(rows[0] ?? {})) assert.ok(text.includes(`${column}=`), column);
  }
  assert.match(text, /envelope=300 bytes [0-9a-f]{96}…/);
  assert.match(text, /What cannot be handed over[\s\S]*Words, answers, titles/);
  assert.ok(account.cannot.length >= 5);
});

test('SV-80 a column or a table that the server gains is disclosed, and the list must name it', async (t) => {
  const { account } = await discloseBoth(
    t,
    `alter table records add column written_from text; update records set written_from = '192.0.2.1';
     create table notes (account_id text, note text)`,
  );
  const unlisted = fieldsOf(account).filter((field) => !listedFields().includes(field));
  assert.deepEqual(unlisted.sort(), ['notes.account_id', 'notes.note', 'records.written_from']);
  assert.match(disclosureLines(account).join('\n'), /written_from=192\.0\.2\.1/);
});

test('SV-81 every row is shown, and the lines of the log file', async (t) => {
  const { server, accountId, of } = await discloseBoth(t);
  const insert = server.graph.sqlite.prepare('insert into records values (?, ?, ?, ?, 1)');
  for (let i = 0; i < 700; i++) insert.run(accountId, randomHex(), 1000 + i, Uint8Array.of(1));
  const line = (id: string) => JSON.stringify({ time: 'x', event: 'request', subject: id.slice(0, 8) });
  const { tables, logFile } = await of(accountId, `${line(accountId)}\n${line('0'.repeat(8))}\nno JSON\n`);
  assert.equal(tables.find(({ name }) => name === 'records')?.rows.length, 701);
  assert.deepEqual(logFile, [line(accountId)]);
});

test('SV-80 without a running server the rest is disclosed, and that something is missing is said', async (t) => {
  const { server, accountId } = await discloseBoth(t);
  const alone = await disclose(server.graph.services.db, accountId, undefined, '');
  assert.equal(alone.relay, null);
  assert.match(disclosureLines(alone).join('\n'), /none answers on this folder/);
  await assert.rejects(disclose(server.graph.services.db, randomHex(), undefined, ''), { code: 'account-unknown' });
});
