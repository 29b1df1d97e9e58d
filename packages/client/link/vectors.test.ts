/** The vectors of device links, made by an independent writer (vectors/link). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { concatBytes, encodeHex, parseHex, SottoError } from '@sotto/bytes';
import { unsafeRevealSecret } from '@sotto/vault';
import {
  mailboxOfShortCode,
  parseLinkRequest,
  parseLinkText,
  parseLinkWelcome,
  parseShortCode,
} from '@sotto/vault/link';
import { commitmentOf, digitsOf } from './digits.ts';
import { deriveLinkKeys } from './line.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly expect: 'accept' | { readonly code: string };
}
const load = () => JSON.parse(readFileSync(new URL('../../../vectors/link/link.json', import.meta.url), 'utf8'));
const vectors = load();

/** Runs the vectors of one rule; what is accepted gives exactly the values that stand beside it. */
function hold(
  list: readonly (Vector & Record<string, unknown>)[],
  rule: string,
  read: (vector: never) => object,
): void {
  const wanted = list.filter((vector) => vector.rule === rule);
  assert.ok(wanted.length > 0, rule);
  for (const vector of wanted) {
    let outcome: unknown;
    try {
      const values = read(vector as never);
      for (const [name, value] of Object.entries(values)) assert.equal(value, vector[name], `${vector.id}: ${name}`);
      outcome = 'accept';
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      outcome = { code: error.code };
      assert.equal(error.rule, vector.rule, vector.id);
    }
    assert.deepEqual(outcome, vector.expect, vector.id);
  }
}

const texts = (rule: string) =>
  hold(vectors.texts, rule, ({ text }: { text: string }) => {
    const secret = parseLinkText(text);
    const { mailboxId, preSharedKey } = secret.derive();
    assert.equal(secret.spell(), text.trim());
    return { shownBy: secret.shownBy, mailboxId: encodeHex(mailboxId), preSharedKey: encodeHex(preSharedKey) };
  });
const messages = (rule: string) =>
  hold(vectors.messages, rule, ({ kind, bytes }: { kind: string; bytes: string }) => {
    if (kind === 'request') return { record: encodeHex(parseLinkRequest(parseHex(bytes))) };
    const { accountId, epoch } = parseLinkWelcome(parseHex(bytes));
    return { accountId: encodeHex(accountId), epoch };
  });

test('VA-175 vectors: what a link secret gives', () => texts('VA-175'));
test('VA-176 vectors: bounded text', () => texts('VA-176'));
test('VA-177 vectors: form of a link text', () => texts('VA-177'));
test('VA-178 vectors: version of a link text', () => texts('VA-178'));
test('VA-179 vectors: check of a link text', () => texts('VA-179'));
test('VA-180 vectors: short codes', () =>
  hold(vectors.codes, 'VA-180', ({ text }: { text: string }) => {
    const code = parseShortCode(text);
    return { code, mailboxId: encodeHex(mailboxOfShortCode(code)) };
  }));
test('VA-181 vectors: form of the messages', () => messages('VA-181'));
test('VA-182 vectors: version of the messages', () => messages('VA-182'));

test('CL-352 CL-354 vectors: keys of the slots, lock secret, commitment and digits', () => {
  const { procedure } = vectors;
  const bytes = (name: string) => parseHex(procedure[name]);
  const keys = deriveLinkKeys(bytes('fromInitiator'), bytes('fromResponder'), bytes('hash'));
  for (const { slot, key } of procedure.slotKeys) assert.equal(encodeHex(keys.slotKey(slot)), key, `slot ${slot}`);
  assert.equal(encodeHex(unsafeRevealSecret(keys.lockSecret)), procedure.lockSecret);
  assert.equal(encodeHex(commitmentOf(concatBytes(bytes('openNumber'), bytes('message2')))), procedure.commitment);
  assert.equal(digitsOf(bytes('hash'), bytes('newNumber'), bytes('openNumber')), procedure.digits);
});

test('the vectors are what their generator writes', () => {
  const generator = fileURLToPath(new URL('../../../vectors/link/generate.ts', import.meta.url));
  execFileSync(process.execPath, [generator, '--check'], { stdio: 'pipe' });
});
