/** The four questions that an eavesdropper asks, as classes and rows for the classifiers. */
import type { AttackJob } from './classifiers.ts';
import type { Conversation } from './corpus.ts';
import type { Features } from './features.ts';

/** The first window of `balanced`: what is longer is seen to be. */
const WINDOW_MS = 16_000;

function job(
  profile: string,
  target: string,
  kind: 'two' | 'many',
  corpus: readonly Conversation[],
  features: readonly Features[],
  labelOf: (conversation: Conversation) => number,
): AttackJob {
  return {
    profile,
    target,
    kind,
    rows: corpus.map((_, row) => row),
    label: corpus.map(labelOf),
    group: corpus.map(({ prompt }) => prompt),
    duration: features.map(({ durationMs }) => durationMs),
  };
}

/** Topic; length; tool; which prompt; and, beyond the four, whether the answer outlasted a window. */
export function jobsOf(shape: string, corpus: readonly Conversation[], features: readonly Features[]): AttackJob[] {
  const lengths = corpus.map(({ pieces }) => pieces.length).sort((a, b) => a - b);
  const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
  const isLong = ({ pieces }: Conversation) => Number((pieces.at(-1)?.atMs ?? 0) > WINDOW_MS);
  const jobs = [
    job(shape, 'topic', 'two', corpus, features, ({ topic }) => topic),
    job(shape, 'length', 'two', corpus, features, ({ pieces }) => Number(pieces.length >= median)),
    job(shape, 'tool', 'two', corpus, features, ({ usesTool }) => Number(usesTool)),
    job(shape, 'prompt of 50', 'many', corpus, features, ({ prompt }) => prompt),
  ];
  if (corpus.filter((conversation) => isLong(conversation) === 1).length >= 20)
    jobs.push(job(shape, 'beyond 16 s', 'two', corpus, features, isLong));
  return jobs;
}

export function whisperJobsOf(
  shape: string,
  conversations: readonly Conversation[],
  features: readonly Features[],
): AttackJob[] {
  return [job(`whispers ${shape}`, 'topic', 'two', conversations, features, ({ topic }) => topic)];
}
