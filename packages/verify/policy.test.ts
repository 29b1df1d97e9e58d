import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptPin,
  describePolicySource,
  devPolicy,
  encodeDevFragment,
  parseDevFragment,
  parsePolicy,
  pinDecision,
} from './index.ts';

const fingerprint = 'ab'.repeat(32);
const other = 'cd'.repeat(32);

test('EV-30 parsePolicy has no default', () => {
  for (const nothing of [undefined, null]) assert.throws(() => parsePolicy(nothing), { code: 'policy-missing' });
});

test('EV-31 what is not a closed object is refused', () => {
  const good = { kind: 'dev', version: 1, fingerprint };
  assert.deepEqual(parsePolicy({ ...good, maxAgeSeconds: 60 }), { ...good, maxAgeSeconds: 60 });
  for (const value of [0, '', 'dev', true, [], [good], { ...good, extra: undefined }, { ...good, Kind: 'dev' }]) {
    assert.throws(() => parsePolicy(value), { code: 'policy-malformed', rule: 'EV-31', failureClass: 'policy' });
  }
});

test('EV-400 hardware policies are read closed as well', () => {
  for (const kind of ['tdx', 'sev-snp', 'tpm-test']) {
    assert.throws(() => parsePolicy({ kind, version: 1, anything: 1 }), {
      code: 'policy-malformed',
      action: 'fix-input',
    });
  }
});

test('EV-57 a policy of a later version asks for a newer client [EV-59]', () => {
  for (const kind of ['dev', 'tdx', 'anything']) {
    assert.throws(() => parsePolicy({ kind, version: 2 }), { code: 'policy-unsupported', action: 'update' });
  }
});

test('EV-56 a changed pin stops', () => {
  assert.equal(pinDecision(undefined, fingerprint), 'first-use');
  assert.equal(pinDecision(fingerprint, fingerprint), 'same');
  assert.equal(pinDecision(fingerprint, other), 'changed');
  assert.equal(acceptPin(undefined, fingerprint), 'first-use');
  assert.equal(acceptPin(fingerprint, fingerprint), 'same');
  assert.throws(() => acceptPin(fingerprint, other), { code: 'policy-pin-changed', action: 'stop', rule: 'EV-56' });
  assert.throws(() => acceptPin(undefined, 'no fingerprint'), { code: 'policy-malformed', rule: 'EV-60' });
});

test('EV-61 a fragment names one fingerprint or none', () => {
  assert.equal(parseDevFragment(`#${encodeDevFragment(fingerprint)}`), fingerprint);
  assert.equal(parseDevFragment(`chat=1&dev=${fingerprint}`), fingerprint);
  for (const none of ['', '#', '#chat=1', '#notdev=1']) assert.equal(parseDevFragment(none), undefined);
  assert.throws(() => parseDevFragment(`dev=${fingerprint}&dev=${other}`), { rule: 'EV-61' });
  assert.throws(() => parseDevFragment('dev=abc'), { rule: 'EV-60' });
});

test('a policy source reads as a sentence', () => {
  assert.deepEqual(devPolicy(fingerprint), { kind: 'dev', version: 1, fingerprint });
  const origin = 'http://localhost:7070';
  const sources = [
    { kind: 'compiled' },
    { kind: 'file', path: 'policy.json' },
    { kind: 'pinned', origin, fingerprint },
    { kind: 'dev-fragment', origin, fingerprint },
  ] as const;
  for (const source of sources) assert.match(describePolicySource(source), /^[A-Z].*\.$/);
});
