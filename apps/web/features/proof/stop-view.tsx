/** The two screens that stand before everything: no machine is trusted yet, or the link names another one. */
import { useState } from 'react';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Bar } from '../../ui/icons.tsx';
import { useStore } from '../../ui/use-store.ts';

export function StopView() {
  const { proof } = useApp();
  const state = useStore(proof.state);
  if (state.kind === 'no-link') return <MissingLink />;
  if (state.kind === 'machine-changed') return <MachineChanged expected={state.expected} seen={state.seen} />;
  return null;
}

function MissingLink() {
  return (
    <main className="stop">
      <p className="badge failed">
        <Bar />
        <span>{t('proof.badge.failed')}</span>
      </p>
      <h1 className="voice">{t('pin.missingTitle')}</h1>
      <p>{t('pin.missingBody')}</p>
      <p className="note">{t('pin.missingExample')}</p>
      <pre className="example">{`${location.origin}/#dev=…`}</pre>
    </main>
  );
}

function MachineChanged({ expected, seen }: { expected: string; seen: string }) {
  const { proof } = useApp();
  const [typed, setTyped] = useState('');
  const agreed = typed.trim().toLowerCase() === seen.slice(0, 4);
  return (
    <main className="stop">
      <p className="badge failed">
        <Bar />
        <span>{t('proof.badge.failed')}</span>
      </p>
      <h1 className="voice">{t('pin.changedTitle')}</h1>
      <p>{t('pin.changedBody')}</p>
      <dl className="fingerprints">
        <dt>{t('pin.expected')}</dt>
        <dd>
          <code>{expected.slice(0, 16)}</code>
        </dd>
        <dt>{t('pin.seen')}</dt>
        <dd className="alarm">
          <code>{seen.slice(0, 16)}</code>
        </dd>
      </dl>
      <h2>{t('pin.doTitle')}</h2>
      <p>{t('pin.do')}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (agreed) void proof.trustNewMachine();
        }}
      >
        <label>
          {t('pin.trustLabel')}
          <input
            className="field proof-font"
            value={typed}
            maxLength={4}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
        <button type="submit" className="button danger" disabled={!agreed}>
          {t('pin.trust')}
        </button>
      </form>
    </main>
  );
}
