/** The demonstration is itself checked: with the named rule switched off, its line must say FAILED. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type System, startSystem } from '../harness/system.ts';
import { ATTACKS, type Attack } from './attacks.ts';
import { ALL_ATTACKS, runAttack } from './main.ts';

let system: System;

before(async () => {
  system = await startSystem();
});

after(() => system.stop());

// Two at a time: each victim is a process of its own, and mostly waits.
describe('each attack', { concurrency: 2, timeout: 300_000 }, () => {
  for (const attack of ALL_ATTACKS) check(attack);
});

function check(attack: Attack): void {
  test(`${attack.name}: the line is true`, async () => {
    const row = await runAttack(system, attack);
    assert.equal(row.verdict, attack.refusedBy === undefined ? 'NOT DETECTED' : 'REFUSED', row.saw);
    if (attack.mayRead !== true) assert.equal(row.bytesRead, 0);
  });

  const rule = attack.refusedBy;
  if (rule === undefined) return;
  test(`${attack.name}: FAILED once ${rule} is switched off`, async () => {
    assert.equal((await runAttack(system, attack, rule)).verdict, 'FAILED');
  });
}

test('key-and-policy-swapped: with its rule off, the attacker reads the words', async () => {
  const attack = ATTACKS.find(({ name }) => name === 'key-and-policy-swapped');
  assert.ok(attack !== undefined);
  assert.ok((await runAttack(system, attack, 'EV-56')).bytesRead > 0);
});
