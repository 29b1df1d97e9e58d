import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';

/** Opens kept chats with a passkey or the recovery code. */
export function UnlockForm() {
  const { unlock, panels } = useApp();
  const { text, busy, passkeysAvailable, error } = useStore(unlock.state);
  return (
    <div className="unlock">
      {passkeysAvailable && (
        <>
          <button
            type="button"
            className="button primary wide"
            disabled={busy !== 'no'}
            onClick={() => void unlock.withPasskey()}
          >
            {t(busy === 'passkey' ? 'unlock.busy' : 'unlock.passkey')}
          </button>
          <p className="note or">{t('unlock.or')}</p>
        </>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void unlock.withCode();
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
            aria-invalid={error !== undefined}
            aria-describedby="unlock-error"
            onChange={(event) => unlock.setText(event.target.value)}
          />
        </label>
        <p id="unlock-error" className="alarm" role="alert">
          {error !== undefined && errorWords(error)}
        </p>
        <button
          type="submit"
          className={passkeysAvailable ? 'button wide' : 'button primary wide'}
          disabled={busy !== 'no' || text.trim() === ''}
        >
          {t(busy === 'code' ? 'unlock.busy' : 'unlock.code')}
        </button>
      </form>
      <button type="button" className="quiet" onClick={() => panels.patch({ unlocking: false, linking: 'new' })}>
        {t('link.new')}
      </button>
    </div>
  );
}

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
