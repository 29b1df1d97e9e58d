/**
 * Writes heads.json and json.json of this folder. The protobuf bytes are put together here, field by field, without the
 * product's codec.
 *
 *   node vectors/wire/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { concatBytes, encodeHex, encodeUtf8 } from '@sotto/bytes';

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Uint8Array.of(...bytes, left);
}
const number = (field: number, value: number) => concatBytes(varint(field * 8), varint(value));
const bytesField = (field: number, value: Uint8Array) =>
  concatBytes(varint(field * 8 + 2), varint(value.length), value);
const text = (field: number, value: string) => bytesField(field, encodeUtf8(value));
const header = (name: string, value: string) => bytesField(4, concatBytes(text(1, name), text(2, value)));

const version = number(1, 1);
const method = text(2, 'POST');
const path = text(3, '/v1/chat/completions');
const type = header('content-type', 'application/json');
const status = number(2, 200);

const heads: unknown[] = [];
const add = (kind: string, id: string, rule: string, note: string, parts: Uint8Array[], expect: unknown) =>
  heads.push({ id, rule, note, kind, bytes_hex: encodeHex(concatBytes(...parts)), expect });
const request = (
  id: string,
  rule: string,
  note: string,
  parts: Uint8Array[],
  expect: unknown = { code: 'wire-malformed' },
) => add('request-head', id, rule, note, parts, expect);
const response = (
  id: string,
  rule: string,
  note: string,
  parts: Uint8Array[],
  expect: unknown = { code: 'wire-malformed' },
) => add('response-head', id, rule, note, parts, expect);
const tooLarge = { code: 'wire-too-large' };
const truncated = { code: 'wire-truncated' };

request('request', 'WI-10', 'a good request', [version, method, path, type], 'accept');
request(
  'request-empty-value',
  'WI-12',
  'a header without a value',
  [version, method, path, bytesField(4, text(1, 'x-a'))],
  'accept',
);
response('response', 'WI-13', 'a good response', [version, status, type], 'accept');
request('order', 'WI-10', 'fields in another order', [path, type, method, version], 'accept');
request('long-path', 'WI-01', 'a path of 2049 bytes', [version, method, text(3, `/${'a'.repeat(2048)}`)], tooLarge);
request(
  'long-head',
  'WI-01',
  'a head above 16 KiB',
  [version, method, path, ...Array.from({ length: 5 }, () => header('x', 'a'.repeat(4000)))],
  tooLarge,
);
request(
  'many-headers',
  'WI-01',
  '33 headers',
  [version, method, path, ...Array.from({ length: 33 }, () => header('x', 'a'))],
  tooLarge,
);
request('version-twice', 'WI-02', 'the version stands twice', [version, version, method, path]);
request('method-twice', 'WI-02', 'the method stands twice', [version, method, path, text(2, 'GET')]);
request(
  'unknown-16',
  'WI-03',
  '16 unknown fields',
  [version, method, path, ...Array.from({ length: 16 }, (_, i) => number(20 + i, 7))],
  'accept',
);
request('unknown-text', 'WI-03', 'an unknown text field', [version, method, path, text(99, 'later')], 'accept');
request(
  'unknown-17',
  'WI-03',
  '17 unknown fields',
  [version, method, path, ...Array.from({ length: 17 }, () => number(20, 7))],
  tooLarge,
);
request('method-as-number', 'WI-04', 'the method as a varint', [version, number(2, 1), path]);
request('unknown-group', 'WI-04', 'an unknown field of wire type 3', [version, method, path, varint(20 * 8 + 3)]);
request('unknown-fixed', 'WI-04', 'an unknown field of wire type 5', [
  version,
  method,
  path,
  varint(20 * 8 + 5),
  Uint8Array.of(1, 2, 3, 4),
]);
request('version-large', 'WI-05', 'a version above 16 bits', [number(1, 65537), method, path]);
request('number-large', 'WI-05', 'an unknown number above 2^53 - 1', [
  version,
  method,
  path,
  varint(160),
  varint(2 ** 53),
]);
request('padded', 'WI-06', 'the version with a padded varint', [Uint8Array.of(8, 0x81, 0), method, path]);
request('not-utf8', 'WI-07', 'a path that is not UTF-8', [version, method, bytesField(3, Uint8Array.of(0x2f, 0xff))]);
request('cut', 'WI-08', 'lacks its last byte', [version, method, path.slice(0, -1)], truncated);
request('cut-varint', 'WI-08', 'ends inside a number', [version, method, path, Uint8Array.of(0xa0)], truncated);
request('version-0', 'WI-09', 'no version', [method, path], { code: 'wire-version' });
response('version-2', 'WI-09', 'version 2', [number(1, 2), status], { code: 'wire-version' });
request('method-unknown', 'WI-10', 'method BREW', [version, text(2, 'BREW'), path]);
request('method-lower', 'WI-10', 'a lower-case method', [version, text(2, 'post'), path]);
request('path-none', 'WI-11', 'no path', [version, method]);
request('path-relative', 'WI-11', 'no slash', [version, method, text(3, 'v1/models')]);
request('path-host', 'WI-11', 'two slashes: another host', [version, method, text(3, '//evil.example/')]);
request('path-break', 'WI-11', 'a line break', [version, method, text(3, '/v1\r\nx: y')]);
request('header-upper', 'WI-12', 'an upper-case name', [version, method, path, header('X-A', '1')]);
request('header-nameless', 'WI-12', 'no name', [version, method, path, header('', '1')]);
request('header-break', 'WI-12', 'a line break in the value', [version, method, path, header('x-a', '1\r\nx-b: 2')]);
response('status-low', 'WI-13', 'status 199', [version, number(2, 199)]);
response('status-high', 'WI-13', 'status 600', [version, number(2, 600)]);

const recoveryKey = (length: number) => bytesField(5, new Uint8Array(length).fill(7));
request('recovery-key', 'WI-26', 'a recovery key', [version, method, path, recoveryKey(32)], 'accept');
request('recovery-key-short', 'WI-26', 'a recovery key of 31 bytes', [version, method, path, recoveryKey(31)]);
request('recovery-key-empty', 'WI-26', 'a recovery key of no bytes', [version, method, path, recoveryKey(0)]);
request('recovery-key-long', 'WI-01', 'a recovery key of 33 bytes', [version, method, path, recoveryKey(33)], tooLarge);
const claim = (id: string, rule: string, note: string, parts: Uint8Array[], expect: unknown = malformedCode) =>
  add('claim', id, rule, note, parts, expect);
const malformedCode = { code: 'wire-malformed' };
const claimId = bytesField(1, new Uint8Array(16).fill(1));
const claimToken = bytesField(2, new Uint8Array(32).fill(2));
claim('claim', 'WI-27', 'a good claim', [claimId, claimToken, number(3, 4096)], 'accept');
claim('claim-from-start', 'WI-27', 'a claim of everything', [claimId, claimToken], 'accept');
claim('claim-no-id', 'WI-27', 'no id', [claimToken, number(3, 4096)]);
claim('claim-no-token', 'WI-27', 'no token', [claimId, number(3, 4096)]);
claim('claim-id-short', 'WI-26', 'an id of 15 bytes', [bytesField(1, new Uint8Array(15)), claimToken]);
claim('claim-position', 'WI-05', 'a position above 32 bits', [claimId, claimToken, number(3, 2 ** 32)]);
claim(
  'claim-long',
  'WI-01',
  'a claim above 128 bytes',
  [claimId, claimToken, bytesField(9, new Uint8Array(128))],
  tooLarge,
);

const hex = (bytes: number) => 'ab'.repeat(bytes);
const listing = { nodeId: hex(16), suites: ['sotto-1'], evidenceDigest: hex(32), epochId: hex(16) };
const refusal = { code: 'session-required', message: 'Sign in first.', action: 'fix-input' };
const signIn = { lookupId: `${'q'.repeat(21)}g==`, authenticator: `${'q'.repeat(42)}o=` };
const chat = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
const malformed = { code: 'wire-malformed' };
const json: unknown[] = [];
const body = (shape: string, id: string, rule: string, note: string, value: unknown, expect: unknown = malformed) =>
  json.push({ id, rule, note, shape, json: JSON.stringify(value), expect });

body('nodes', 'nodes', 'WI-14', 'a good listing', { nodes: [listing] }, 'accept');
body(
  'nodes',
  'nodes-later',
  'WI-19',
  'a field of a later version in an answer',
  { nodes: [{ ...listing, place: 'x' }], next: 1 },
  'accept',
);
body('error', 'error', 'WI-15', 'a good refusal', { error: { ...refusal, rule: 'SV-10' } }, 'accept');
body('recovery', 'recovery', 'WI-20', 'a good request', signIn, 'accept');
body('chat', 'chat', 'WI-25', 'a good request', { ...chat, stream: true, max_tokens: 5, temperature: 0.7 }, 'accept');
body('nodes', 'nodes-many', 'WI-01', '65 nodes', { nodes: Array.from({ length: 65 }, () => listing) }, tooLarge);
body(
  'error',
  'message-long',
  'WI-01',
  'a message of 1025 characters',
  { error: { ...refusal, message: 'x'.repeat(1025) } },
  tooLarge,
);
body('nodes', 'list', 'WI-14', 'a list for an object', [listing]);
body('nodes', 'null', 'WI-14', 'null for an object', null);
body('nodes', 'object-for-list', 'WI-14', 'an object with a length for a list', { nodes: { length: 1, 0: listing } });
body('nodes', 'number-for-text', 'WI-14', 'a number for text', { nodes: [{ ...listing, nodeId: 7 }] });
body('chat', 'text-for-boolean', 'WI-14', '"false" for false', { ...chat, stream: 'false' });
body('error', 'code-form', 'WI-15', 'a code with markup', { error: { ...refusal, code: '<b>' } });
body('error', 'rule-form', 'WI-15', 'a rule that is none', { error: { ...refusal, rule: 'x' } });
body('sequence', 'negative', 'WI-16', 'a negative sequence', { sequence: -1 });
body('sequence', 'fraction', 'WI-16', 'a fraction', { sequence: 1.5 });
body('sequence', 'unsafe', 'WI-16', '2^53', { sequence: 2 ** 53 });
body('chat', 'temperature', 'WI-16', 'a temperature of 3', { ...chat, temperature: 3 });
body('error', 'action', 'WI-17', 'an unknown action', { error: { ...refusal, action: 'ignore' } });
body('chat', 'role', 'WI-17', 'an unknown role', { ...chat, messages: [{ role: 'tool', content: '' }] });
body('sequence', 'missing', 'WI-18', 'a missing field', {});
body('nodes', 'missing-inner', 'WI-18', 'a missing field inside', { nodes: [{ nodeId: hex(16) }] });
body('recovery', 'request-field', 'WI-19', 'an undeclared field in a request', { ...signIn, prf: 'AA==' });
body('nodes', 'hex-upper', 'WI-20', 'upper-case hex', { nodes: [{ ...listing, nodeId: hex(16).toUpperCase() }] });
body('nodes', 'hex-short', 'WI-20', '15 bytes for 16', { nodes: [{ ...listing, nodeId: hex(15) }] });
body('recovery', 'base64-spare', 'WI-20', 'spare bits that are not zero', {
  ...signIn,
  lookupId: `${'q'.repeat(21)}h==`,
});
body('recovery', 'base64-short', 'WI-20', '13 bytes for 16', { ...signIn, lookupId: `${'q'.repeat(17)}g==` });
body('chat', 'unknown-setting', 'WI-25', 'a setting that would not be obeyed', { ...chat, logit_bias: {} });
body('chat', 'unknown-in-message', 'WI-25', 'a field in a message', {
  ...chat,
  messages: [{ role: 'user', content: '', name: 'x' }],
});

function save(name: string, file: unknown): void {
  writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(file, null, 1)}\n`);
}
save('heads.json', { description: 'parseRequestHead and parseResponseHead, spec/wire.md §heads', vectors: heads });
save('json.json', { description: 'JSON bodies, spec/wire.md §json and §chat', vectors: json });
