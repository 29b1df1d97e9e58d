/** vectors/recovery through the product: keys, sealed chunks and claims' bodies, one failure each. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes, encodeHex, parseHex } from '@sotto/bytes';
import { deriveClaim, deriveRoots, openClaimBody } from './index.ts';
import { deriveChunkKey, deriveNextChainKey } from './keys.ts';

interface ClaimVector {
  readonly id: string;
  readonly rule: string;
  readonly recovery_key_hex: string;
  readonly have_bytes: number;
  readonly body_hex: string;
  readonly rest_hex?: string;
  readonly expect: 'accept' | { readonly code: string };
}
interface File {
  readonly keys: {
    readonly recovery_key_hex: string;
    readonly claims: readonly { readonly id_hex: string; readonly token_hex: string }[];
    readonly chain_keys_hex: readonly string[];
    readonly chunk_keys_hex: readonly string[];
  };
  readonly vectors: readonly ClaimVector[];
}
const url = new URL('../../../vectors/recovery/recovery.json', import.meta.url);
const { keys, vectors } = JSON.parse(readFileSync(url, 'utf8')) as File;

test('CH-90 the vectors’ keys', () => {
  const { claimKey, chainKey } = deriveRoots(parseHex(keys.recovery_key_hex));
  let claim = deriveClaim(claimKey);
  for (const expected of keys.claims) {
    assert.deepEqual({ id_hex: encodeHex(claim.id), token_hex: encodeHex(claim.token) }, expected);
    claim = deriveClaim(claim.nextKey);
  }
  let chain = chainKey;
  for (const [index, expected] of keys.chain_keys_hex.entries()) {
    assert.equal(encodeHex(chain), expected);
    assert.equal(encodeHex(deriveChunkKey(chain)), keys.chunk_keys_hex[index]);
    chain = deriveNextChainKey(chain);
  }
});

async function judge(rule: string): Promise<void> {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0);
  for (const { id, recovery_key_hex, have_bytes, body_hex, rest_hex, expect } of ofRule) {
    for (const size of [1, 11, 100_000]) {
      const read = async (): Promise<string> => {
        const body = parseHex(body_hex);
        async function* pieces() {
          for (let at = 0; at < body.length; at += size) yield body.slice(at, at + size);
        }
        const parts: Uint8Array[] = [];
        const { chainKey } = deriveRoots(parseHex(recovery_key_hex));
        for await (const part of openClaimBody(pieces(), chainKey, have_bytes)) parts.push(part.slice());
        return encodeHex(concatBytes(...parts));
      };
      if (expect === 'accept') assert.equal(await read(), rest_hex, id);
      else await assert.rejects(read, { code: expect.code, rule }, id);
    }
  }
}

test('CH-91 the vectors’ whole answer', () => judge('CH-91'));
test('CH-92 the vectors’ altered, repeated, moved and missing chunks', () => judge('CH-92'));
test('CH-93 the vectors’ positions', () => judge('CH-93'));
test('CH-94 the vectors’ lengths, numbers and ends', () => judge('CH-94'));
