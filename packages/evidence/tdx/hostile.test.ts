/** What costs more than it should: noise, bombs and long inputs end at once, and always in a refusal of our own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBase64 } from '@sotto/bytes';
import { CertificateError } from '@sotto/crypto/x509';
import { JudgementError } from '@sotto/evidence/judgement';
import { createSeededRandom } from '@sotto/testkit';
import { PRODUCTION_DEMANDS, type TdxCollateral, verifyTdx } from './index.ts';
import { base, collateralOf } from './vectors-for-testing.ts';

const MEBIBYTE = 1024 * 1024;
const random = createSeededRandom('tdx-hostile');
const noise = random.bytes(MEBIBYTE);
const text = Array.from(noise, (octet) => String.fromCharCode(0x20 + (octet % 0x5f))).join('');
const quote = parseBase64(base.quote as string);
const collateral = collateralOf(base.collateral as Record<string, unknown>);
const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
const base64 = Buffer.from(noise).toString('base64');

/** Every kind of input that is not what it says. */
const HOSTILE: Record<string, { quote?: Uint8Array; collateral?: Partial<TdxCollateral> }> = {
  'a quote of noise': { quote: noise },
  'a quote whose lengths are noise': { quote: Uint8Array.from([...quote.slice(0, 700), ...noise.slice(0, 60_000)]) },
  'TCB info of noise': { collateral: { tcbInfoJson: text } },
  'TCB info that is one text': { collateral: { tcbInfoJson: `{"a":"${'x'.repeat(262_000)}` } },
  'TCB info of lists': { collateral: { tcbInfoJson: `{"a":${'['.repeat(200_000)}` } },
  'TCB info of members': {
    collateral: { tcbInfoJson: `{${Array.from({ length: 30_000 }, (_, i) => `"${i}":0`).join()}}` },
  },
  'TCB info of blanks': { collateral: { tcbInfoJson: `{${' '.repeat(262_000)}` } },
  'TCB info of digits': { collateral: { tcbInfoJson: `{"a":${'9'.repeat(262_000)}}` } },
  'a chain of noise': { collateral: { tcbInfoIssuerChainPem: pem(base64) } },
  'a chain of empty lines': { collateral: { tcbInfoIssuerChainPem: '\n'.repeat(2 * MEBIBYTE) } },
  'a chain of blocks': { collateral: { tcbInfoIssuerChainPem: pem('AAAA').repeat(20_000) } },
  'a list of noise': { collateral: { pckCrl: noise } },
  'a list of nested sequences': {
    collateral: { pckCrl: Uint8Array.from({ length: 40_000 }, (_, i) => [0x30, 0x82][i % 2] as number) },
  },
  'a list of empty elements': {
    collateral: {
      pckCrl: Uint8Array.from(
        [0x30, 0x83, 0x0f, 0xff, 0xfa, ...new Uint8Array(1_048_570)].map((v, i) => (i < 5 ? v : i % 2 === 1 ? 5 : 0)),
      ),
    },
  },
};

test('noise, bombs and long inputs are refused at once', async (t) => {
  let longest = 0;
  for (const [name, { quote: otherQuote, collateral: change }] of Object.entries(HOSTILE)) {
    const started = performance.now();
    await assert.rejects(
      verifyTdx({
        quote: otherQuote ?? quote,
        collateral: { ...collateral, ...change },
        timeSeconds: base.time as number,
        demands: PRODUCTION_DEMANDS,
      }),
      (error) =>
        (error instanceof JudgementError || error instanceof CertificateError) && error.failureClass === 'format',
      name,
    );
    const took = performance.now() - started;
    assert.ok(took < 10_000, `${name}: ${took} ms`);
    longest = Math.max(longest, took);
  }
  t.diagnostic(`${Object.keys(HOSTILE).length} inputs, the longest ${Math.round(longest)} ms`);
});
