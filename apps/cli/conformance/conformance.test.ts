/** The judge's interface, rule by rule, on our own vectors (spec/conformance.md). */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { encodeBase64, encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { judgeLines, LINE_LIMIT_BYTES, linesOf } from './batch.ts';
import { count } from './input.ts';
import { type Json, type JsonObject, outcomeOf } from './outcome.ts';
import { capabilities, judge } from './stages.ts';

interface NoiseVector {
  readonly id: string;
  readonly rule: string;
  readonly input: JsonObject & { messages: { payload: string; ciphertext: string }[] };
  readonly expect: 'accept' | { readonly code: string };
}
const load = <Value>(path: string) =>
  JSON.parse(readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), 'utf8')) as Value;
const { vectors } = load<{ vectors: NoiseVector[] }>('noise/vectors.json');
const vector = (id: string): NoiseVector => vectors.find((one) => one.id === id) as NoiseVector;
const noise = (input: unknown) => judge('noise', () => input);
const script = new URL('../sotto.js', import.meta.url).pathname;

/** The outcome's exit and code. */
async function verdict(outcome: ReturnType<typeof judge>): Promise<string> {
  const { exit, output } = await outcome;
  return exit === 0 ? '0' : `${exit} ${output.code}`;
}

async function expectNoise(rule: string): Promise<void> {
  const cases = vectors.filter((one) => one.rule === rule);
  assert.ok(cases.length > 0);
  for (const { id, input, expect } of cases) {
    assert.equal(await verdict(noise(input)), expect === 'accept' ? '0' : `10 ${expect.code}`, id);
  }
}

function run(words: readonly string[], input: string | Buffer) {
  const { status, stdout } = spawnSync(process.execPath, [script, 'conformance', ...words], {
    input,
    encoding: 'utf8',
  });
  return { status, output: JSON.parse(stdout) as JsonObject };
}

test('CF-01 the command answers with an object and an exit code', () => {
  const accepted = run(['noise'], JSON.stringify(vector('psk0').input));
  assert.equal(accepted.status, 0);
  assert.equal(accepted.output.handshake_hash_hex, vector('psk0').input.handshake_hash);
  for (const [words, input, status, code] of [
    [['noise'], JSON.stringify(vector('flip-1').input), 10, 'ciphertext-mismatch'],
    [['sigstore'], 'not JSON', 20, 'unsupported-stage'],
    [['noise'], '{"protocol_name": ', 30, 'input-unreadable'],
    [['noise'], '', 30, 'input-unreadable'],
    [['noise'], Buffer.from([0x22, 0xff, 0x22]), 30, 'input-unreadable'],
  ] as const) {
    const answer = run(words, input);
    assert.deepEqual([answer.status, answer.output.code], [status, code], words.join(' '));
  }
  const none = spawnSync(process.execPath, [script, 'conformance'], { encoding: 'utf8' });
  assert.equal(none.status, 64);
});

test('CF-04 a stage that is not listed is unsupported, and those listed are there', async () => {
  const { output } = run(['capabilities'], '');
  assert.deepEqual(output, capabilities());
  for (const name of Object.keys(output.stages as JsonObject)) {
    assert.equal(await verdict(judge(name, () => ({}))), '30 input-malformed', name);
  }
  for (const name of ['release', 'web', 'receipt', 'capabilities', 'constructor', '']) {
    const unread = judge(name, () => assert.fail('the input was read'));
    assert.equal(await verdict(unread), '20 unsupported-stage', name);
  }
});

test('CF-02 a field that the stage or the case does not have is refused', async () => {
  const { input } = vector('psk0');
  const extra: JsonObject[] = [
    { ...input, resp_psk: '00' },
    JSON.parse(`${JSON.stringify(input).slice(0, -1)},"__proto__":{}}`) as JsonObject,
    { ...input, messages: [{ ...input.messages[0], cipher_text: '' } as JsonObject, ...input.messages.slice(1)] },
    { ...input, kem_i_seed_d_z: '00'.repeat(64) },
    { ...input, encap_seed: '00'.repeat(32) },
    { ...input, init_hybrid_ephemeral: '00'.repeat(32) },
    { ...vector('hfs-kem').input, resp_hybrid_ephemeral: '00'.repeat(32) },
  ];
  for (const one of extra) assert.equal(await verdict(noise(one)), '30 input-unknown-field');
  const { output } = await noise(extra[0]);
  assert.deepEqual([output.field, output.rule], ['resp_psk', 'CF-02']);
});

