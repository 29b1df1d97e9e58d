/** Bodies that are wrong in every way that could be thought of: a stable refusal of the sender's doing, and nothing half applied. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { concatBytes, encodeBase64, encodeHex, parseBase64 } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import { type BatchWrite, encodeRecordBatch, ROTATION_RECORD_LIMIT_COUNT } from '@sotto/wire';
import { createAccount, createTestServer, randomBase64, randomHex, type TestServer } from './fixture-for-testing.ts';

const random = createSeededRandom('malformed bodies');
const below = (limit: number) => new DataView(random.bytes(4).buffer).getUint32(0) % limit;
const REFUSALS = new Set(['bad-request', 'too-large', 'epoch-conflict', 'epoch-stale', 'record-conflict']);

function envelope(epoch: number): string {
  const bytes = concatBytes(Uint8Array.of(0x53, 0x56, 0x52, 1), new Uint8Array(252));
  new DataView(bytes.buffer).setUint32(36, epoch);
  return encodeBase64(bytes);
}

async function stateOf({ graph }: TestServer): Promise<string> {
  const { db } = graph.services;
  const names = ['accounts', 'epochs', 'locks', 'recoveries', 'credentials', 'devices', 'records', 'sessions'] as const;
  return JSON.stringify(await Promise.all(names.map((name) => db.selectFrom(name).selectAll().execute())));
}

async function start(t: TestContext) {
  const often = { burst: 1e6, perSecond: 1e6 };
  const server = await createTestServer(t, { limits: { rotations: often, recordWrites: often } });
  const account = await createAccount(server);
  await account.browser.call('PUT', `/api/records/${randomHex()}`, parseBase64(envelope(1)));
  return { server, account };
}

function rotationOf(lookupId: string) {
  const epochRecordId = randomHex();
  const lock = { lockId: encodeHex(parseBase64(lookupId)), kind: 'recovery-code', lock: randomBase64(200) };
  return {
    ...{ epoch: 2, baseSequence: 1, epochRecordId },
    locks: [lock, { ...lock, lockId: randomHex() }] as object[],
    ...{ credentials: [] as unknown[], devices: [randomBase64(32)] as unknown[] },
    records: [
      { recordId: epochRecordId, envelope: envelope(2) },
      { recordId: randomHex(), envelope: envelope(1) },
    ] as object[],
  };
}

test('SV-134 a rotation that names a lock or a record twice, or not its statement, is refused and changes nothing', async (t) => {
  const { server, account } = await start(t);
  const before = await stateOf(server);
  const good = rotationOf(account.lookupId);
  for (const [what, body] of Object.entries({
    'two locks with one id': { ...good, locks: [...good.locks, { ...good.locks[0], lock: randomBase64(100) }] },
    'one lock twice': { ...good, locks: [...good.locks, good.locks[1]] },
    'two records with one id': { ...good, records: [...good.records, { ...good.records[1], envelope: envelope(2) }] },
    'the statement twice': { ...good, records: [...good.records, good.records[0]] },
    'no statement': { ...good, epochRecordId: randomHex() },
    'a statement that is somewhere else': { ...good, records: good.records.slice(1) },
  })) {
    const { status, json } = await account.browser.call('POST', '/api/rotation', body);
    assert.deepEqual([status, json.error.code], [400, 'bad-request'], what);
    assert.equal(await stateOf(server), before, what);
  }
  assert.equal((await account.browser.call('POST', '/api/rotation', good)).status, 200);
});

test('SV-135 a batch that names a record twice is refused whole', async (t) => {
  const { server, account } = await start(t);
  const before = await stateOf(server);
  const write = (recordId = randomHex()): BatchWrite => ({ recordId, base: 1, envelope: random.bytes(50) });
  const [first, other] = [write(), write()];
  for (const second of [first, write(first.recordId), { ...first, base: 99 }, { ...first, envelope: undefined }]) {
    const body = encodeRecordBatch([first, other, second]);
    const { status, json } = await account.browser.call('POST', '/api/records/batch', body);
    assert.deepEqual([status, json.error.code], [400, 'bad-request']);
    assert.equal(await stateOf(server), before);
  }
});

const ODD: readonly unknown[] = [
  ...[null, true, -1, 0, 1.5, 2 ** 32, 2 ** 53, 1e308, '', ' ', 'x', '\ud800', '\0', 'A'.repeat(32), '0'.repeat(31)],
  ...['AAAA', 'AA==', 'AB==', 'AAA', [], {}, [[]], { length: 1 }, [null], ['AAAA'], { toString: 1 }],
];

/** One thing about it is another: somewhere in it, whatever that does to it. */
function changed(value: unknown): unknown {
  const inner = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (inner.length === 0 || below(4) === 0) return ODD[below(ODD.length)];
  const key = inner[below(inner.length)] as string;
  if (Array.isArray(value)) {
    const [at, which] = [Number(key), below(4)];
    if (which === 0) return value.toSpliced(at, 1);
    if (which === 1) return [...value, value[at]];
    if (which === 2) return Array.from({ length: 600 }, () => value[at]);
    return value.with(at, changed(value[at]));
  }
  const object = value as Record<string, unknown>;
  const which = below(6);
  if (which === 0) return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
  if (which === 1) return { ...object, [`${key}x`]: object[key] };
  return { ...object, [key]: changed(object[key]) };
}

