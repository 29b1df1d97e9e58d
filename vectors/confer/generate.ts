/**
 * Writes the vectors of this folder, with the independent peer of examples/confer-peer and none of the product's code.
 *
 *   node vectors/confer/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { bytes, encodeRequest, encodeResponse, framesOf, integer } from '../../examples/confer-peer/messages.ts';
import { Client, keyPair, Server } from '../../examples/confer-peer/noise-xx.ts';
import { evidenceFor } from '../../examples/confer-peer/server.ts';
import { mintToken } from '../../examples/confer-peer/token.ts';

const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');
const raw = (value: number) => Buffer.alloc(32, value);
const join = (...parts: Uint8Array[]) => Buffer.concat(parts);
const save = (name: string, value: unknown) =>
  writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(value, null, 1)}\n`);
const accept = 'accept';

// The handshake, and one message each way.
const keys = { client_ephemeral: 0x11, client_static: 0x12, machine_ephemeral: 0x21, machine_static: 0x22 };
const client = new Client(keyPair(raw(keys.client_ephemeral)), keyPair(raw(keys.client_static)));
const machine = new Server(keyPair(raw(keys.machine_static)), keyPair(raw(keys.machine_ephemeral)));
const evidence = Buffer.from(evidenceFor(machine.s));
const message1 = client.first();
const message2 = machine.answer(message1, evidence);
client.second(message2);
const third = client.third();
const machinePipe = machine.finish(third.message).pipe;
const chunkId = Buffer.from('8899aabbccddeeff', 'hex').readBigInt64BE();
const ping = encodeRequest({ id: 1n, verb: 'GET', path: '/ping', body: '' });
const pong = encodeResponse({ id: 1n, status: 200, body: 'PONG' });
const [pingFrame = ping] = framesOf(ping, undefined, chunkId);
const [pongFrame = pong] = framesOf(pong, undefined, chunkId);

const bare = new Client(keyPair(raw(keys.client_ephemeral)), keyPair(raw(keys.client_static)));
const bareMachine = new Server(keyPair(raw(keys.machine_static)), keyPair(raw(keys.machine_ephemeral)));
const withoutEvidence = bareMachine.answer(bare.first(), Buffer.alloc(0));
const order4 = Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex');
const flipped = (message: Buffer, at: number) => {
  const copy = Buffer.from(message);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
};

const handshakes: object[] = [];
const toMachine = (id: string, rule: string, note: string, messages: Buffer[], code: string) =>
  handshakes.push({ id, rule, note, to: 'responder', messages_hex: messages.map(hex), expect: { code } });
const toClient = (id: string, rule: string, note: string, message: Buffer, code: string) =>
  handshakes.push({ id, rule, note, to: 'initiator', messages_hex: [hex(message)], expect: { code } });
const [malformed, failed] = ['confer-handshake-malformed', 'confer-handshake-failed'];
toMachine('m1-short', 'CO-02', 'message 1 without its last byte', [message1.subarray(0, 31)], malformed);
toMachine('m1-payload', 'CO-02', 'message 1 with a payload of one byte', [join(message1, Buffer.of(0))], malformed);
toMachine('m1-empty', 'CO-02', 'an empty message 1', [Buffer.alloc(0)], malformed);
toMachine('m1-4097', 'CO-02', 'a first message of 4,097 bytes', [Buffer.alloc(4097)], 'confer-handshake-too-large');
toMachine('m1-zero', 'CO-05', 'an all-zero ephemeral key', [Buffer.alloc(32)], failed);
toMachine('m1-order-4', 'CO-05', 'an ephemeral key of small order', [order4], failed);
toMachine('m3-short', 'CO-02', 'message 3 without its last byte', [message1, third.message.subarray(0, 63)], malformed);
toMachine('m3-payload', 'CO-02', 'message 3 one byte longer', [message1, join(third.message, Buffer.of(0))], malformed);
toMachine(
  'm3-key',
  'CO-05',
  'the sealed static key of message 3 altered',
  [message1, flipped(third.message, 0)],
  failed,
);
toMachine('m3-tag', 'CO-05', 'the last tag of message 3 altered', [message1, flipped(third.message, 63)], failed);
toClient('m2-no-evidence', 'CO-03', 'message 2 with an empty payload', withoutEvidence, 'confer-evidence-missing');
toClient('m2-short', 'CO-05', 'message 2 that ends in the static key', message2.subarray(0, 60), malformed);
toClient('m2-ephemeral', 'CO-05', 'the ephemeral key altered', flipped(message2, 0), failed);
toClient('m2-zero', 'CO-05', 'an all-zero ephemeral key', join(Buffer.alloc(32), message2.subarray(32)), failed);
toClient('m2-static', 'CO-05', 'the sealed static key altered', flipped(message2, 32), failed);
toClient('m2-evidence', 'CO-05', 'the sealed evidence altered', flipped(message2, 80), failed);
toClient('m2-cut', 'CO-05', 'message 2 without its last byte', message2.subarray(0, -1), failed);
toClient(
  'm2-long',
  'CO-10',
  'message 2 of 65,536 bytes',
  join(message2, Buffer.alloc(65_536 - message2.length)),
  'confer-handshake-too-large',
);
const shortHex = (text: string) => text.replace(/(..)(?:\1){63,}/g, (run, byte) => `(${byte}x${run.length / 2})`);
save('handshake.json', {
  keys: Object.fromEntries(Object.entries(keys).map(([name, value]) => [`${name}_hex`, hex(raw(value))])),
  chunk_id_hex: '8899aabbccddeeff',
  evidence: evidence.toString(),
  message1_hex: hex(message1),
  message2_hex: hex(message2),
  message3_hex: hex(third.message),
  ping_sealed_hex: hex(third.pipe.seal(pingFrame)),
  pong_sealed_hex: hex(machinePipe.seal(pongFrame)),
  cases: JSON.parse(shortHex(JSON.stringify(handshakes))),
});

// Frames, and what they make together.
const frames: object[] = [];
const frame = (id: string, rule: string, note: string, list: Uint8Array[], expect: unknown) =>
  frames.push({ id, rule, note, frames_hex: list.map(hex), expect });
const messages = (...list: string[]) => ({ messages: list.map((text) => hex(Buffer.from(text))) });
const frameCode = { code: 'confer-frame-malformed' };
const limitCode = { code: 'confer-assembly-limit' };
const one = (index: number, total: number, text: string, id = 7n) =>
  join(integer(1, id), integer(2, index), integer(3, total), bytes(4, text));
frame('single', 'CO-20', 'one frame, one message', [one(0, 1, 'a')], messages('a'));
frame('negative-id', 'CO-20', 'a negative chunk_id, ten bytes', [one(0, 1, 'a', -1n)], messages('a'));
frame('defaults', 'CO-20', 'chunk_id and index left out', [join(integer(3, 1), bytes(4, 'a'))], messages('a'));
frame('no-payload', 'CO-20', 'an empty payload left out', [join(integer(1, 7), integer(3, 1))], messages(''));
frame(
  'unknown-16',
  'CO-20',
  'sixteen unknown fields of every wire type',
  [
    join(
      ...Array.from({ length: 13 }, (_, index) => integer(20 + index, 1)),
      Buffer.from(`a906${'00'.repeat(8)}`, 'hex'),
      Buffer.from(`ad06${'00'.repeat(4)}`, 'hex'),
      bytes(102, 'x'),
      one(0, 1, 'a'),
    ),
  ],
  messages('a'),
);
frame('reordered', 'CO-25', 'the parts in reverse', [one(2, 3, 'c'), one(1, 3, 'b'), one(0, 3, 'a')], messages('abc'));
frame(
  'interleaved',
  'CO-25',
  'two messages interleaved',
  [one(0, 2, 'a'), one(0, 2, 'x', 8n), one(1, 2, 'b'), one(1, 2, 'y', 8n)],
  messages('ab', 'xy'),
);
frame(
  'id-again',
  'CO-25',
  'an id that is used again after its end',
  [one(0, 1, 'a'), one(0, 1, 'b')],
  messages('a', 'b'),
);
frame('field-0', 'CO-20', 'a field number 0', [join(Buffer.of(0, 0), one(0, 1, 'a'))], frameCode);
frame('twice-integer', 'CO-20', 'total_chunks twice', [join(one(0, 1, 'a'), integer(3, 1))], frameCode);
frame('twice-bytes', 'CO-20', 'the payload twice', [join(one(0, 1, 'a'), bytes(4, 'b'))], frameCode);
frame('wire-type', 'CO-20', 'the index as text', [join(integer(1, 7), bytes(2, ''), integer(3, 1))], frameCode);
frame(
  'wire-type-bytes',
  'CO-20',
  'the payload as an integer',
  [join(integer(1, 7), integer(3, 1), integer(4, 0))],
  frameCode,
);
frame('group', 'CO-20', 'a group', [join(one(0, 1, 'a'), Buffer.of(0x2b))], frameCode);
frame(
  'unknown-17',
  'CO-20',
  'seventeen unknown fields',
  [join(...Array.from({ length: 17 }, (_, index) => integer(20 + index, 1)), one(0, 1, 'a'))],
  frameCode,
);
frame('cut', 'CO-20', 'the payload ends early', [one(0, 1, 'abc').subarray(0, -1)], frameCode);
frame(
  'length',
  'CO-20',
  'a length of 2^63',
  [join(integer(1, 7), integer(3, 1), Buffer.from('22ffffffffffffffff7f', 'hex'))],
  frameCode,
);
frame(
  'varint-11',
  'CO-20',
  'a varint of eleven bytes',
  [join(Buffer.from('0880808080808080808080' + '00', 'hex'), integer(3, 1))],
  frameCode,
);
frame(
  'varint-65',
  'CO-20',
  'a varint with a 65th bit',
  [join(Buffer.from('08ffffffffffffffffff02', 'hex'), integer(3, 1))],
  frameCode,
);
frame('empty', 'CO-21', 'an empty frame', [Buffer.alloc(0)], frameCode);
frame('total-0', 'CO-21', 'no total', [join(integer(1, 7), integer(2, 0), bytes(4, 'a'))], frameCode);
frame('index-total', 'CO-21', 'an index that is the total', [one(1, 1, 'a')], frameCode);
frame('total-2-32', 'CO-21', 'a total of 2^32', [join(integer(1, 7), integer(3, 2 ** 32), bytes(4, 'a'))], frameCode);
frame('total-257', 'CO-22', '257 frames announced', [one(0, 257, 'a')], limitCode);
frame('total-256', 'CO-22', '256 frames announced', [one(0, 256, 'a')], messages());
frame(
  'open-9',
  'CO-24',
  'nine messages begun',
  Array.from({ length: 9 }, (_, id) => one(0, 2, 'a', BigInt(id))),
  limitCode,
);
frame(
  'open-8',
  'CO-24',
  'eight messages begun',
  Array.from({ length: 8 }, (_, id) => one(0, 2, 'a', BigInt(id))),
  messages(),
);
frame('index-twice', 'CO-25', 'a part twice', [one(0, 2, 'a'), one(0, 2, 'b')], frameCode);
frame('total-changes', 'CO-25', 'a total that grows', [one(0, 2, 'a'), one(1, 3, 'b')], frameCode);
frame('total-becomes-1', 'CO-25', 'a total that becomes 1', [one(0, 2, 'a'), one(0, 1, 'b')], frameCode);
save('frames.json', { cases: frames });

// Requests and responses.
const plain: object[] = [];
const message = (id: string, rule: string, kind: string, note: string, data: Uint8Array, expect: unknown) =>
  plain.push({ id, rule, kind, note, message_hex: hex(data), expect });
const messageCode = { code: 'confer-message-malformed' };
message('request', 'CO-30', 'request', 'a plain request', ping, accept);
message(
  'request-id',
  'CO-30',
  'request',
  'a negative id',
  encodeRequest({ id: -5n, verb: 'GET', path: '/', body: 'x' }),
  accept,
);
message('request-upload', 'CO-30', 'request', 'the start of an upload', join(ping, bytes(5, '')), accept);
message('request-part', 'CO-30', 'request', 'a further part of one', join(integer(1, 3), bytes(5, '')), accept);
message('request-no-id', 'CO-30', 'request', 'no id', join(bytes(2, 'GET'), bytes(3, '/ping')), messageCode);
message('request-no-verb', 'CO-30', 'request', 'a path alone', join(integer(1, 1), bytes(3, '/ping')), messageCode);
message('request-no-path', 'CO-30', 'request', 'a verb alone', join(integer(1, 1), bytes(2, 'GET')), messageCode);
message(
  'request-part-verb',
  'CO-30',
  'request',
  'a part with a verb',
  join(integer(1, 1), bytes(2, 'GET'), bytes(5, '')),
  messageCode,
);
message('request-nothing', 'CO-30', 'request', 'an id alone', integer(1, 1), messageCode);
message(
  'request-utf8',
  'CO-30',
  'request',
  'a path that is no text',
  join(integer(1, 1), bytes(2, 'GET'), bytes(3, Buffer.of(0xff))),
  messageCode,
);
message(
  'request-long-path',
  'CO-20',
  'request',
  'a path of 1,025 bytes',
  join(integer(1, 1), bytes(2, 'GET'), bytes(3, '/'.repeat(1025))),
  messageCode,
);
message(
  'response',
  'CO-31',
  'response',
  'PONG to id 1, as the proxy writes it',
  Buffer.from('080110c8011a04504f4e47', 'hex'),
  accept,
);
message(
  'response-headers',
  'CO-31',
  'response',
  'two headers',
  encodeResponse({ id: 1n, status: 200, body: '' }, { a: '1', b: '2' }),
  accept,
);
message('response-no-status', 'CO-31', 'response', 'no status', integer(1, 1), messageCode);
message('response-status-99', 'CO-31', 'response', 'status 99', join(integer(1, 1), integer(2, 99)), messageCode);
message('response-status-600', 'CO-31', 'response', 'status 600', join(integer(1, 1), integer(2, 600)), messageCode);
message(
  'response-status-negative',
  'CO-31',
  'response',
  'status −1',
  join(integer(1, 1), integer(2, -1n)),
  messageCode,
);
message('response-no-id', 'CO-30', 'response', 'no id', integer(2, 200), messageCode);
message(
  'response-headers-65',
  'CO-20',
  'response',
  '65 headers',
  join(integer(1, 1), integer(2, 200), ...Array.from({ length: 65 }, () => bytes(4, ''))),
  messageCode,
);
save('messages.json', { cases: plain });

// Tokens.
const nowSeconds = 1_800_000_000;
const secret = 'not a secret: a vector has it!!!';
const good = { iss: 'kerf', exp: nowSeconds + 900, sub: 'somebody' };
const tokens: object[] = [];
const token = (id: string, rule: string, note: string, text: string, expect: unknown) =>
  tokens.push({ id, rule, note, token: text, expect });
const tokenCode = (end: string) => ({ code: `confer-token-${end}` });
const goodToken = mintToken(secret, good);
const [head = '', body = '', mac = ''] = goodToken.split('.');
token('free', 'CO-40', 'a sound token', goodToken, { isSubscribed: false });
token('subscribed', 'CO-43', 'subscribed', mintToken(secret, { ...good, subscribed: true }), { isSubscribed: true });
token('subscribed-text', 'CO-43', 'subscribed, as text', mintToken(secret, { ...good, subscribed: 'true' }), {
  isSubscribed: false,
});
token('now', 'CO-42', 'its last second', mintToken(secret, { ...good, exp: nowSeconds }), { isSubscribed: false });
token('nothing', 'CO-40', 'nothing', '', tokenCode('malformed'));
token('two-parts', 'CO-40', 'no MAC', `${head}.${body}`, tokenCode('malformed'));
token('four-parts', 'CO-40', 'four parts', `${goodToken}.${mac}`, tokenCode('malformed'));
token(
  'long',
  'CO-40',
  '8,193 characters',
  `${goodToken}${'A'.repeat(8193 - goodToken.length)}`,
  tokenCode('malformed'),
);
token('padded', 'CO-40', 'a MAC in another spelling', `${goodToken}=`, tokenCode('malformed'));
token('claims-list', 'CO-40', 'claims that are a list', mintToken(secret, [] as never), tokenCode('malformed'));
token('other-secret', 'CO-40', 'a MAC by another secret', mintToken('another secret', good), tokenCode('forged'));
token('no-mac', 'CO-40', 'an empty MAC', `${head}.${body}.`, tokenCode('forged'));
token('none', 'CO-40', 'algorithm none', mintToken(secret, good, { alg: 'none' }), tokenCode('forged'));
token('hs512', 'CO-40', 'another algorithm', mintToken(secret, good, { alg: 'HS512' }), tokenCode('forged'));
token('issuer', 'CO-41', 'another issuer', mintToken(secret, { ...good, iss: 'other' }), tokenCode('forged'));
token('no-issuer', 'CO-41', 'no issuer', mintToken(secret, { exp: good.exp }), tokenCode('forged'));
token(
  'expired',
  'CO-42',
  'a second too late',
  mintToken(secret, { ...good, exp: nowSeconds - 1 }),
  tokenCode('expired'),
);
token('no-end', 'CO-42', 'no end', mintToken(secret, { iss: 'kerf' }), tokenCode('malformed'));
token(
  'end-text',
  'CO-42',
  'an end that is text',
  mintToken(secret, { iss: 'kerf', exp: '9999999999' }),
  tokenCode('malformed'),
);
save('tokens.json', { secret, now_ms: nowSeconds * 1000, cases: tokens });

// Evidence and events.
const json: object[] = [];
const text = (id: string, rule: string, kind: string, note: string, value: unknown, expect: unknown) =>
  json.push({ id, rule, kind, note, text: typeof value === 'string' ? value : JSON.stringify(value), expect });
const sound = { platform: 'TDX', attestation: 'a', manifest: 'm', manifestBundle: 'b' };
text('evidence', 'CO-50', 'evidence', 'sound', sound, accept);
text(
  'evidence-snp',
  'CO-50',
  'evidence',
  'another platform, a field more',
  { ...sound, platform: 'SEV-SNP', more: 1 },
  accept,
);
text('evidence-null', 'CO-50', 'evidence', 'no attestation', { ...sound, attestation: null }, 'refuse');
text('evidence-empty', 'CO-50', 'evidence', 'an empty attestation', { ...sound, attestation: '' }, 'refuse');
text('evidence-manifest', 'CO-50', 'evidence', 'an empty manifest', { ...sound, manifest: '' }, 'refuse');
text(
  'evidence-bundle',
  'CO-50',
  'evidence',
  'no bundle',
  { platform: 'TDX', attestation: 'a', manifest: 'm' },
  'refuse',
);
text('evidence-platform', 'CO-50', 'evidence', 'an unknown platform', { ...sound, platform: 'dev' }, 'refuse');
text('evidence-list', 'CO-50', 'evidence', 'a list', [sound], 'refuse');
text('evidence-text', 'CO-50', 'evidence', 'not JSON', 'TDX', 'refuse');
text('token', 'CO-64', 'event', 'a word', { type: 'token', content: 'a' }, { kind: 'token' });
text(
  'completion',
  'CO-64',
  'event',
  'the end',
  { type: 'completion', context_tokens: 1, max_context_tokens: 2 },
  { kind: 'completion' },
);
text('thinking', 'CO-64', 'event', 'another event', { type: 'thinking', content: 'a' }, { kind: 'other' });
text('later', 'CO-64', 'event', 'an event of a later version', { type: 'later' }, { kind: 'other' });
text('no-type', 'CO-64', 'event', 'no type', { content: 'a' }, 'refuse');
text('token-null', 'CO-64', 'event', 'a word that is null', { type: 'token', content: null }, 'refuse');
text(
  'completion-negative',
  'CO-64',
  'event',
  'a negative count',
  { type: 'completion', context_tokens: -1, max_context_tokens: 2 },
  'refuse',
);
text('event-list', 'CO-64', 'event', 'a list', [], 'refuse');
text('event-two', 'CO-64', 'event', 'two objects', '{"type":"later"}{"type":"later"}', 'refuse');
save('json.json', { cases: json });