test('CF-03 a missing field, a wrong type, bad text or a wrong length is refused, and the place is named', async () => {
  const { input } = vector('psk2');
  const { messages } = input;
  const changes: [JsonObject, string][] = [
    [{ protocol_name: 5 }, 'protocol_name'],
    [{ protocol_name: undefined }, 'protocol_name'],
    [{ init_static: undefined }, 'init_static'],
    [{ resp_ephemeral: undefined }, 'resp_ephemeral'],
    [{ init_remote_static: undefined }, 'init_remote_static'],
    [{ init_remote_static: null }, 'init_remote_static'],
    [{ resp_static: '00' }, 'resp_static'],
    [{ resp_static: `${input.resp_static}00` }, 'resp_static'],
    [{ resp_static: 'zz'.repeat(32) }, 'resp_static'],
    [{ init_psks: '00' }, 'init_psks'],
    [{ init_psks: ['00'] }, 'init_psks[0]'],
    [{ fallback: 'false' }, 'fallback'],
    [{ messages: {} }, 'messages'],
    [{ messages: [messages[0] as JsonObject, 'x'] }, 'messages[1]'],
    [{ messages: [messages[0] as JsonObject, { payload: 1 }] }, 'messages[1].payload'],
    [{ messages: [messages[0] as JsonObject, { payload: '0' }] }, 'messages[1].payload'],
  ];
  for (const [change, field] of changes) {
    const { exit, output } = await noise(JSON.parse(JSON.stringify({ ...input, ...change })));
    assert.deepEqual([exit, output.code, output.field], [30, 'input-malformed', field], JSON.stringify(change));
  }
  for (const whole of [[], 'x', null, 3, [input]]) assert.equal(await verdict(noise(whole)), '30 input-malformed');
  for (const bad of [1.5, -1, 2 ** 53, '01', '-1', '', '1e3', null, true]) {
    assert.throws(() => count(bad, 'epoch'), { code: 'input-malformed', field: 'epoch' }, String(bad));
  }
  assert.deepEqual(
    ['9007199254740993', '7', 0].map((one) => count(one, '')),
    [9007199254740993n, 7, 0],
  );
});

test('CF-05 protocols, suites and profiles that are not there are unsupported', async () => {
  const { input } = vector('psk0');
  for (const name of [
    'Noise_NNpsk9_25519_AESGCM_SHA256',
    'Noise_NN_25519_AESGCM_SHA3',
    'Noise_NNhfs_25519+NewHope_AESGCM_SHA256',
    'NoisePSK_NN_25519_AESGCM_SHA256',
    'XX',
  ]) {
    assert.equal(await verdict(noise({ ...input, protocol_name: name })), '20 unsupported-protocol', name);
  }
  assert.equal(await verdict(noise({ ...input, fallback: true })), '20 unsupported-protocol');
  assert.equal(await verdict(noise({ ...vector('fallback').input, fallback: false })), '20 unsupported-protocol');
  assert.equal(await verdict(judge('channel-handshake', () => ({ suite: 'confer-1' }))), '20 unsupported-suite');
  assert.equal(
    await verdict(judge('channel-frame', () => ({ ...frames, profile: 'invisible' }))),
    '20 unsupported-profile',
  );
});

async function batch(lines: readonly (string | Uint8Array | undefined)[]) {
  const answers: { id: Json; exit: number; output: JsonObject }[] = [];
  const bytes = (async function* () {
    for (const line of lines) yield typeof line === 'string' ? encodeUtf8(line) : line;
  })();
  for await (const answer of judgeLines(bytes)) answers.push(JSON.parse(answer));
  return answers;
}

