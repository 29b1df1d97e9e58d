/** The server shows something else than the person's devices wrote: what, and the ways forward. Nothing is done by itself. */
import { useState } from 'react';
import { useApp } from '../../ui/app-context.ts';
import type { FindingSummary } from '../conversations/model.ts';
import { w } from './words.ts';

export function Findings({ findings }: { findings: readonly FindingSummary[] }) {
  const { conversations, transferable } = useApp();
  const [step, setStep] = useState<'shown' | 'deciding' | 'putting-back'>('shown');
  const history = transferable.history();
  const count = history.restorableCount;
  const putBack = async () => {
    setStep('putting-back');
    await conversations.attempt(() => history.putBack());
    setStep('shown');
  };
  return (
    <div className="findings" role="alert">
      <p className="alarm">{w('watch.title')}</p>
      <ul>
        {findings.map(({ rule, message, count: times }) => (
          <li key={rule}>
            {message} <code>{rule}</code> {times > 1 && w('watch.count', { count: times })}
          </li>
        ))}
      </ul>
      <p className="note">{w('watch.what-to-do')}</p>
      {count > 0 && (
        <button type="button" className="pill" disabled={step === 'putting-back'} onClick={() => void putBack()}>
          {step === 'putting-back' ? w('watch.put-back-now') : w('watch.put-back', { count })}
        </button>
      )}
      {step === 'deciding' ? (
        <div className="row">
          <button type="button" className="pill" onClick={() => void conversations.acceptAsItIs()}>
            {w('watch.accept-yes')}
          </button>
          <button type="button" className="quiet" onClick={() => setStep('shown')}>
            {w('watch.cancel')}
          </button>
        </div>
      ) : (
        <button type="button" className="quiet" onClick={() => setStep('deciding')}>
          {w('watch.accept')}
        </button>
      )}
    </div>
  );
}
