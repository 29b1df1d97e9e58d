/** Stage `tpm`: own vectors by rule, RSA keys, and the genuine quotes of three measured boots with every byte changed. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseCertificate, parsePem } from '@sotto/crypto/x509';
import { verifyTpmQuote } from '@sotto/evidence/tpm';
import { encodeTpmQuote, TPM_HASHES } from '@sotto/testkit/evidence-tpm';
import { judge } from '../testing/recorded-judge.ts';
import { readShared, skipWithoutSharedVectors as skip } from '../testing/shared-vectors.ts';

interface Input {
  readonly quote: string;
  readonly signature: string;
  readonly nonce_hex: string;
  readonly pcrs: Record<string, string>;
  readonly [name: string]: unknown;
}
interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly input: Input;
  readonly expect: 'accept' | { class: string; code: string; rule?: string };
}
const file = new URL('../../../vectors/evidence-tpm/quotes.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };
const inputOf = (id: string) => (vectors.find((vector) => vector.id === id) as Vector).input;
const run = (input: object) => judge('tpm', () => input);

async function judgeRule(rule: string): Promise<void> {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0, `no vector for ${rule}`);
  for (const { id, input, expect } of ofRule) {
    const { exit, output } = await run(input);
    if (expect === 'accept') assert.deepEqual([exit, output.pcr_hex], [0, input.pcrs], id);
    else {
      const expected = [10, expect.class, expect.code, expect.rule ?? rule];
      assert.deepEqual([exit, output.class, output.code, output.rule], expected, id);
    }
  }
}

test('EV-320 a long quote is refused before it is read', () => judgeRule('EV-320'));
test('EV-321 a statement that no TPM made is refused', () => judgeRule('EV-321'));
test('EV-322 a statement that is no quote is refused', () => judgeRule('EV-322'));
test('EV-323 a quote has the length of its fields', () => judgeRule('EV-323'));
test('EV-324 yes or no is nothing else', () => judgeRule('EV-324'));
test('EV-330 a quote is over one sound bank', () => judgeRule('EV-330'));
test('EV-331 a quote selects registers, in one spelling', () => judgeRule('EV-331'));
test('EV-332 a signature is of a known algorithm', () => judgeRule('EV-332'));
test('EV-333 a signature has the length of its fields', () => judgeRule('EV-333'));
test('EV-334 r and s have two spellings at most', () => judgeRule('EV-334'));
test('EV-336 the attestation key signed', () => judgeRule('EV-336'));
test('EV-340 the quote answers the nonce', () => judgeRule('EV-340'));
test('EV-341 the values are those of the quoted registers', () => judgeRule('EV-341'));
test('EV-342 the values are those that were quoted', () => judgeRule('EV-342'));
test('EV-343 a log is replayed', () => judgeRule('EV-343'));

test('EV-337 certificates of the attestation key are in date, where a time is given', async () => {
  const input = inputOf('chain');
  const chain = parsePem(input.ak_cert_chain_pem as string, 'CERTIFICATE').map(parseCertificate);
  const verify = (timeSeconds: number | undefined) =>
    verifyTpmQuote({
      quote: Buffer.from(input.quote, 'base64'),
      signature: Buffer.from(input.signature, 'base64'),
      attestationKey: { kind: 'chain', chain, roots: chain.slice(1), timeSeconds },
      expectedNonce: Buffer.from(input.nonce_hex, 'hex'),
      registers: new Map(Object.entries(input.pcrs).map(([index, hex]) => [Number(index), Buffer.from(hex, 'hex')])),
    });
  const { attestationKey, quote } = await verify(Date.UTC(2027, 0, 1) / 1000);
  assert.deepEqual([attestationKey.length, quote.isClockSafe, quote.resetCount], [32, true, 3]);
  await verify(undefined);
  await assert.rejects(verify(Date.UTC(2025, 0, 1) / 1000), { code: 'certificate-not-yet-valid' });
  await assert.rejects(verify(Date.UTC(2037, 0, 1) / 1000), { code: 'certificate-expired' });
});

test('EV-335 a key that comes alone is judged by the policy that pins it', async () => {
  const input = inputOf('p256');
  const spki = parsePem(input.ak_public_pem as string, 'PUBLIC KEY')[0] as Uint8Array;
  const key = createHash('sha256').update(spki).digest('hex');
  const policyOf = (change: object) => ({
    kind: 'tpm-test',
    version: 1,
    attestationKeys: [key],
    measurements: [input.pcrs],
    ...change,
  });
  const verdict = async (change: object) => {
    const { exit, output } = await run({ ...input, policy: policyOf(change) });
    return exit === 0 ? 'accepted' : output.code;
  };
  assert.equal(await verdict({}), 'accepted');
  assert.equal(await verdict({ attestationKeys: ['00'.repeat(32)] }), 'attestation-key-not-pinned');
  assert.equal(await verdict({ measurements: [{ 0: '00'.repeat(32) }] }), 'measurement-not-allowed');
});

test('EV-336 RSA keys quote too, with both paddings; one bit more or less is no signature', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const base = inputOf('without-log');
  const values = ['0', '7'].map((index) => Buffer.from(base.pcrs[index] as string, 'hex'));
  const quote = encodeTpmQuote({ values });
  const ak_public_pem = publicKey.export({ type: 'spki', format: 'pem' });
  for (const [algorithm, padding] of [[0x14, 1] as const, [0x16, 6] as const]) {
    const signature = sign('sha256', quote, { key: privateKey, padding, saltLength: 32 });
    const encoded = Buffer.concat([Buffer.from([0, algorithm, 0, TPM_HASHES.sha256, 1, 0]), signature]);
    const input = { ...base, quote: Buffer.from(quote).toString('base64'), ak_public_pem };
    assert.equal((await run({ ...input, signature: encoded.toString('base64') })).exit, 0);
    encoded[100] = (encoded[100] as number) ^ 1;
    const refused = await run({ ...input, signature: encoded.toString('base64') });
    assert.deepEqual([refused.exit, refused.output.code], [10, 'quote-signature-invalid']);
  }
});

test('CF-02, CF-03 one kind of key, and registers by number, are a case', async () => {
  const input = inputOf('p256');
  for (const change of [
    { ak_cert_chain_pem: '' },
    { pcrs: { 24: '00'.repeat(32) } },
    { pcrs: { '01': '00'.repeat(32) } },
    { pcrs: { 0: '00' } },
    { nonce_hex: '0' },
  ]) {
    assert.equal((await run({ ...input, ...change })).exit, 30, JSON.stringify(change));
  }
});

const QUOTED = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14];
/** What stands before the point in the SPKI of a key of P-256. */
const SPKI_HEADER = '3059301306072a8648ce3d020106082a8648ce3d03010703420004';

