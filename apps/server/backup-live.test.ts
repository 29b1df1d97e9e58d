/**
 * Backups that are taken while devices write, remove, rotate and send files: what comes back is one moment of the account, with the files
 * of its records (spec/server.md SV-82, SV-76, SV-140).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { concatBytes, encodeBase64, encodeHex, parseBase64, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { createSeededRandom } from '@sotto/testkit';
import {
  createAccount,
  createTestServer,
  randomHex,
  type TestAccount,
  temporaryFolder,
} from './fixture-for-testing.ts';
import { restore } from './restore.ts';

const random = createSeededRandom('live backup');
const ADMIN = fileURLToPath(new URL('./admin-main.ts', import.meta.url));

/** As the server sees a record or lock: magic, the epoch where it stands, and then, for the test to read, an id. */
function sealed(magic: number, at: number, epoch: number, id = randomHex()): Uint8Array<ArrayBuffer> {
  const bytes = concatBytes(
    Uint8Array.of(0x53, 0x56, magic, 1),
    new Uint8Array(60),
    parseHex(id, 16),
    random.bytes(300),
  );
  new DataView(bytes.buffer).setUint32(at, epoch);
  return bytes;
}
const recordOf = (epoch: number, blobId: string) => sealed(0x52, 36, epoch, blobId);
const lockOf = (epoch: number) => sealed(0x4c, 37, epoch);
const blobOf = (envelope: Uint8Array) => encodeHex(envelope.subarray(64, 80));

/** A message with its file, and when each thing about it happened, in steps of one count. */
interface Kept {
  readonly recordId: string;
  readonly blobId: string;
  readonly envelope: Uint8Array;
  readonly digests: readonly string[];
  readonly answered: number;
  removalBegun: number;
  removed: number;
}

/** Devices that go on until they are told to stop. */
function devicesOf({ browser, lookupId }: TestAccount) {
  const kept: Kept[] = [];
  let [steps, epoch, stopped, unfinished] = [0, 1, false, ''];
  const now = () => ++steps;
  const call = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    const answer = await browser.call(method, path, body, headers);
    assert.equal(answer.status, 200, `${path} ${answer.text}`);
    return answer;
  };
  const send = async (blobId: string, count: number) => {
    const parts = Array.from({ length: count }, () => random.bytes(2000));
    for (const [i, part] of parts.entries())
      await call('PUT', `/api/blobs/${blobId}/${i}`, part, { 'sotto-digest': encodeHex(sha256(part)) });
    return parts.map((part) => encodeHex(sha256(part)));
  };
  const write = async () => {
    const [recordId, blobId] = [randomHex(), randomHex()];
    const digests = await send(blobId, 1 + (steps % 3));
    await call('POST', `/api/blobs/${blobId}/commit`, { parts: digests.length });
    const envelope = recordOf(epoch, blobId);
    const answer = await browser.call('PUT', `/api/records/${recordId}`, envelope);
    // A rotation came in between: its device would seal it anew.
    if (answer.json.error?.code === 'epoch-stale') return;
    assert.equal(answer.status, 200, answer.text);
    kept.push({ recordId, blobId, envelope, digests, answered: now(), removalBegun: Infinity, removed: Infinity });
  };
  const remove = async () => {
    const one = kept.find(({ removalBegun }) => removalBegun === Infinity);
    if (one === undefined) return;
    one.removalBegun = now();
    await call('DELETE', `/api/records/${one.recordId}`);
    await call('DELETE', `/api/blobs/${one.blobId}`);
    one.removed = now();
  };
  const begin = async () => {
    unfinished = randomHex();
    await send(unfinished, 1);
  };
  const rotate = async () => {
    const { json } = await call('GET', '/api/records?after=0');
    const epochRecordId = randomHex();
    const answer = await browser.call('POST', '/api/rotation', {
      ...{ epoch: epoch + 1, baseSequence: await newest(json.nextSequence), epochRecordId },
      locks: [
        { lockId: encodeHex(parseBase64(lookupId)), kind: 'recovery-code', lock: encodeBase64(lockOf(epoch + 1)) },
      ],
      ...{ credentials: [], devices: [] },
      records: [{ recordId: epochRecordId, envelope: encodeBase64(recordOf(epoch + 1, '00'.repeat(16))) }],
    });
    if (answer.status === 200) epoch++;
    else assert.equal(answer.json.error.code, 'record-conflict');
  };
  const newest = async (after: number): Promise<number> => {
    const { json } = await call('GET', `/api/records?after=${after}`);
    return json.more ? newest(json.nextSequence) : json.nextSequence;
  };
  const going = (work: () => Promise<void>, pauseMs: number) =>
    (async () => {
      while (!stopped) {
        await work();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    })();
  const start = async () => {
    for (let i = 0; i < 40; i++) await write();
    work.push(going(write, 1), going(write, 3), going(remove, 60), going(begin, 90), going(rotate, 120));
  };
  const work: Promise<void>[] = [];
  return {
    kept,
    now,
    start,
    get unfinished() {
      return unfinished;
    },
    epoch: () => epoch,
    stop: async () => {
      stopped = true;
      await Promise.all(work);
    },
  };
}