test('SV-136 a rotation that is malformed anyhow is refused as the sender’s doing, and nothing of it is applied', async (t) => {
  const { server, account } = await start(t);
  let before = await stateOf(server);
  let epoch = 2;
  let done = 0;
  const send = async (body: unknown, what: string) => {
    const { status, json } = await account.browser.call('POST', '/api/rotation', body);
    if (status === 200) {
      // What was changed did not matter: it was a rotation.
      [epoch, done, before] = [epoch + 1, done + 1, await stateOf(server)];
      return;
    }
    assert.ok(status >= 400 && status < 500 && REFUSALS.has(json?.error?.code), `${status} ${what}`);
    assert.equal(await stateOf(server), before, what);
  };
  for (let seed = 0; seed < 200; seed++) {
    const { last_sequence } = await server.graph.services.db
      .selectFrom('accounts')
      .selectAll()
      .executeTakeFirstOrThrow();
    const good = { ...rotationOf(account.lookupId), epoch, baseSequence: last_sequence, devices: [], credentials: [] };
    good.records = good.records.map((record, i) => ({ ...record, envelope: envelope(epoch - i) }));
    const body = changed(good);
    await send(JSON.stringify(body), JSON.stringify(body).slice(0, 600));
  }
  assert.ok(done < 60, `${done} were no malformed ones`);
  const good = { ...rotationOf(account.lookupId), epoch };
  const many = Array.from({ length: ROTATION_RECORD_LIMIT_COUNT + 1 }, () => ({
    ...good.records[1],
    recordId: randomHex(),
  }));
  const text = JSON.stringify(good);
  for (const [what, body] of Object.entries({
    'too many records': JSON.stringify({ ...good, records: many }),
    'too many locks': JSON.stringify({ ...good, locks: Array.from({ length: 33 }, () => good.locks[0]) }),
    'another’s passkey': JSON.stringify({ ...good, credentials: ['AAAA'] }),
    cut: text.slice(0, -1),
    'two of it': text + text,
    'a field twice': text.replace('{', '{"epoch":7,'),
    'a prototype': text.replace('{', '{"__proto__":{"epoch":2},'),
    'no text': new Uint8Array([0xff, 0xfe]),
    deep: '['.repeat(1_000_000),
    empty: '',
    nothing: 'null',
  }))
    await send(body, what);
  const large = await account.browser.call('POST', '/api/rotation', ' '.repeat(8 * 1024 * 1024 + 1));
  assert.equal(large.status, 413);
});

test('SV-136 a batch that is malformed anyhow is refused as the sender’s doing, and nothing of it is applied', async (t) => {
  const { server, account } = await start(t);
  const { last_sequence: first } = await server.graph.services.db
    .selectFrom('accounts')
    .selectAll()
    .executeTakeFirstOrThrow();
  let taken = 0;
  for (let seed = 0; seed < 200; seed++) {
    const before = await stateOf(server);
    const good = encodeRecordBatch(
      Array.from({ length: 1 + below(4) }, () => ({
        recordId: randomHex(),
        base: first,
        envelope: random.bytes(below(60)),
      })),
    );
    const at = below(good.length);
    const bodies = [good.subarray(0, at), concatBytes(good, random.bytes(1 + below(40))), Uint8Array.from(good)];
    const body = bodies[seed % 3] as Uint8Array<ArrayBuffer>;
    if (seed % 3 === 2) body[at] = (body[at] ?? 0) ^ (1 << below(8));
    const { status, json } = await account.browser.call('POST', '/api/records/batch', body);
    if (status === 200) {
      taken++;
      continue;
    }
    assert.ok(status >= 400 && status < 500 && REFUSALS.has(json?.error?.code), `${status} of seed ${seed}`);
    assert.equal(await stateOf(server), before, `seed ${seed}`);
  }
  assert.ok(taken < 100);
});
