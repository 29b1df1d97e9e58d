import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { expectedFingerprint, loadPins, parsePinnedAddress } from './pins.ts';
import { EXIT, PlainError } from './plain-error.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const refused = (error: unknown) => error instanceof PlainError && error.exitCode === EXIT.refused;

function pinsFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-pins-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'sub', 'pins.json');
}

test('an address is read with or without its fingerprint', () => {
  assert.deepEqual(parsePinnedAddress(`http://localhost:7070/#dev=${A}`), {
    origin: 'http://localhost:7070',
    fingerprint: A,
  });
  assert.deepEqual(parsePinnedAddress(`http://localhost:7070#${A}`), {
    origin: 'http://localhost:7070',
    fingerprint: A,
  });
  assert.equal(parsePinnedAddress('http://localhost:7070').fingerprint, undefined);
  for (const bad of ['localhost', 'ftp://x', 'http://x/#dev=12', `http://x/#dev=${A.toUpperCase()}`])
    assert.throws(() => parsePinnedAddress(bad), PlainError);
});

test('the first fingerprint is pinned, for this person alone; a different one stops', (t) => {
  const path = pinsFile(t);
  assert.equal(expectedFingerprint(path, parsePinnedAddress(`http://localhost:7070/#dev=${A}`), 1), A);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(expectedFingerprint(path, parsePinnedAddress('http://localhost:7070'), 2), A);
  assert.throws(() => expectedFingerprint(path, parsePinnedAddress(`http://localhost:7070/#dev=${B}`), 3), refused);
  assert.equal(loadPins(path).length, 1);
  assert.equal(expectedFingerprint(path, parsePinnedAddress(`http://localhost:7071/#dev=${B}`), 4), B);
});

test('nothing is trusted without a fingerprint', (t) => {
  assert.throws(() => expectedFingerprint(pinsFile(t), parsePinnedAddress('http://localhost:7070'), 1), refused);
});

test('a damaged list of pins stops instead of being taken for empty', (t) => {
  const path = pinsFile(t);
  expectedFingerprint(path, parsePinnedAddress(`http://localhost:7070/#dev=${A}`), 1);
  for (const text of ['{', '{"pins":7}', '{"pins":[{"origin":"http://x","fingerprint":"short"}]}']) {
    writeFileSync(path, text);
    assert.throws(() => loadPins(path), PlainError);
  }
});
