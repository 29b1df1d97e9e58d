import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SottoError } from '@sotto/bytes';
import { LockKeyMissing, type LocksAndDevices, type RotationPlan } from '@sotto/client/epochs';
import { createLocksModel } from './model.ts';
import { deviceName } from './session.ts';
import type { LocksSession } from './types.ts';

const CODE = 'F7KQ-2M9D-XW4H-B3TN-6ZRC-PY8G-JV5O';
const data: LocksAndDevices = { locks: [], devices: [], epoch: 1, olderCount: 0, findings: [] };

function createRig(changes: Partial<LocksSession> = {}) {
  const done: string[] = [];
  const plans: RotationPlan[] = [];
  const session: LocksSession = {
    read: async () => data,
    addPasskey: async () => 'opens-chats',
    draftRecovery: async (kind) => (kind === 'recovery-code' ? CODE : 'able barn candle'),
    addRecovery: async (kind, text) => void done.push(`${kind} ${text}`),
    renameLock: async (id, name) => void done.push(`lock ${id} ${name}`),
    renameDevice: async (id, name) => void done.push(`device ${id} ${name}`),
    rotate: async (plan) => void plans.push(plan),
    ...changes,
  };
  return { model: createLocksModel(async () => session), done, plans };
}

test('a code is added only after its last group was typed, and is then forgotten', async () => {
  const { model, done } = createRig();
  await model.load();
  await model.addRecovery('recovery-code');
  model.written();
  await model.confirm('JV5X');
  const step = model.state.get().step;
  assert.ok(step.kind === 'confirming' && step.differs);
  await model.confirm(' jv50 ');
  assert.deepEqual(done, [`recovery-code ${CODE}`]);
  assert.deepEqual([model.state.get().step.kind, model.state.get().said], ['list', 'add.added']);
  assert.ok(!JSON.stringify(model.state.get()).includes('F7KQ'));
});

test('a phrase is confirmed by its last word, and given up without a trace', async () => {
  const { model, done } = createRig();
  await model.load();
  await model.addRecovery('recovery-phrase');
  model.back();
  assert.ok(!JSON.stringify(model.state.get()).includes('candle'));
  await model.addRecovery('recovery-phrase');
  model.written();
  await model.confirm('Candle');
  assert.deepEqual(done, ['recovery-phrase able barn candle']);
});

test('what cannot be carried over is named, and removed only when that is asked for too', async () => {
  const plans: RotationPlan[] = [];
  const { model } = createRig({
    rotate: async (plan) => {
      plans.push(plan);
      if (plan.removeLocks?.has('old') !== true) throw new LockKeyMissing(['old']);
    },
  });
  await model.load();
  model.ask({ kind: 'device', id: 'lost' });
  assert.equal(plans.length, 0);
  await model.doIt();
  const step = model.state.get().step;
  assert.deepEqual([step.kind === 'asking' && step.missing, model.state.get().error], [['old'], undefined]);
  await model.doIt();
  assert.deepEqual([...(plans[1]?.removeLocks ?? [])], ['old']);
  assert.deepEqual([...(plans[1]?.removeDevices ?? [])], ['lost']);
  assert.deepEqual([model.state.get().step.kind, model.state.get().said], ['list', 'remove.done']);
});

test('a refusal is said and leaves the person where they were', async () => {
  const refused = new SottoError('lock-last', '', { action: 'fix-input' });
  const { model } = createRig({ rotate: () => Promise.reject(refused) });
  await model.load();
  model.ask({ kind: 'lock', id: 'only' });
  await model.doIt();
  assert.deepEqual([model.state.get().step.kind, model.state.get().error], ['asking', 'lock-last']);
  model.back();
  assert.deepEqual([model.state.get().step.kind, model.state.get().error], ['list', undefined]);
});

test('locks and devices are renamed, and a passkey that only signs in is removed as one', async () => {
  const { model, done, plans } = createRig();
  await model.load();
  model.startRename('lock', 'a', '');
  await model.rename('Drawer');
  model.startRename('device', 'b', 'Old');
  await model.rename('New');
  assert.deepEqual(done, ['lock a Drawer', 'device b New']);
  model.ask({ kind: 'passkey', id: 'p' });
  await model.doIt();
  assert.deepEqual([[...(plans[0]?.removePasskeys ?? [])], plans[0]?.removeLocks?.size], [['p'], 0]);
  model.ask({ kind: 'key' });
  await model.doIt();
  assert.deepEqual([plans[1]?.removeLocks?.size, plans[1]?.removeDevices?.size], [0, 0]);
});

test('a browser gets a name that its person may recognise', () => {
  const agents = {
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0': 'Firefox on Linux',
    'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0': 'Edge on Windows',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit Version/18.0 Safari/604.1': 'Safari on iPhone',
    'curl/8': 'Browser',
  };
  for (const [agent, name] of Object.entries(agents)) assert.equal(deviceName(agent), name);
});