test('CF-06 an unreadable line is answered, and those after it are judged', async () => {
  const good = { id: 'last', stage: 'noise', input: vector('one-way').input };
  const answers = await batch([
    '{"id": ',
    '',
    'null',
    '["a", "noise", {}]',
    '{"stage": "noise", "input": {}}',
    '{"id": {}, "stage": "noise", "input": {}}',
    Uint8Array.of(0xff),
    '{"id": "a", "stage": "noise"}',
    '{"id": "b", "input": {}}',
    '{"id": "c", "stage": "noise", "input": {}, "time": 1}',
    '{"id": 7, "stage": "nothing", "input": {}}',
    JSON.stringify(good),
  ]);
  assert.deepEqual(
    answers.map(({ id, exit, output }) => [id, exit, exit === 0 ? 'accepted' : output.code]),
    [
      ...Array.from({ length: 7 }, () => [null, 30, 'input-unreadable']),
      ...['a', 'b', 'c'].map((id) => [id, 30, 'input-unreadable']),
      [7, 20, 'unsupported-stage'],
      ['last', 0, 'accepted'],
    ],
  );
});

test('CF-07 a line is answered before the next one is written', async () => {
  const child = spawn(process.execPath, [script, 'conformance', '--batch'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const id of ['flip-0', 'psk3', 'hfs-kem']) {
    child.stdin.write(`${JSON.stringify({ id, stage: 'noise', input: vector(id).input })}\n`);
    const { value } = await answers.next();
    assert.equal((JSON.parse(value as string) as { id: string }).id, id);
  }
  child.stdin.end('{');
  assert.match((await answers.next()).value as string, /^\{"id":null,"exit":30/);
  assert.deepEqual(await once(child, 'close'), [0, null]);
});

test('CF-08 lines are found wherever they are cut, and one that is too long is dropped', async () => {
  const lines = async (chunks: string[], limit: number) => {
    const found: (string | undefined)[] = [];
    const bytes = (async function* () {
      for (const chunk of chunks) yield encodeUtf8(chunk);
    })();
    for await (const line of linesOf(bytes, limit)) found.push(line && Buffer.from(line).toString());
    return found;
  };
  assert.deepEqual(await lines(['a', 'b\nc', '\n\nd', 'e'], 2), ['ab', 'c', '', 'de']);
  assert.deepEqual(await lines(['aa', 'a\nb\nccc', 'c\nd'], 2), [undefined, 'b', undefined, 'd']);
  assert.deepEqual(await lines([], 2), []);
  assert.deepEqual(
    (await batch([undefined])).map(({ id, exit }) => [id, exit]),
    [[null, 30]],
  );
  assert.equal(LINE_LIMIT_BYTES, 2 ** 26);
});

test('CF-09 an unforeseen error says nothing of itself', () => {
  const { exit, output } = outcomeOf(new TypeError('the account key is 0102'));
  assert.deepEqual([exit, output], [1, { code: 'internal-error', message: 'the judge itself failed' }]);
});

test('CF-12 our own vectors of every modifier are accepted, and a flipped bit of any message is refused', async () => {
  await expectNoise('CF-12');
  const { input } = vector('psk-several');
  const { output } = await noise({
    ...input,
    handshake_hash: undefined,
    messages: input.messages.map(({ payload }) => ({ payload })),
  });
  assert.deepEqual(output, {
    messages: input.messages.map(({ ciphertext }) => ({ ciphertext_hex: ciphertext })),
    handshake_hash_hex: input.handshake_hash,
  });
});

test('CF-10 a vector that ends before its handshake is malformed', async () => {
  for (const [id, sent] of [
    ['psk3', 3],
    ['fallback', 3],
    ['one-way', 1],
  ] as const) {
    const { input } = vector(id);
    assert.equal(await verdict(noise({ ...input, messages: input.messages.slice(0, sent) })), '0');
    const { output } = await noise({ ...input, messages: input.messages.slice(0, sent - 1) });
    assert.deepEqual([output.code, output.field], ['input-malformed', 'messages']);
  }
});

test('CF-11 a message longer than Noise has is refused', () => expectNoise('CF-11'));
test('CF-13 another handshake hash is refused', () => expectNoise('CF-13'));
test('CF-14 another static key than the one expected is refused', () => expectNoise('CF-14'));
test('CF-16 what one side refuses is a rejection', () => expectNoise('CF-16'));

test('CF-15 the pre-shared keys are as many as the pattern has', async () => {
  const { input } = vector('psk-several');
  const keys = input.init_psks as string[];
  for (const init_psks of [keys.slice(1), [...keys, keys[0] as string], []]) {
    assert.equal(await verdict(noise({ ...input, init_psks })), '30 input-malformed');
  }
  const none = vector('fundamental').input;
  assert.equal(await verdict(noise({ ...none, init_psks: [], resp_psks: [] })), '0');
});

// Channel, binding, vault: on the vectors of their packages.

const handshake = load<Record<string, string>>('channel/handshake.json');
const hex = (name: string) => handshake[name] as string;
const handshakeInput = {
  suite: 'sotto-1',
  role_seeds: Object.fromEntries(
    ['initiator_ephemeral', 'initiator_kem_seed', 'responder_ephemeral', 'responder_static', 'encapsulation_seed'].map(
      (name) => [`${name}_hex`, hex(`${name}_hex`)],
    ),
  ),
  prologue: encodeBase64(parseHex(hex('prologue_hex'))),
  evidence_digest_hex: hex('evidence_digest_hex'),
  epoch_id: hex('epoch_id_hex'),
};
const records = load<{
  key_hex: string;
  cases: { id: string; counter: number; record_hex: string; expect: unknown }[];
}>('channel/records.json');
const frames = {
  suite: 'sotto-1',
  keys_hex: { from_initiator: records.key_hex, from_responder: '00'.repeat(32) },
  role: 'responder',
  profile: 'compact',
  start_nonce: 0,
  frames: [] as string[],
};

test('CF-20, CF-03 the handshake and the records of sotto-1 are computed from seeds and keys', async () => {
  const { output } = await judge('channel-handshake', () => handshakeInput);
  assert.deepEqual(output.messages_hex, [hex('message1_hex'), hex('message2_hex')]);
  assert.equal(output.handshake_hash_hex, hex('handshake_hash_hex'));
  const inBase64 = { ...handshakeInput, epoch_id: encodeBase64(parseHex(handshakeInput.epoch_id)) };
  assert.deepEqual((await judge('channel-handshake', () => inBase64)).output, output);
  assert.equal(
    await verdict(judge('channel-handshake', () => ({ ...handshakeInput, role_seeds: {} }))),
    '30 input-malformed',
  );

  // A record of our own making, so that what it says is known: `end` of stream 1, then `ping`.
  const { primitives } = await import('@sotto/crypto/primitives');
  const plaintext = new Uint8Array(256);
  plaintext.set(parseHex('050000000109aabbccddeeff0011'));
  const seal = async (counter: number) => {
    const nonce = new Uint8Array(12);
    nonce[11] = counter;
    const aead = await primitives.importAead(parseHex(records.key_hex));
    return encodeBase64(await aead.seal(nonce, plaintext, new Uint8Array(0)));
  };
  const two = [await seal(3), await seal(4)];
  const judgeRecords = (change: object) =>
    judge('channel-frame', () => ({ ...frames, start_nonce: 3, frames: two, ...change }));
  const said = [
    { kind: 'end', stream: 1 },
    { kind: 'ping', token: encodeBase64(parseHex('aabbccddeeff0011')) },
  ];
  assert.deepEqual((await judgeRecords({})).output, {
    messages: [0, 1].flatMap((record) => said.map((frame) => ({ record, ...frame }))),
  });
  for (const [change, expected] of [
    [{ frames: two.toReversed() }, '10 record-forged'],
    [{ start_nonce: 4 }, '10 record-forged'],
    [{ role: 'initiator' }, '10 record-forged'],
    [{ frames: [encodeBase64(new Uint8Array(271))] }, '10 record-malformed'],
    [{ start_nonce: '18446744073709551615' }, '10 session-exhausted'],
    [{ role: 'relay' }, '30 input-malformed'],
    [{ frames: [] }, '0'],
  ] as const) {
    assert.equal(await verdict(judgeRecords(change)), expected, JSON.stringify(change));
  }
});

test('CF-20 records are judged from key to key, and each profile’s are records', async () => {
  const { keys_hex, cases } = load<{
    keys_hex: string[];
    cases: { id: string; from: string; records_hex: string[]; expect: { kinds?: string[][]; code?: string } }[];
  }>('channel/rekey.json');
  const key = keys_hex[0] as string;
  for (const profile of ['compact', 'balanced', 'strict']) {
    for (const { id, from, records_hex, expect } of cases) {
      const { exit, output } = await judge('channel-frame', () => ({
        ...frames,
        profile,
        keys_hex: { from_initiator: key, from_responder: key },
        role: from === 'initiator' ? 'responder' : 'initiator',
        frames: records_hex.map((hex) => encodeBase64(parseHex(hex))),
      }));
      if (expect.kinds === undefined) assert.deepEqual([exit, output.code], [10, expect.code], id);
      else {
        const kinds = (output.messages as { kind: string }[]).map(({ kind }) => kind);
        assert.deepEqual(kinds, expect.kinds.flat(), id);
      }
    }
  }
});

test('CF-21, CF-03 a binding gives what hardware signs, or the reason of its refusal', async () => {
  const { parseBinding } = await import('@sotto/evidence/binding');
  const file = load<{ vectors: Record<string, string>[] }>('evidence/binding.json');
  for (const one of file.vectors) {
    const binding = parseBinding(parseHex(one.encoded_hex as string));
    const { checkpoint } = binding;
    const input = {
      purpose: binding.purpose,
      suites: binding.suites,
      keys: binding.keys.map(({ use, algorithm, publicKey }) => ({
        use,
        algorithm,
        public_key_hex: encodeHex(publicKey),
      })),
      node_id: encodeHex(binding.nodeId),
      epoch_id: encodeHex(binding.epochId),
      not_before: binding.notBeforeSeconds,
      not_after: binding.notAfterSeconds,
      ...(checkpoint && {
        checkpoint: { origin: checkpoint.origin, size: checkpoint.size, root_hex: encodeHex(checkpoint.root) },
      }),
      release_digest_hex: encodeHex(binding.releaseDigest),
      config_digest_hex: encodeHex(binding.configDigest),
      device_evidence_digest_hex: encodeHex(binding.deviceEvidenceDigest),
      client_nonce_hex: encodeHex(binding.clientNonce),
      handshake_hash_hex: encodeHex(binding.handshakeHash),
    };
    const { exit, output } = await judge('binding', () => input);
    assert.deepEqual(
      [exit, output],
      [0, { report_data_hex: one.report_data_hex, device_nonce_hex: one.device_nonce_hex }],
      one.id,
    );
    for (const change of [
      { purpose: 'other' },
      { suites: [] },
      { not_after: input.not_before },
      { not_after: '18446744073709551615' },
      { not_after: '99999999999999999999' },
      { suites: Array.from({ length: 300 }, () => 'a') },
    ]) {
      const refusedOne = await judge('binding', () => ({ ...input, ...change }));
      assert.deepEqual([refusedOne.exit, refusedOne.output.code], [10, 'binding-malformed'], JSON.stringify(change));
      assert.equal(refusedOne.output.class, 'format');
    }
    assert.equal(await verdict(judge('binding', () => ({ ...input, client_nonce_hex: '00' }))), '30 input-malformed');
  }
});

test('CF-22 an envelope opens, or says why not', async () => {
  type Envelope = Record<'id' | 'accountKey' | 'expectedAccountId' | 'expectedRecordId' | 'envelope', string> & {
    epoch: number;
    expect: 'accept' | { code: string };
    expectedType?: string;
    content?: string;
  };
  let accepted = 0;
  for (const one of load<Envelope[]>('vault/envelopes.json')) {
    const input = {
      envelope: one.envelope,
      account_id_hex: one.expectedAccountId,
      account_key_hex: one.accountKey,
      epoch: one.epoch,
      expected_id: one.expectedRecordId,
      expected_type: one.expectedType ?? 'message',
    };
    const { exit, output } = await judge('vault-open', () => input);
    if (one.expect === 'accept' && exit === 0) {
      accepted++;
      const { type } = JSON.parse(Buffer.from(output.plaintext as string, 'base64').toString()) as { type: string };
      assert.equal(type, input.expected_type);
    } else if (one.expect === 'accept') assert.equal(output.code, 'record-type-mismatch', one.id);
    else assert.deepEqual([exit, output.code], [10, one.expect.code], one.id);
    if (one.id === 'message') {
      const other = await judge('vault-open', () => ({ ...input, account_id_hex: '00'.repeat(16) }));
      assert.deepEqual([other.exit, other.output.class, other.output.rule], [10, 'binding', 'VA-06']);
      assert.equal(
        await verdict(judge('vault-open', () => ({ ...input, epoch: 2 ** 32 + 1 }))),
        '10 record-epoch-mismatch',
      );
      assert.equal(
        await verdict(judge('vault-open', () => ({ ...input, account_key_hex: '00'.repeat(32) }))),
        '10 key-malformed',
      );
    }
  }
  assert.ok(accepted > 0);
});
