import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SottoError } from '@sotto/bytes';
import { createManualClock } from '@sotto/testkit';
import { FAKE_REPORT, fakeDevice, fakePage, fakeSession } from '../../preview/fake-services.ts';
import type { ChatSession, OpenSession } from '../../shell/services.ts';
import { createProofModel, orderedChecks } from './model.ts';

const FIRST = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);

function createRig(fragment: string, device = fakeDevice(), open?: OpenSession) {
  const clock = createManualClock();
  const page = fakePage(clock, fragment);
  const opened: string[] = [];
  const openSession: OpenSession = async (options) => {
    opened.push(options.fingerprint);
    return open ? open(options) : fakeSession(async function* () {});
  };
  return { proof: createProofModel({ clock, page, device, openSession }), page, device, clock, opened };
}

test('the fingerprint of the first link is pinned and leaves the address bar', async () => {
  const { proof, page, opened, device } = createRig(`dev=${FIRST}`);
  await proof.start();
  assert.equal(proof.state.get().kind, 'development');
  assert.equal(page.fragment(), '');
  assert.deepEqual(opened, [FIRST]);
  const later = createRig('', device);
  await later.proof.start();
  assert.deepEqual(later.opened, [FIRST]);
});

test('a machine whose TPM alone speaks for it is never shown as verified', async () => {
  const report = { ...FAKE_REPORT, trust: 'tpm-test' as const };
  const open: OpenSession = async () => ({ ...fakeSession(async function* () {}), report });
  const { proof } = createRig(`dev=${FIRST}`, fakeDevice(), open);
  await proof.start();
  assert.equal(proof.state.get().kind, 'development');
});

test('EV-56 another fingerprint stops everything until the person trusts the new machine', async () => {
  const { device, proof: first } = createRig(`dev=${FIRST}`);
  await first.start();
  const { proof, opened } = createRig(`dev=${OTHER}`, device);
  await proof.start();
  assert.deepEqual(proof.state.get(), { kind: 'machine-changed', expected: FIRST, seen: OTHER });
  await assert.rejects(proof.ensure(), { code: 'proof-machine-changed' });
  assert.deepEqual(opened, []);
  await proof.trustNewMachine();
  assert.deepEqual(opened, [OTHER]);
  const again = createRig('', device);
  await again.proof.start();
  assert.deepEqual(again.opened, [OTHER]);
});

test('a link opened in the same tab is judged without a reload, and its own link leads back', async () => {
  const { proof, page, opened } = createRig(`dev=${FIRST}`);
  await proof.start();
  page.navigate(`dev=${OTHER}`);
  await proof.readLink();
  assert.equal(proof.state.get().kind, 'machine-changed');
  await assert.rejects(proof.ensure(), { code: 'proof-machine-changed' });
  page.navigate(`dev=${FIRST}`);
  await proof.readLink();
  assert.equal(proof.state.get().kind, 'development');
  assert.equal(page.fragment(), '');
  page.navigate(`dev=${FIRST}`);
  await proof.readLink();
  assert.deepEqual(opened, [FIRST, FIRST]);
});

test('without a link and without a pin nothing is opened', async () => {
  for (const fragment of ['', 'dev=', `dev=${FIRST.slice(1)}`, `dev=${FIRST}00`, 'dev=zz']) {
    const { proof, opened } = createRig(fragment);
    await proof.start();
    assert.equal(proof.state.get().kind, 'no-link');
    await assert.rejects(proof.ensure(), { code: 'proof-no-link' });
    assert.deepEqual(opened, []);
  }
});

test('a failed verification is final until the person asks again', async () => {
  class Refused extends SottoError<'dev-signature-invalid'> {
    readonly report = FAKE_REPORT;
    constructor() {
      super('dev-signature-invalid', 'The signature is not good.', { action: 'stop' });
    }
  }
  const { proof, opened } = createRig(`dev=${FIRST}`, fakeDevice(), () => Promise.reject(new Refused()));
  await proof.start();
  await assert.rejects(proof.ensure(), { code: 'dev-signature-invalid' });
  await assert.rejects(proof.ensure(), { code: 'dev-signature-invalid' });
  assert.equal(opened.length, 1);
  assert.equal(proof.state.get().kind, 'failed');
  await proof.retry();
  assert.equal(opened.length, 2);
});

test('a lost connection is opened again by the next question, with a new check', async () => {
  let close = (_: unknown) => {};
  const { proof, opened } = createRig(`dev=${FIRST}`, fakeDevice(), async () => ({
    ...fakeSession(async function* () {}),
    closed: new Promise((resolve) => (close = resolve)),
  }));
  await proof.start();
  close(undefined);
  await new Promise(setImmediate);
  await proof.ensure();
  assert.equal(opened.length, 2);
});

