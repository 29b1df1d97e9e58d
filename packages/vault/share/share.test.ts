/** Links to sealed copies: what opens one, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBase64Url, encodeUtf8, parseBase64Url } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import { createBlobKey, sealBlob } from '../blob/index.ts';
import {
  encodeShareLink,
  openShare,
  parseShareLink,
  SHARE_CONTENT_LIMIT_BYTES,
  type SharedChat,
  sealShare,
} from './index.ts';

const random = createSeededRandom('shares');
const chat: SharedChat = {
  title: 'Grüße',
  sharedAtMs: 1_800_000_000_000,
  messages: [
    { role: 'user', text: 'q 👋', createdAtMs: 1 },
    { role: 'assistant', text: 'a', model: 'm', createdAtMs: 2 },
  ],
};

test('VA-200 a link is 52 bytes, and gives back what was sealed', async () => {
  const { link, sealed } = await sealShare(chat, random);
  const text = encodeShareLink(link);
  assert.match(text, /^[A-Za-z0-9_-]{70}$/);
  assert.deepEqual(await openShare(parseShareLink(text), sealed), chat);
  for (const odd of ['', text.slice(1), `${text}A`, text.slice(0, -4), '!'.repeat(70), 'A'.repeat(100_000)]) {
    assert.throws(() => parseShareLink(odd), { code: 'share-malformed', rule: 'VA-200' }, odd.slice(0, 80));
  }
});

test('VA-201 a copy opens with its own link alone, unchanged and whole', async () => {
  const { link, sealed } = await sealShare(chat, random);
  const other = await sealShare(chat, random);
  await assert.rejects(openShare({ ...link, key: other.link.key }, sealed), { code: 'blob-commitment-mismatch' });
  await assert.rejects(openShare(link, other.sealed), { code: 'blob-id-mismatch' });
  await assert.rejects(openShare({ ...link, length: link.length - 1 }, sealed), { rule: /VA-19[578]/ });
  await assert.rejects(openShare(link, sealed.subarray(0, -1)), { code: 'blob-malformed' });
  for (let at = 0; at < sealed.length; at += 97) {
    const changed = sealed.slice();
    changed[at] = (changed[at] as number) ^ 1;
    await assert.rejects(openShare(link, changed), { name: 'VaultError' });
  }
  const bytes = parseBase64Url(encodeShareLink(link));
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] = (changed[at] as number) ^ 1;
    await assert.rejects(openShare(parseShareLink(encodeBase64Url(changed)), sealed), { name: 'VaultError' });
  }
});

test('VA-202 a copy is at most 960,000 bytes, and one part below a server’s limit', async () => {
  const long = (length: number): SharedChat => ({
    ...chat,
    messages: [{ role: 'user', text: 'x'.repeat(length), createdAtMs: 1 }],
  });
  const { link, sealed } = await sealShare(long(959_000), random);
  assert.ok(sealed.length < 1024 * 1024, String(sealed.length));
  assert.equal((await openShare(link, sealed)).messages[0]?.text.length, 959_000);
  await assert.rejects(sealShare(long(960_000), random), { code: 'share-too-large', rule: 'VA-202' });
  const tooLong = { ...link, length: SHARE_CONTENT_LIMIT_BYTES + 1 };
  await assert.rejects(openShare(tooLong, sealed), { code: 'share-malformed', rule: 'VA-202' });
});

test('VA-203 what is inside is of its form, or nothing of it is shown', async () => {
  const format = 'sotto-share/v1';
  const good = { format, title: 't', sharedAtMs: 1, messages: [{ role: 'user', text: 't', createdAtMs: 1 }] };
  const message = (change: object) => ({ ...good, messages: [{ ...good.messages[0], ...change }] });
  const odd: unknown[] = [
    null,
    7,
    [],
    { ...good, format: 'sotto-share/v2' },
    { ...good, title: 7 },
    { ...good, sharedAtMs: 'now' },
    { ...good, messages: {} },
    { ...good, messages: [null] },
    { ...good, messages: Array(5001).fill(good.messages[0]) },
    message({ role: 'system' }),
    message({ text: 7 }),
    message({ model: 7 }),
    message({ createdAtMs: -1 }),
  ];
  const open = async (content: Uint8Array) => {
    const link = { shareId: random.bytes(16), key: createBlobKey(random), length: content.length };
    const input = {
      key: link.key,
      blobId: link.shareId,
      length: content.length,
      content: [content],
      random,
      chunk: 20,
    };
    const parts: Uint8Array[] = [];
    for await (const part of sealBlob(input)) parts.push(part);
    return openShare(link, parts[0] as Uint8Array);
  };
  await open(encodeUtf8(JSON.stringify(good)));
  for (const value of odd) {
    await assert.rejects(
      open(encodeUtf8(JSON.stringify(value))),
      { code: 'share-malformed', rule: 'VA-203' },
      JSON.stringify(value).slice(0, 80),
    );
  }
  await assert.rejects(open(encodeUtf8('no JSON')), { rule: 'VA-203' });
  await assert.rejects(open(Uint8Array.of(0xff, 0xfe)), { rule: 'VA-203' });
});
