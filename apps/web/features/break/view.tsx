import { openHistory, openNodeSession } from '@sotto/client';
import { useEffect, useState } from 'react';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Bar, Cross, OpenRing, Seal } from '../../ui/icons.tsx';
import { useStore } from '../../ui/use-store.ts';
import { ProofError } from '../proof/model.ts';
import { loadPin } from '../proof/pin.ts';
import { ATTACKS, type Attack, TEST_SENTENCE } from './attacks.ts';
import { type BreakModel, createBreakModel, type Result, type Row } from './model.ts';
import { b } from './words.ts';

/** The attacks that an operator could mount, run against the real client in this browser. */
export default function BreakDialog({ onClose }: { onClose: () => void }) {
  const { attackable } = useApp();
  const [model] = useState(() =>
    createBreakModel(async () => {
      const pin = await loadPin(attackable.device, '');
      if (pin.kind !== 'pinned') throw new ProofError('proof-no-link');
      return { ...attackable.network, fingerprint: pin.fingerprint, openNodeSession, openHistory };
    }),
  );
  useEffect(() => model.stop, [model]);
  const { rows, busy, announcement, summary } = useStore(model.state);
  return (
    <Dialog title={b('title')} onClose={onClose}>
      <p>{b('lead', { words: TEST_SENTENCE })}</p>
      <div className="row">
        <button type="button" className="button primary" aria-disabled={busy} onClick={() => void model.runAll()}>
          {b('runAll')}
        </button>
        {summary !== '' && <p className="break-summary">{summary}</p>}
      </div>
      <p className="hidden" role="status">
        {announcement}
      </p>
      <ol className="attacks">
        {ATTACKS.map((attack) => (
          <AttackRow key={attack.id} attack={attack} row={rows[attack.id]} busy={busy} model={model} />
        ))}
      </ol>
    </Dialog>
  );
}

interface AttackRowProps {
  readonly attack: Attack;
  readonly row: Row | undefined;
  readonly busy: boolean;
  readonly model: BreakModel;
}

function AttackRow({ attack, row = { kind: 'idle' }, busy, model }: AttackRowProps) {
  const title = b(`${attack.id}.title`);
  return (
    <li className={row.kind === 'done' ? `attack ${row.verdict}` : 'attack'} data-attack={attack.id}>
      <div className="row between">
        <h3>{title}</h3>
        <button
          type="button"
          className="pill"
          aria-label={b('runNamed', { title })}
          aria-disabled={busy}
          onClick={() => void model.run(attack.id)}
        >
          {row.kind === 'running' ? b('running') : b('run')}
        </button>
      </div>
      <p>{b(`${attack.id}.tried`)}</p>
      {row.kind === 'done' && <ResultView result={row} />}
    </li>
  );
}

/** Four shapes, and a word beside each. */
const SHAPES = { refused: Seal, missed: OpenRing, failed: Cross, untried: Bar } as const;

function ResultView({ result }: { result: Result }) {
  const Shape = SHAPES[result.verdict];
  return (
    <div className="attack-result">
      <p className="verdict">
        <Shape />
        <span>{result.heading}</span>
      </p>
      <dl>
        <dt>{b('sees')}</dt>
        <dd>{result.saw}</dd>
        {result.verdict !== 'untried' && (
          <>
            <dt>{b('left')}</dt>
            <dd>{result.left}</dd>
          </>
        )}
      </dl>
    </div>
  );
}
