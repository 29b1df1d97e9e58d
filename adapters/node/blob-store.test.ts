/** `BlobStore` as files: whole or absent, in its own folder, for its own user. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createFileBlobStore } from './blob-store.ts';

const OWNER = 'a'.repeat(32);
const BLOB = 'b'.repeat(32);

async function store(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-blobs-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { folder: join(folder, 'blobs'), blobs: createFileBlobStore(join(folder, 'blobs')) };
}

async function listed(blobs: ReturnType<typeof createFileBlobStore>): Promise<string[]> {
  const found: string[] = [];
  for await (const { ownerId, blobId, writtenAtMs } of blobs.list()) {
    assert.ok(Math.abs(Date.now() - writtenAtMs) < 60_000);
    found.push(`${ownerId}/${blobId}`);
  }
  return found;
}

test('what is put is there, what has its name takes its place, and what is removed is gone', async (t) => {
  const { folder, blobs } = await store(t);
  const name = { ownerId: OWNER, blobId: BLOB, part: 12 };
  assert.equal(await blobs.get(name), undefined);
  assert.deepEqual([...(await blobs.sizes(OWNER, BLOB))], []);
  assert.deepEqual(await listed(blobs), []);
  await blobs.remove(OWNER, BLOB);
  await blobs.put(name, Uint8Array.of(1, 2, 3));
  await blobs.put(name, Uint8Array.of(4, 5));
  await blobs.put({ ...name, part: 0 }, new Uint8Array(10));
  assert.deepEqual(await blobs.get(name), Uint8Array.of(4, 5));
  assert.deepEqual([...(await blobs.sizes(OWNER, BLOB))].sort(), [
    [0, 10],
    [12, 2],
  ]);
  assert.deepEqual(await readdir(join(folder, OWNER, BLOB)), ['0', '12'], 'nothing stays beside them');
  assert.equal((await stat(join(folder, OWNER, BLOB, '0'))).mode & 0o777, 0o600);
  assert.deepEqual(await listed(blobs), [`${OWNER}/${BLOB}`]);
  await blobs.remove(OWNER, BLOB);
  assert.deepEqual([await listed(blobs), await readdir(folder)], [[], []]);
});

test('a name of another form leaves the folder nowhere, and what else lies there is not taken for a file', async (t) => {
  const { folder, blobs } = await store(t);
  await blobs.put({ ownerId: OWNER, blobId: BLOB, part: 0 }, Uint8Array.of(1));
  for (const name of [
    { ownerId: '../..', blobId: BLOB, part: 0 },
    { ownerId: OWNER, blobId: '..', part: 0 },
    { ownerId: OWNER, blobId: BLOB, part: -1 },
    { ownerId: OWNER, blobId: BLOB, part: 0.5 },
  ]) {
    await assert.rejects(blobs.put(name, Uint8Array.of(1)), { code: 'store-unavailable' });
    await assert.rejects(blobs.get(name), { code: 'store-unavailable' });
  }
  await writeFile(join(folder, 'note'), 'x');
  await writeFile(join(folder, OWNER, BLOB, '1.77-0.new'), 'half a part');
  assert.deepEqual(await listed(blobs), [`${OWNER}/${BLOB}`]);
  assert.deepEqual([...(await blobs.sizes(OWNER, BLOB))], [[0, 1]]);
});

test('a folder that cannot be written is told', async (t) => {
  const { folder, blobs } = await store(t);
  await writeFile(folder, 'a file where the folder should be');
  await assert.rejects(blobs.put({ ownerId: OWNER, blobId: BLOB, part: 1 }, Uint8Array.of(1)), {
    code: 'store-unavailable',
    action: 'retry',
  });
});
