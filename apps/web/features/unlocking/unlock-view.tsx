import { useEffect, useState } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import { createUnlockModel, type UnlockModel, type UnlockState } from './unlock-model.ts';
import { u, unlockErrorWords } from './words.ts';
import './unlocking.css';

/** The whole screen of a browser whose chats are locked. */
export function UnlockScreen() {
  const { continueAsGuest } = useApp();
  return (
    <main className="stop unlock-screen">
      <p className="voice brand">{t('app.name')}</p>
      <h1 className="voice">{t('unlock.title')}</h1>
      <p>{t('unlock.body')}</p>
      <UnlockForm />
      <button type="button" className="quiet" onClick={() => void continueAsGuest()}>
        {t('unlock.asGuest')}
      </button>
    </main>
  );
}

/** For a guest who has kept chats elsewhere. */
export function UnlockDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('unlock.title')} onClose={onClose}>
      <UnlockForm />
    </Dialog>
  );
}

/** What this browser can do, the best first. */
function UnlockForm() {
  const { unlockable, panels } = useApp();
  const [model] = useState(() => createUnlockModel(unlockable));
  const state = useStore(model.state);
  useEffect(() => void model.load(), [model]);
  if (state.hasPassphrase === undefined) return <div className="unlock" aria-busy="true" />;
  const others = <OtherWays model={model} state={state} />;
  return (
    <div className="unlock">
      {state.hasPassphrase && <PassphraseForm model={model} state={state} />}
      <p id="unlock-error" className="alarm" role="alert">
        {state.error !== undefined && wordsOf(state.error, state)}
      </p>
      {state.hasPassphrase ? (
        <details>
          <summary>{u('unlock.more')}</summary>
          <div className="unlock">{others}</div>
        </details>
      ) : (
        others
      )}
      <button type="button" className="quiet" onClick={() => panels.patch({ unlocking: false, linking: 'new' })}>
        {t('link.new')}
      </button>
    </div>
  );
}

interface Shown {
  readonly model: UnlockModel;
  readonly state: UnlockState;
}

function PassphraseForm({ model, state: { passphrase, busy, error } }: Shown) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void model.withPassphrase();
      }}
    >
      <label>
        {u('unlock.passphrase')}
        <input
          className="field"
          type="password"
          autoComplete="current-password"
          // biome-ignore lint/a11y/noAutofocus: the first thing to do on a screen that shows nothing else
          autoFocus
          value={passphrase}
          aria-invalid={error?.startsWith('passphrase-') ?? false}
          aria-describedby="unlock-error"
          onChange={(event) => model.setPassphrase(event.target.value)}
        />
      </label>
      <button type="submit" className="button primary wide" disabled={busy !== 'no' || passphrase === ''}>
        {busy === 'passphrase' ? t('unlock.busy') : u('unlock.withPassphrase')}
      </button>
    </form>
  );
}

function OtherWays({ model, state: { text, busy, passkeysAvailable, hasPassphrase, error } }: Shown) {
  const isFirst = hasPassphrase !== true;
  return (
    <>
      {passkeysAvailable && (
        <>
          <button
            type="button"
            className={isFirst ? 'button primary wide' : 'button wide'}
            disabled={busy !== 'no'}
            onClick={() => void model.withPasskey()}
          >
            {t(busy === 'passkey' ? 'unlock.busy' : 'unlock.passkey')}
          </button>
          <p className="note or">{t('unlock.or')}</p>
        </>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void model.withCode();
        }}
      >
        <label>
          {t('unlock.codeLabel')}
          <input
            className="field proof-font"
            value={text}
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            aria-invalid={error !== undefined && !error.startsWith('passphrase-')}
            aria-describedby="unlock-error"
            onChange={(event) => model.setText(event.target.value)}
          />
        </label>
        <button
          type="submit"
          className={passkeysAvailable || !isFirst ? 'button wide' : 'button primary wide'}
          disabled={busy !== 'no' || text.trim() === ''}
        >
          {t(busy === 'code' ? 'unlock.busy' : 'unlock.code')}
        </button>
      </form>
    </>
  );
}

function wordsOf(error: string, { waitSeconds }: UnlockState): string {
  if (error === 'passphrase-wait') return u('unlock.wait', { seconds: waitSeconds });
  return unlockErrorWords(error) ?? errorWords(error);
}
