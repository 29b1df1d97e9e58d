/**
 * Writes the vectors of device links: `node vectors/link/generate.ts`. Deterministic; on Node's own crypto, and shares no line
 * with the code under test. One failure each.
 */
import { createHash, hkdfSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const seeded = (seed: string, length: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 32) }, (_, i) => createHash('sha256').update(`${seed}/${i}`).digest()),
  ).subarray(0, length);
const sha256 = (...parts: (Uint8Array | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const hkdf = (key: Uint8Array, salt: Uint8Array, info: string | Buffer, length: number): string =>
  Buffer.from(hkdfSync('sha256', key, salt, info, length)).toString('hex');
const v16 = (text: string): Buffer => Buffer.concat([Buffer.of(0, text.length), Buffer.from(text)]);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

type Expect = 'accept' | { readonly code: string };

const secret = seeded('link secret', 32);
const nothing = Buffer.alloc(0);

function bytesOf({ version = 1, shownBy = 1, wrongCheck = false } = {}): Buffer {
  const said = Buffer.concat([Buffer.of(version, shownBy), secret]);
  const check = sha256('sotto/link/text/v1', said).subarray(0, 2);
  if (wrongCheck) check[1] = (check[1] as number) ^ 1;
  return Buffer.concat([said, check]);
}
const spell = (bytes: Uint8Array): string => `SOTTO-LINK:${Buffer.from(bytes).toString('base64url')}`;
const text = (id: string, rule: string, note: string, given: string, expect: Expect, shownBy = 'new') => ({
  id,
  rule,
  note,
  text: given,
  expect,
  ...(expect === 'accept'
    ? {
        shownBy,
        mailboxId: hkdf(secret, nothing, 'sotto/link/mailbox/v1', 16),
        preSharedKey: hkdf(secret, nothing, 'sotto/link/psk/v1', 32),
      }
    : {}),
});
const malformed = { code: 'link-text-malformed' };
const whole = spell(bytesOf());
const texts = [
  text('new', 'VA-175', 'shown by the new device', whole, 'accept'),
  text('open', 'VA-175', 'shown by the open device', spell(bytesOf({ shownBy: 2 })), 'accept', 'open'),
  text('blanks', 'VA-177', 'blanks and a line break around it', ` ${whole}\n`, 'accept'),
  text('huge', 'VA-176', '257 characters', whole + ' '.repeat(257 - whole.length), malformed),
  text('address', 'VA-177', 'another QR code', 'https://example.org/', malformed),
  text('lower-case', 'VA-177', 'another spelling of the beginning', whole.replace('SOTTO', 'sotto'), malformed),
  text('alphabet', 'VA-177', 'a character that base64url has not', whole.replace(/.$/, '+'), malformed),
  text('cut', 'VA-177', 'the last character is missing', whole.slice(0, -1), malformed),
  text(
    'trailing',
    'VA-177',
    'three bytes after the end',
    spell(Buffer.concat([bytesOf(), nothing, Buffer.alloc(3)])),
    malformed,
  ),
  text('version', 'VA-178', 'version 2', spell(bytesOf({ version: 2 })), { code: 'link-version-unsupported' }),
  text('check', 'VA-179', 'a bit of the check', spell(bytesOf({ wrongCheck: true })), malformed),
  text('shown-by', 'VA-179', 'shown by a third device', spell(bytesOf({ shownBy: 3 })), malformed),
];

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const values = [...seeded('short code', 7)].map((byte) => byte % 32);
const check = values.reduce((sum, value, i) => sum + (2 * i + 1) * value, 0) % 32;
const code = [...values, check].map((value) => ALPHABET[value]).join('');
const short = (id: string, note: string, given: string, expect: Expect) => ({
  id,
  rule: 'VA-180',
  note,
  text: given,
  expect,
  ...(expect === 'accept' ? { code, mailboxId: hex(sha256('sotto/link/short-code/v1', code).subarray(0, 16)) } : {}),
});
const typo = { code: 'link-code-typo' };
const mistyped = (at: number): string => code.slice(0, at) + (code[at] === 'A' ? 'B' : 'A') + code.slice(at + 1);
const codes = [
  short('as-shown', 'as it is shown', `${code.slice(0, 4)}-${code.slice(4)}`, 'accept'),
  short('lower-case', 'lower case with a blank', `${code.slice(0, 4)} ${code.slice(4)}`.toLowerCase(), 'accept'),
  ...Array.from({ length: 8 }, (_, i) => short(`typo-${i + 1}`, `symbol ${i + 1} is wrong`, mistyped(i), typo)),
  short('cut', 'seven symbols', code.slice(1), typo),
  short('long', 'nine symbols', `${code}0`, typo),
  short('character', 'an exclamation mark', `!${code.slice(1)}`, typo),
];

const accountId = seeded('account', 16);
const record = seeded('device record', 146);
const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 255);
const welcome = (version: number, epoch: number, parameters: Uint8Array = nothing): Buffer => {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(epoch);
  return Buffer.concat([Buffer.of(version), accountId, number, u16(parameters.length), parameters]);
};
const request = (version: number, given: Uint8Array, parameters: Uint8Array = nothing): Buffer =>
  Buffer.concat([Buffer.of(version), u16(given.length), given, u16(parameters.length), parameters]);
const message = (
  id: string,
  rule: string,
  note: string,
  kind: 'welcome' | 'request',
  bytes: Uint8Array,
  expect: Expect,
) => ({
  id,
  rule,
  note,
  kind,
  bytes: hex(bytes),
  expect,
  ...(expect !== 'accept'
    ? {}
    : kind === 'welcome'
      ? { accountId: hex(accountId), epoch: 7 }
      : { record: hex(record) }),
});
const broken = { code: 'link-message-malformed' };
const newer = { code: 'link-version-unsupported' };
const messages = [
  message('welcome', 'VA-181', 'a welcome', 'welcome', welcome(1, 7), 'accept'),
  message(
    'welcome-parameters',
    'VA-181',
    'with parameters of a later version',
    'welcome',
    welcome(1, 7, Buffer.of(1, 2)),
    'accept',
  ),
  message('welcome-epoch', 'VA-181', 'epoch 0', 'welcome', welcome(1, 0), broken),
  message('welcome-cut', 'VA-181', 'the last byte is missing', 'welcome', welcome(1, 7).subarray(0, -1), broken),
  message(
    'welcome-trailing',
    'VA-181',
    'a byte after the end',
    'welcome',
    Buffer.concat([welcome(1, 7), Buffer.of(0)]),
    broken,
  ),
  message(
    'welcome-parameters-long',
    'VA-181',
    '513 bytes of parameters',
    'welcome',
    welcome(1, 7, Buffer.alloc(513)),
    broken,
  ),
  message('welcome-version', 'VA-182', 'version 2', 'welcome', welcome(2, 7), newer),
  message('request', 'VA-181', 'a request', 'request', request(1, record), 'accept'),
  message(
    'request-parameters',
    'VA-181',
    'with parameters of a later version',
    'request',
    request(1, record, Buffer.of(1)),
    'accept',
  ),
  message('request-long', 'VA-181', 'a record of 1,025 bytes', 'request', request(1, Buffer.alloc(1025)), broken),
  message('request-cut', 'VA-181', 'the last byte is missing', 'request', request(1, record).subarray(0, -1), broken),
  message('request-version', 'VA-182', 'version 2', 'request', request(2, record), newer),
];

const [fromInitiator, fromResponder, hash] = [
  seeded('from initiator', 32),
  seeded('from responder', 32),
  seeded('hash', 32),
];
const both = Buffer.concat([fromInitiator, fromResponder]);
const [newNumber, openNumber, message2] = [
  seeded('new number', 32),
  seeded('open number', 32),
  seeded('message 2', 1152),
];
const procedure = {
  rule: 'CL-352',
  fromInitiator: hex(fromInitiator),
  fromResponder: hex(fromResponder),
  hash: hex(hash),
  slotKeys: [0, 2, 3, 4, 5, 6].map((slot) => ({
    slot,
    key: hkdf(both, hash, Buffer.concat([Buffer.from('sotto/link/message/v1'), Buffer.of(slot)]), 32),
  })),
  lockSecret: hkdf(both, hash, 'sotto/link/lock/v1', 32),
  newNumber: hex(newNumber),
  openNumber: hex(openNumber),
  message2: hex(message2),
  commitment: hex(sha256(v16('sotto/link/commitment/v1'), openNumber, message2)),
  digits: String(
    sha256(v16('sotto/link/digits/v1'), hash, newNumber, openNumber).readBigUInt64BE() % 1_000_000n,
  ).padStart(6, '0'),
};

const path = new URL('./link.json', import.meta.url);
const written = `${JSON.stringify({ texts, codes, messages, procedure }, null, 1)}\n`;
if (!process.argv.includes('--check')) writeFileSync(path, written);
else if (readFileSync(path, 'utf8') !== written) throw new Error('link.json is not what the generator writes');
