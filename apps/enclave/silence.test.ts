import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeStack, isStartedLoud } from './crash.ts';
import { encodeLogLine } from './log.ts';

const CANARY = 'canary-words-of-a-person';

test('EN-13 the log writes listed fields and closed codes only', () => {
  const fields = { status: 200, code: CANARY, prompt: CANARY, durationMs: CANARY } as never;
  const line = encodeLogLine('request', fields, 0);
  assert.deepEqual(JSON.parse(line), { time: '1970-01-01T00:00:00.000Z', event: 'request', status: 200 });
  assert.match(encodeLogLine('crash', { code: 'internal' }, 0), /"code":"internal"/);
  assert.ok(!encodeLogLine(CANARY as never, {}, 0).includes(CANARY));
});

test('EN-14 a crash leaves places in our source and nothing of the message', () => {
  const disguised = `${CANARY}\n    at ${CANARY} (file://${process.cwd()}/${CANARY}.ts:1:1)`;
  const frames = describeStack(new Error(disguised));
  assert.ok(frames.length > 0);
  assert.ok(frames.some((frame) => frame.startsWith('apps/enclave/silence.test.ts:')));
  assert.ok(!frames.join('\n').includes('canary'));
});

test('EN-14 a stack that does not begin with its message is not printed', () => {
  const error = new Error('first');
  const { stack } = error;
  error.message = CANARY;
  assert.ok(stack !== undefined);
  assert.deepEqual(describeStack(error), []);
  assert.deepEqual(describeStack(CANARY), []);
});

test('EN-22 options that open the process are noticed', () => {
  for (const option of [
    '--inspect',
    '--inspect-brk=0',
    '--heapsnapshot-signal=SIGUSR2',
    '--import=./spy.js',
    '-r ./spy.cjs',
    '-r=./spy.cjs',
    '--env-file=.env',
    '--experimental-config-file=node.config.json',
    '--report-on-signal',
  ]) {
    assert.ok(isStartedLoud([option], undefined), option);
    assert.ok(isStartedLoud([], `--enable-source-maps ${option}`), option);
  }
  assert.ok(!isStartedLoud([], undefined));
  assert.ok(!isStartedLoud(['--max-old-space-size=512'], ''));
});
