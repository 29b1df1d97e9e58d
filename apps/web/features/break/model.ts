/** Runs the attacks, one at a time, and judges what came of each. */
import { SottoError } from '@sotto/bytes';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { errorWords } from '../../shell/words.ts';
import { ATTACKS, type Attack, type AttackId, type Lab, LIMIT_SECONDS, type Outcome } from './attacks.ts';
import { b } from './words.ts';

export type Verdict = 'refused' | 'missed' | 'failed' | 'untried';

/** What stands in an attack's row once it was run, in words. */
export interface Result {
  readonly kind: 'done';
  readonly verdict: Verdict;
  readonly heading: string;
  readonly saw: string;
  readonly left: string;
}

export type Row = { readonly kind: 'idle' | 'running' } | Result;

export interface BreakState {
  readonly rows: Readonly<Partial<Record<AttackId, Row>>>;
  readonly busy: boolean;
  /** For those who hear the page: what just became of an attack, or of all. */
  readonly announcement: string;
  /** After all were run. */
  readonly summary: string;
}

export interface BreakModel {
  readonly state: ReadableStore<BreakState>;
  run(id: AttackId): Promise<void>;
  runAll(): Promise<void>;
  /** Ends what runs. */
  stop(): void;
}

/** @param prepare what the attacks run on; rejects when no machine is trusted */
export function createBreakModel(prepare: () => Promise<Lab>): BreakModel {
  const state = createStore<BreakState>({ rows: {}, busy: false, announcement: '', summary: '' });
  let stopping = new AbortController();

  const outcomeOf = async (attack: Attack, signal: AbortSignal): Promise<Outcome> => {
    let lab: Lab | undefined;
    try {
      lab = await prepare();
      return await attempt(attack, lab, signal);
    } catch (cause) {
      const saw = errorWords(cause instanceof SottoError ? cause.code : 'unexpected');
      const outcome = { rule: undefined, saw, wordBytes: 0, inClear: false };
      // What breaks in a way nobody foresaw was not refused by its rule; without a lab there was no attack.
      return lab === undefined ? { ...outcome, hindrance: saw } : outcome;
    }
  };

  const runOne = async (attack: Attack, signal: AbortSignal): Promise<void> => {
    const { id } = attack;
    const put = (row: Row, announcement: string) => {
      if (!signal.aborted) state.patch({ rows: { ...state.get().rows, [id]: row }, announcement });
    };
    put({ kind: 'running' }, `${b(`${id}.title`)}: ${b('running')}`);
    const result = judge(attack, await outcomeOf(attack, signal));
    put(result, `${b(`${id}.title`)}: ${result.heading}`);
  };

  const runThese = async (attacks: readonly Attack[]): Promise<void> => {
    if (state.get().busy) return;
    stopping = new AbortController();
    const { signal } = stopping;
    state.patch({ busy: true, summary: '' });
    try {
      for (const attack of attacks) if (!signal.aborted) await runOne(attack, signal);
      if (attacks.length > 1 && !signal.aborted) {
        const summary = summaryOf(state.get().rows);
        state.patch({ summary, announcement: summary });
      }
    } finally {
      state.patch({ busy: false });
    }
  };

  return {
    state,
    run: (id) => runThese(ATTACKS.filter((attack) => attack.id === id)),
    runAll: () => runThese(ATTACKS),
    stop: () => stopping.abort(),
  };
}

async function attempt(attack: Attack, lab: Lab, stopped: AbortSignal): Promise<Outcome> {
  const limit = new AbortController();
  const end = () => limit.abort();
  stopped.addEventListener('abort', end);
  const timer = new AbortController();
  const { clock } = lab.ports;
  const silence: Outcome = {
    ...{ rule: undefined, wordBytes: 0, inClear: false },
    saw: b('seen.silence', { seconds: LIMIT_SECONDS }),
  };
  const late = async (): Promise<Outcome> => {
    await clock.sleep(LIMIT_SECONDS * 1000, timer.signal);
    end();
    // The attack itself knows best what left; what does not end even now is left behind.
    await clock.sleep(1000, timer.signal);
    return silence;
  };
  try {
    return await Promise.race([attack.run(lab, limit.signal), late()]);
  } finally {
    timer.abort();
    stopped.removeEventListener('abort', end);
  }
}

/** A row is refused only by the rule that must refuse it, before anything left that must not. */
export function judge(attack: Attack, outcome: Outcome): Result {
  const { refusedBy, seenAs = refusedBy } = attack;
  const { saw, wordBytes, inClear } = outcome;
  const isLeaked = inClear || (attack.leaves === 'nothing' && wordBytes > 0);
  const left = leftWords(attack, outcome, isLeaked);
  const done = (verdict: Verdict, heading: string): Result => ({ kind: 'done', verdict, heading, saw, left });
  if (outcome.hindrance !== undefined && !isLeaked) {
    return { ...done('untried', b('verdict.untried')), saw: outcome.hindrance };
  }
  if (refusedBy === undefined) {
    const { rule } = outcome;
    return rule === undefined ? done('missed', b('verdict.missed')) : done('refused', b('verdict.refused', { rule }));
  }
  const names = seenAs === refusedBy ? refusedBy : `${refusedBy}, ${seenAs}`;
  if (outcome.rule === seenAs && !isLeaked) return done('refused', b('verdict.refused', { rule: names }));
  return done('failed', b('verdict.failed', { rule: names }));
}

function leftWords(attack: Attack, { wordBytes, inClear }: Outcome, isLeaked: boolean): string {
  if (inClear) return `${b('left.leaked', { bytes: wordBytes })} ${b('left.clear')}`;
  if (isLeaked) return b('left.leaked', { bytes: wordBytes });
  if (wordBytes > 0) return b('left.sealed', { bytes: wordBytes });
  return b(attack.id === 'records' || attack.id === 'rollback' ? 'left.store' : 'left.nothing');
}

function summaryOf(rows: BreakState['rows']): string {
  const verdicts = Object.values(rows).map((row) => (row.kind === 'done' ? row.verdict : undefined));
  const count = (verdict: Verdict) => verdicts.filter((one) => one === verdict).length;
  const counts = { refused: count('refused'), missed: count('missed'), failed: count('failed') };
  const untried = count('untried');
  return `${b('summary', counts)}${untried === 0 ? '' : b('untried', { untried })}.`;
}
