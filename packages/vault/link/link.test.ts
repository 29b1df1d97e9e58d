/** The formats of a device link (spec/vault.md, "Device link"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { encodeBase64Url, parseBase64Url } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import {
  createAccountKey,
  LockSecret,
  parseLockHeader,
  unsafeRevealSecret,
  unwrapAccountKey,
  wrapAccountKey,
} from '../index.ts';
import {
  createLinkSecret,
  createShortCode,
  encodeLinkRequest,
  encodeLinkWelcome,
  mailboxOfShortCode,
  parseLinkRequest,
  parseLinkText,
  parseLinkWelcome,
  parseShortCode,
  spellShortCode,
} from './index.ts';

const random = createSeededRandom('link formats');
const refuses = (code: string, run: () => unknown, what?: string) =>
  assert.throws(run, (error: { code?: string }) => error.code === code, what);

test('VA-175 mailbox id and pre-shared key are two values of one secret, and another secret gives others', () => {
  const [first, second] = [createLinkSecret('new', random), createLinkSecret('new', random)];
  const again = parseLinkText(first.spell()).derive();
  assert.deepEqual(again, first.derive());
  assert.equal(again.mailboxId.length, 16);
  assert.equal(again.preSharedKey.length, 32);
  assert.notDeepEqual(again.preSharedKey.slice(0, 16), again.mailboxId);
  assert.notDeepEqual(second.derive().mailboxId, again.mailboxId);
  for (const shown of [String(first), JSON.stringify({ first }), inspect(first)]) {
    assert.ok(!shown.includes(first.spell().slice(20, 40)));
    assert.ok(shown.includes('[secret]'));
  }
});

test('VA-176 text longer than 256 characters is not looked at', () => {
  const { length } = createLinkSecret('new', random).spell();
  assert.equal(length, 59);
  const text = createLinkSecret('new', random).spell();
  parseLinkText(text + ' '.repeat(256 - text.length));
  refuses('link-text-malformed', () => parseLinkText(text + ' '.repeat(257 - text.length)));
});

test('VA-177 any other text, and any other spelling, is not a link', () => {
  const text = createLinkSecret('open', random).spell();
  const others = ['', 'https://example.org/', text.toLowerCase(), text.slice(11), `x${text}`, text.replace(':', ' ')];
  for (const other of others) refuses('link-text-malformed', () => parseLinkText(other), other);
  refuses('link-text-malformed', () => parseLinkText(`${text}A`));
  refuses('link-text-malformed', () => parseLinkText(`${text}=`));
  refuses('link-text-malformed', () => parseLinkText(text.slice(0, -1)));
  assert.equal(parseLinkText(`\n ${text}\t`).shownBy, 'open');
});

const changedAt = (text: string, at: number, change: (byte: number) => number) => {
  const bytes = parseBase64Url(text.slice(11));
  bytes[at] = change(bytes[at] as number) & 255;
  return `SOTTO-LINK:${encodeBase64Url(bytes)}`;
};

test('VA-178 a version other than 1 is told apart from a mistake', () => {
  const text = createLinkSecret('new', random).spell();
  for (const version of [0, 2, 255])
    refuses('link-version-unsupported', () => parseLinkText(changedAt(text, 0, () => version)));
});

test('VA-179 a text in which anything was changed does not fit its check', () => {
  const text = createLinkSecret('new', random).spell();
  for (let at = 1; at < 36; at++) {
    for (const bit of [1, 128])
      refuses('link-text-malformed', () => parseLinkText(changedAt(text, at, (byte) => byte ^ bit)), `${at}`);
  }
});

test('VA-180 a short code forgives as a recovery code does, and notices every wrong symbol', () => {
  for (let round = 0; round < 200; round++) {
    const code = createShortCode(random);
    const spelled = spellShortCode(code);
    assert.match(spelled, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
    assert.equal(parseShortCode(` ${spelled.toLowerCase().replace('-', ' ')} `), code);
    assert.equal(parseShortCode(code.replaceAll('0', 'O').replaceAll('1', 'l').replaceAll('V', 'u')), code);
    const at = round % 8;
    const wrong = code.slice(0, at) + (code[at] === '7' ? '8' : '7') + code.slice(at + 1);
    refuses('link-code-typo', () => parseShortCode(wrong), wrong);
    refuses('link-code-typo', () => parseShortCode(code.slice(1)));
  }
  for (const other of ['', 'é'.repeat(8), '0'.repeat(9), 'A'.repeat(100_000)])
    refuses('link-code-typo', () => parseShortCode(other));
  const [one, two] = [createShortCode(random), createShortCode(random)];
  assert.equal(mailboxOfShortCode(one).length, 16);
  assert.notDeepEqual(mailboxOfShortCode(one), mailboxOfShortCode(two));
});

test('VA-181 welcome and request have exactly their form; parameters of later versions are skipped', () => {
  const accountId = random.bytes(16);
  const welcome = encodeLinkWelcome({ accountId, epoch: 7 });
  assert.deepEqual(parseLinkWelcome(welcome), { accountId, epoch: 7 });
  refuses('link-message-malformed', () => parseLinkWelcome(encodeLinkWelcome({ accountId, epoch: 0 })));
  const record = random.bytes(146);
  const request = encodeLinkRequest(record);
  assert.deepEqual(parseLinkRequest(request), record);
  for (const [bytes, parse] of [
    [welcome, parseLinkWelcome],
    [request, parseLinkRequest],
  ] as const) {
    for (let length = 1; length < bytes.length; length++)
      refuses('link-message-malformed', () => parse(bytes.slice(0, length)));
    refuses('link-message-malformed', () => parse(Uint8Array.of(...bytes, 0)));
    const later = Uint8Array.of(...bytes.slice(0, -2), 0, 3, 1, 2, 3);
    assert.deepEqual(parse(later), parse(bytes));
  }
  refuses('link-message-malformed', () => parseLinkRequest(encodeLinkRequest(new Uint8Array(1025))));
});

test('VA-182 a message of a later version asks for an update', () => {
  const welcome = encodeLinkWelcome({ accountId: random.bytes(16), epoch: 1 });
  for (const version of [0, 2])
    refuses('link-version-unsupported', () => parseLinkWelcome(Uint8Array.of(version, ...welcome.slice(1))));
  refuses('link-version-unsupported', () => parseLinkRequest(Uint8Array.of(2, 0, 0, 0, 0)));
});

test('VA-183 a lock of a device link opens with its link’s secret, for its account and epoch, and is of no other kind', async () => {
  const [accountId, lockId] = [random.bytes(16), random.bytes(16)];
  const accountKey = createAccountKey(random);
  const secret = new LockSecret(random.bytes(32));
  const lock = await wrapAccountKey({ accountKey, kind: 'device-link', secret, accountId, lockId, epoch: 4, random });
  assert.equal(parseLockHeader(lock).kind, 'device-link');
  const opening = {
    lock,
    secret,
    expectedKind: 'device-link',
    expectedAccountId: accountId,
    expectedLockId: lockId,
    minimumEpoch: 4,
  } as const;
  const opened = await unwrapAccountKey(opening);
  assert.deepEqual(unsafeRevealSecret(opened.accountKey), unsafeRevealSecret(accountKey));
  const refusals = [
    [{ ...opening, secret: new LockSecret(random.bytes(32)) }, 'lock-commitment-mismatch'],
    [{ ...opening, expectedKind: 'recovery-code' }, 'lock-kind-unsupported'],
    [{ ...opening, expectedLockId: random.bytes(16) }, 'lock-id-mismatch'],
    [{ ...opening, expectedAccountId: random.bytes(16) }, 'lock-account-mismatch'],
    [{ ...opening, minimumEpoch: 5 }, 'lock-epoch-stale'],
  ] as const;
  for (const [input, code] of refusals) await assert.rejects(unwrapAccountKey(input), { code });
});
