/** vectors/wire through the parsers: one failure each, by rule. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import * as wire from './index.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly kind?: 'request-head' | 'response-head' | 'claim';
  readonly bytes_hex?: string;
  readonly shape?: keyof typeof SHAPES;
  readonly json?: string;
  readonly expect: 'accept' | { readonly code: string };
}

const SHAPES = {
  nodes: wire.parseNodesAnswer,
  error: wire.parseErrorAnswer,
  recovery: wire.parseRecoverySignInRequest,
  sequence: wire.parseSequenceAnswer,
  chat: wire.parseChatCompletionRequest,
};

const load = (name: string): Vector[] => {
  const file = new URL(`../../vectors/wire/${name}`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] }).vectors;
};
const vectors = [...load('heads.json'), ...load('json.json')];

function parse(vector: Vector): unknown {
  if (vector.shape !== undefined) return SHAPES[vector.shape](wire.parseJson(vector.json ?? '', 1_000_000));
  const bytes = parseHex(vector.bytes_hex ?? '');
  if (vector.kind === 'claim') return wire.parseClaimRequest(bytes);
  return vector.kind === 'request-head' ? wire.parseRequestHead(bytes) : wire.parseResponseHead(bytes);
}

function judge(rule: string): void {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0, `no vector for ${rule}`);
  for (const vector of ofRule) {
    if (vector.expect === 'accept') parse(vector);
    else {
      const refusing = rule === 'WI-25' ? 'WI-19' : rule;
      assert.throws(() => parse(vector), { name: 'WireError', code: vector.expect.code, rule: refusing }, vector.id);
    }
  }
}

test('WI-01 what is above its cap is refused', () => judge('WI-01'));
test('WI-02 a field that stands twice is refused', () => judge('WI-02'));
test('WI-03 unknown fields are skipped up to a cap', () => judge('WI-03'));
test('WI-04 another wire type is refused', () => judge('WI-04'));
test('WI-05 a number out of range is refused', () => judge('WI-05'));
test('WI-06 a padded number is refused', () => judge('WI-06'));
test('WI-07 text that is not UTF-8 is refused', () => judge('WI-07'));
test('WI-08 a message that ends early is refused', () => judge('WI-08'));
test('WI-09 another version is refused', () => judge('WI-09'));
test('WI-10 an unknown method is refused', () => judge('WI-10'));
test('WI-11 what is not a path is refused', () => judge('WI-11'));
test('WI-12 a malformed header is refused', () => judge('WI-12'));
test('WI-13 a status out of range is refused', () => judge('WI-13'));
test('WI-14 a field of another type is refused', () => judge('WI-14'));
test('WI-15 a text of another form is refused', () => judge('WI-15'));
test('WI-16 a number out of range is refused', () => judge('WI-16'));
test('WI-17 an unknown word is refused', () => judge('WI-17'));
test('WI-18 a missing field is refused', () => judge('WI-18'));
test('WI-19 an undeclared field of a request is refused, of an answer dropped', () => judge('WI-19'));
test('WI-20 bytes that are not spelled canonically are refused', () => judge('WI-20'));
test('WI-25 a setting that is not known is refused', () => judge('WI-25'));

test('WI-08 every prefix of a good head is refused or is another head', () => {
  for (const vector of vectors.filter(({ bytes_hex, expect }) => bytes_hex !== undefined && expect === 'accept')) {
    const bytes = parseHex(vector.bytes_hex ?? '');
    const whole = JSON.stringify(parse(vector));
    for (let length = 0; length < bytes.length; length++) {
      const prefix = { ...vector, bytes_hex: encodeHex(bytes.slice(0, length)) };
      try {
        if (vector.rule !== 'WI-03') assert.notEqual(JSON.stringify(parse(prefix)), whole);
      } catch (error) {
        if (!(error instanceof wire.WireError)) throw error;
      }
    }
  }
});
test('WI-26 bytes of another length are refused', () => judge('WI-26'));
test('WI-27 a claim without id or token is refused', () => judge('WI-27'));