/** A shared capture in the stage's words: the key's public area as SPKI, and the registers that its log gives. */
async function capture(name: string): Promise<Input> {
  const { akpub, attest, sig, log, nonce_hex } = JSON.parse(readShared(`tpm/${name}.json`).toString());
  const area = Buffer.from(akpub, 'base64');
  const point = Buffer.concat([area.subarray(-66, -34), area.subarray(-32)]);
  const spki = Buffer.concat([Buffer.from(SPKI_HEADER, 'hex'), point]).toString('base64');
  const { output } = await judge('event-log', () => ({ log, format: 'tcg2' }));
  const registers = output.registers_hex as Record<string, string>;
  return {
    quote: attest,
    signature: sig,
    ak_public_pem: `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`,
    nonce_hex,
    event_log: log,
    pcrs: Object.fromEntries(QUOTED.map((index) => [index, registers[`pcr${index}`] as string])),
    policy: { kind: 'signature-only' },
  };
}

test('EV-336, EV-343 the genuine quotes are accepted, and each byte of them changed is refused', {
  skip,
}, async (t) => {
  const counts: Record<string, number> = {};
  const events: number[] = [];
  for (const name of ['q1', 's1', 's2']) {
    const input = await capture(name);
    const { exit, output } = await run(input);
    assert.deepEqual([exit, output.firmware_version], [0, '2312897626142815798'], name);
    events.push((output.events as unknown[]).length);
    for (const field of ['quote', 'signature'] as const) {
      const bytes = Buffer.from(input[field], 'base64');
      for (const at of bytes.keys()) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ (1 << (at % 8));
        const refused = await run({ ...input, [field]: changed.toString('base64') });
        assert.equal(refused.exit, 10, `${name} ${field} ${at}`);
        counts[String(refused.output.class)] = (counts[String(refused.output.class)] ?? 0) + 1;
      }
      for (const other of [bytes.subarray(1), bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(1)])]) {
        assert.equal((await run({ ...input, [field]: other.toString('base64') })).exit, 10);
      }
    }
    assert.equal(
      (await run({ ...input, nonce_hex: `${input.nonce_hex.slice(0, -2)}00` })).output.code,
      'nonce-mismatch',
    );
  }
  assert.deepEqual(events, [24, 28, 30]);
  t.diagnostic(`3 quotes, ${events.join(' + ')} events; ${JSON.stringify(counts)}`);
});