async function backedUp(dataDir: string, file: string): Promise<void> {
  const child = spawn(process.execPath, [ADMIN, '--data', dataDir, '--', 'backup', file], { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
}

/** Of whichever table; a column of another one is not there. */
interface Row {
  readonly account_id: string;
  readonly record_id: string;
  readonly blob_id: string;
  readonly envelope: Uint8Array | null;
  readonly lock: Uint8Array;
  readonly part: number;
  readonly bytes: number;
  readonly committed: number;
  readonly epoch: number;
  readonly blob_bytes: number;
  readonly record_count: number;
  readonly record_bytes: number;
}
type Rows = readonly Row[];

function judge(data: string, kept: readonly Kept[], began: number, ended: number): string {
  const sqlite = new DatabaseSync(join(data, 'sotto.sqlite'), { readOnly: true });
  const all = (sql: string) => sqlite.prepare(sql).all() as unknown as Rows;
  const [records, blobs, parts, locks] = ['records', 'blobs', 'blob_parts', 'locks'].map((name) =>
    all(`select * from ${name}`),
  ) as [Rows, Rows, Rows, Rows];
  const [account] = all('select * from accounts');
  const epochs = all('select * from epochs order by epoch');
  sqlite.close();
  const envelopes = new Map(records.map((row) => [row.record_id, row.envelope]));
  const fileOf = ({ account_id, blob_id, part }: Row) =>
    join(data, 'blobs', String(account_id), String(blob_id), String(part));

  // What was answered before is there, and what was removed before is not.
  for (const { recordId, blobId, envelope, answered, removalBegun, removed } of kept) {
    if (answered < began && removalBegun > ended) assert.deepEqual(envelopes.get(recordId), envelope);
    if (removed > began) continue;
    assert.equal(envelopes.get(recordId), null);
    assert.ok(!blobs.some(({ blob_id }) => blob_id === blobId) && !existsSync(join(data, 'blobs', blobId)));
  }
  // The file of a record is there and whole, unless it was removed meanwhile.
  let named = 0;
  for (const one of kept) {
    if (!envelopes.get(one.recordId) || one.removalBegun < ended) continue;
    named++;
    const mine = parts.filter(({ blob_id }) => blob_id === one.blobId).sort((a, b) => a.part - b.part);
    assert.deepEqual(
      mine.map((row) => encodeHex(sha256(new Uint8Array(readFileSync(fileOf(row)))))),
      one.digests,
    );
  }
  // Rows and files are the same ones, and the account's sums are those of its rows.
  assert.ok(blobs.every(({ committed }) => committed === 1));
  const onDisk = readdirSync(join(data, 'blobs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/\d+$/.test(name),
  );
  assert.equal(onDisk.length, parts.length);
  assert.ok(parts.every((row) => existsSync(fileOf(row))));
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  assert.equal(account?.blob_bytes, sum(parts.map(({ bytes }) => bytes)));
  assert.equal(account?.record_count, records.length);
  assert.equal(account?.record_bytes, sum(records.map(({ envelope }) => envelope?.length ?? 0)));
  // One epoch: its statement, its locks, and nothing of a later one.
  const epoch = Number(account?.epoch);
  assert.equal(epochs.length, epoch - 1);
  const epochAt = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
  if (epoch > 1) {
    assert.ok(envelopes.get(epochs.at(-1)?.record_id ?? ''), 'the statement');
    for (const { lock } of locks) assert.equal(epochAt(lock, 37), epoch);
  }
  for (const envelope of envelopes.values()) assert.ok(envelope === null || epochAt(envelope, 36) <= epoch);
  assert.ok([...envelopes.values()].every((envelope) => envelope === null || /^[0-9a-f]{32}$/.test(blobOf(envelope))));
  return `${records.length} records, ${named} with their files, epoch ${epoch}`;
}

async function goOn(t: TestContext, dataDir: string, account: TestAccount, unfinished: string): Promise<void> {
  const browser = (await createTestServer(t, { dataDir })).browser();
  const { lookupId, authenticator } = account;
  assert.equal((await browser.call('POST', '/api/sign-in/recovery', { lookupId, authenticator })).status, 200);
  // A file that was under way is sent again from its first part, under its own id.
  const held = await browser.call('GET', `/api/blobs/${unfinished}`);
  assert.deepEqual(held.json, { committed: false, parts: [] });
  const part = random.bytes(500);
  const headers = { 'sotto-digest': encodeHex(sha256(part)) };
  assert.equal((await browser.call('PUT', `/api/blobs/${unfinished}/0`, part, headers)).status, 200);
  assert.equal((await browser.call('POST', `/api/blobs/${unfinished}/commit`, { parts: 1 })).status, 200);
}

test('SV-140 backups beside devices that write, remove, rotate and send files hold one moment, and every record’s file', async (t) => {
  const often = { burst: 1e6, perSecond: 0 };
  const server = await createTestServer(t, {
    limits: { rotations: often, requests: often, blobWrites: often, recordPages: often },
  });
  const account = await createAccount(server);
  const devices = devicesOf(account);
  await devices.start();
  const folder = await temporaryFolder(t);
  const taken: { file: string; began: number; ended: number; unfinished: string }[] = [];
  try {
    for (let i = 0; i < 2; i++) {
      const [file, began] = [join(folder, `backup-${i}`), devices.now()];
      await backedUp(server.dataDir, file);
      taken.push({ file, began, ended: devices.now(), unfinished: devices.unfinished });
    }
  } finally {
    await devices.stop();
  }
  for (const [i, { file, began, ended, unfinished }] of taken.entries()) {
    const data = join(folder, `data-${i}`);
    await restore(file, data);
    t.diagnostic(judge(data, devices.kept, began, ended));
    const bytes = await readFile(file);
    for (const { recordId, blobId, envelope, removed } of devices.kept) {
      if (removed > began) continue;
      assert.ok(!bytes.includes(Buffer.from(envelope.subarray(100, 140))) && !bytes.includes(blobId), recordId);
    }
    await goOn(t, data, account, unfinished);
  }
  const removals = devices.kept.filter(({ removed }) => removed < Infinity).length;
  t.diagnostic(`${devices.kept.length} written, ${removals} removed, ${devices.epoch()} epochs`);
  assert.ok(devices.epoch() > 2 && removals > 2);
});
