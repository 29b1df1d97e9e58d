/** All shared Noise vectors through the command itself, and every message of every one with a byte flipped. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { areSharedVectorsAbsent, loadSharedNoiseCases, type NoiseCase } from '../testing/shared-noise.ts';

const skip = areSharedVectorsAbsent && 'shared vectors absent';

/** How many cases ended with which exit code and, when refused, with which code. */
async function tally(cases: Iterable<NoiseCase>): Promise<Record<string, number>> {
  const script = new URL('../sotto.js', import.meta.url).pathname;
  const judge = spawn(process.execPath, [script, 'conformance', '--batch'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(judge, 'close');
  const counts: Record<string, number> = {};
  const reading = (async () => {
    for await (const line of createInterface({ input: judge.stdout })) {
      const { exit, output } = JSON.parse(line) as { exit: number; output: { code?: string } };
      const key = exit === 0 ? '0' : `${exit} ${output.code}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
  })();
  for (const one of cases) if (!judge.stdin.write(`${JSON.stringify(one)}\n`)) await once(judge.stdin, 'drain');
  judge.stdin.end();
  await reading;
  assert.deepEqual(await ended, [0, null]);
  return counts;
}

test('CF-12 all 1,423 shared Noise vectors are accepted', { skip }, async (t) => {
  const counts = await tally(loadSharedNoiseCases());
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(counts, { 0: 1423 });
});

function* flipped(): Generator<NoiseCase> {
  for (const { id, stage, input } of loadSharedNoiseCases()) {
    for (const [index, { payload, ciphertext }] of input.messages.entries()) {
      const at = (index * 37) % (ciphertext.length / 2);
      const byte = Number.parseInt(ciphertext.slice(2 * at, 2 * at + 2), 16) ^ (1 << (index % 8));
      const altered = `${ciphertext.slice(0, 2 * at)}${byte.toString(16).padStart(2, '0')}${ciphertext.slice(2 * at + 2)}`;
      const messages = input.messages.with(index, { payload, ciphertext: altered });
      yield { id: `${id} message ${index}`, stage, input: { ...input, messages } };
    }
  }
}

test('CF-12 each of them with one byte of one message flipped is refused, for every message', { skip }, async (t) => {
  const counts = await tally(flipped());
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(counts, { '10 ciphertext-mismatch': 7943 });
});