test('a session to the machine of before does not undo the stop of another link', async () => {
  let answer = (_: ChatSession) => {};
  let closed = 0;
  const { proof, page } = createRig(`dev=${FIRST}`, fakeDevice(), () => new Promise((resolve) => (answer = resolve)));
  void proof.start();
  await new Promise(setImmediate);
  page.navigate(`dev=${OTHER}`);
  await proof.readLink();
  answer({ ...fakeSession(async function* () {}), close: () => closed++ });
  await new Promise(setImmediate);
  assert.equal(proof.state.get().kind, 'machine-changed');
  assert.equal(closed, 1);
  await assert.rejects(proof.ensure(), { code: 'proof-machine-changed' });
});

test('a machine that is just starting gets a few tries, and then the person is told', async () => {
  class Missing extends SottoError<'no-node'> {
    constructor() {
      super('no-node', 'none', { action: 'retry' });
    }
  }
  let missing = 2;
  const open: OpenSession = async () => {
    if (missing-- > 0) throw new Missing();
    return fakeSession(async function* () {});
  };
  const { proof, clock, opened } = createRig(`dev=${FIRST}`, fakeDevice(), open);
  void proof.start();
  await clock.advance(5000);
  assert.equal(proof.state.get().kind, 'development');
  assert.equal(opened.length, 3);
  missing = 100;
  void proof.retry();
  await clock.advance(10_000);
  assert.deepEqual(proof.state.get(), { kind: 'offline', code: 'no-node' });
  assert.equal(opened.length, 7);
});

test('failed checks stand first', () => {
  const [one, two] = FAKE_REPORT.checks;
  assert.ok(one && two);
  const report = { ...FAKE_REPORT, checks: [one, { ...two, status: 'failed' as const }] };
  assert.deepEqual(
    orderedChecks(report).map((check) => check.status),
    ['failed', 'passed'],
  );
});

test('CH-86 a machine that fails the live check is shown as failed, and no session is opened in silence', async () => {
  class Refused extends SottoError<'nonce-mismatch'> {
    readonly report = FAKE_REPORT;
    constructor() {
      super('nonce-mismatch', 'The evidence does not answer the question of this device.', { action: 'stop' });
    }
  }
  let answer: () => Promise<typeof FAKE_REPORT> = async () => FAKE_REPORT;
  let closed = 0;
  const { proof, opened } = createRig(`dev=${FIRST}`, fakeDevice(), async () => ({
    ...fakeSession(async function* () {}),
    proveLive: () => answer(),
    close: () => closed++,
  }));
  await proof.start();
  await proof.proveLive();
  assert.deepEqual(proof.live.get(), { kind: 'proven', report: FAKE_REPORT });
  answer = () => Promise.reject(new Refused());
  await proof.proveLive();
  const state = proof.state.get();
  assert.ok(state.kind === 'failed' && state.live === true && state.report === FAKE_REPORT);
  assert.deepEqual(proof.live.get(), { kind: 'idle' });
  assert.equal(closed, 1);
  await assert.rejects(proof.ensure(), { code: 'nonce-mismatch' });
  assert.equal(opened.length, 1);
  await proof.retry();
  assert.equal(opened.length, 2);
});

test('CH-87 no answer to a live question accuses nobody and leaves the session open', async () => {
  class Busy extends SottoError<'busy'> {
    constructor() {
      super('busy', 'busy', { action: 'retry' });
    }
  }
  const { proof, opened } = createRig(`dev=${FIRST}`, fakeDevice(), async () => ({
    ...fakeSession(async function* () {}),
    proveLive: () => Promise.reject(new Busy()),
  }));
  await proof.start();
  await proof.proveLive();
  assert.deepEqual(proof.live.get(), { kind: 'unknown', code: 'busy' });
  assert.equal(proof.state.get().kind, 'development');
  await proof.ensure();
  assert.equal(opened.length, 1);
});

test('a machine that was checked again while the session ran is shown as it was checked last', async () => {
  let report = FAKE_REPORT;
  const fake = fakeSession(async function* () {});
  const session: ChatSession = Object.defineProperty({ ...fake }, 'report', { get: () => report });
  const { proof } = createRig(`dev=${FIRST}`, fakeDevice(), async () => session);
  await proof.start();
  report = { ...FAKE_REPORT, checkedAtMs: FAKE_REPORT.checkedAtMs + 900_000 };
  session.onRenewed?.();
  const state = proof.state.get();
  assert.ok(state.kind === 'development' && state.report === report);
  proof.reset();
  report = FAKE_REPORT;
  session.onRenewed?.();
  assert.notEqual(proof.state.get(), FAKE_REPORT);
});
