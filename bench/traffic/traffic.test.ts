/** The attack harness, in small: what it plays is real, what it sees is all there is, what it says is right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Conversation, createCorpus } from './corpus.ts';
import { costsOf } from './costs.ts';
import { FEATURE_NAMES, featuresOf } from './features.ts';
import { play, playUnshaped } from './play.ts';
import { drawPlot, isTelling } from './plot.ts';
import { judgeTraffic, strongest } from './report.ts';
import { reconstruct } from './sequence.ts';
import { jobsOf } from './targets.ts';

const corpus = createCorpus(2);
const lastMs = ({ pieces }: Conversation) => pieces.at(-1)?.atMs ?? 0;

test('a corpus is the same each time, and has classes that differ', () => {
  assert.deepEqual(createCorpus(2)[7], corpus[7]);
  const mean = (topic: number) => {
    const lengths = corpus.filter((one) => one.topic === topic).map(({ pieces }) => pieces.length);
    return lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  };
  assert.ok(mean(0) > 1.5 * mean(1));
});

test('balanced: a short answer and a long one with a tool are one and the same to who watches', async () => {
  const short = corpus.filter((one) => !one.usesTool).sort((a, b) => lastMs(a) - lastMs(b))[0] as Conversation;
  const long = corpus.find((one) => one.usesTool && lastMs(one) > 9000 && lastMs(one) < 15_000) as Conversation;
  const [first, second] = [await play(short, 'balanced'), await play(long, 'balanced')];
  assert.deepEqual(first.seen, second.seen);
  assert.equal(first.seen.filter(({ isUp, atMs }) => !isUp && atMs < 17_000).length, 320);
  for (const { firstMs, saidMs } of [first, second]) assert.ok(firstMs - saidMs <= 100);
  assert.deepEqual(featuresOf(first.seen), featuresOf(second.seen));
  assert.equal(featuresOf(first.seen).values.length, FEATURE_NAMES.length);
  const plain = [playUnshaped(short), playUnshaped(long)];
  assert.notDeepEqual(featuresOf(plain[0]?.seen ?? []), featuresOf(plain[1]?.seen ?? []));
});

test('token lengths are read off unshaped records, and off no others', async () => {
  const one = corpus[0] as Conversation;
  assert.ok(reconstruct([one], [playUnshaped(one).seen]).right > 0.95);
  const shaped = reconstruct([one], [(await play(one, 'balanced')).seen]);
  assert.ok(shaped.right < 0.3);
});

test('the plot shows both, and the costs count both directions', async () => {
  const one = corpus.find(isTelling) ?? (corpus[0] as Conversation);
  const shaped = await play(one, 'balanced');
  assert.match(drawPlot(playUnshaped(one).seen, shaped.seen), /320 equal records/);
  const plain = { ...one, usesTool: false };
  const { bytesPerAnswer } = costsOf([plain], [shaped]);
  const bytes = shaped.seen.reduce((sum, { bytes, isUp }) => sum + bytes + (isUp ? 8 : 4), 0);
  assert.equal(bytesPerAnswer, bytes);
});

test('verdicts take the strongest attack and the upper end of its interval', () => {
  const area = (auc: number, high: number) => ({ auc, interval: [0.4, high] as const });
  const result = {
    'boosted trees': area(0.55, 0.61),
    'logistic regression': area(0.5, 0.7),
    'duration alone': area(0.9, 0.95),
  };
  const found = { profile: 'balanced', target: 'topic', streams: 10, result };
  assert.equal(strongest(found).name, 'boosted trees');
  const lines = judgeTraffic([found], {});
  assert.equal(lines.find(({ name }) => name.startsWith('balanced: topic'))?.verdict, 'OVER');
  assert.equal(lines.find(({ name }) => name.startsWith('strict: topic'))?.verdict, 'not measured');
});

test('two classes are split by prompt, fifty by answer', () => {
  const features = corpus.map((one) => featuresOf(playUnshaped(one).seen));
  const jobs = jobsOf('unshaped', corpus, features);
  assert.deepEqual(
    jobs.slice(0, 4).map(({ target, kind }) => `${target} ${kind}`),
    ['topic two', 'length two', 'tool two', 'prompt of 50 many'],
  );
  for (const { label, group, rows } of jobs) assert.ok(label.length === corpus.length && group.length === rows.length);
});
