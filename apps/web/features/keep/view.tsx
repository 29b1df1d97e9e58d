import { useState } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import type { KeepState } from './model.ts';

/** The dialog of "Keep my chats", one step at a time. */
export function KeepDialog() {
  const { keep } = useApp();
  const state = useStore(keep.state);
  const running = state.step === 'moving' || state.step === 'passkey-running';
  return (
    <Dialog title={titleOf(state)} onClose={keep.close} dismissible={!running}>
      <Step state={state} />
      {state.error !== undefined && (
        <p className="alarm" role="alert">
          {errorWords(state.error)}
        </p>
      )}
    </Dialog>
  );
}

function titleOf({ step }: KeepState): string {
  if (step === 'confirm') return t('keep.confirmTitle');
  if (step === 'moving') return t('keep.moving');
  if (step === 'passkey' || step === 'passkey-running') return t('keep.passkeyTitle');
  return t(step === 'done' ? 'keep.doneTitle' : 'keep.title');
}

function Step({ state }: { state: KeepState }) {
  const { keep } = useApp();
  switch (state.step) {
    case 'code':
      return <CodeStep code={state.code} />;
    case 'confirm':
      return <ConfirmStep />;
    case 'moving':
      return <p role="status">{t('keep.movingBody')}</p>;
    case 'passkey':
      return (
        <>
          <p>{t('keep.passkeyBody')}</p>
          <div className="row end">
            <button type="button" className="button" onClick={keep.close}>
              {t('keep.passkeySkip')}
            </button>
            <button type="button" className="button primary" onClick={() => void keep.addPasskey()}>
              {t('keep.passkeyAdd')}
            </button>
          </div>
        </>
      );
    case 'passkey-running':
      return <p role="status">{t('keep.passkeyRunning')}</p>;
    default:
      return (
        <>
          <p>{state.passkey === 'none' ? t('keep.doneCode') : t(`keep.done.${state.passkey}`)}</p>
          <div className="row end">
            <button type="button" className="button primary" onClick={keep.close}>
              {t('keep.done')}
            </button>
          </div>
        </>
      );
  }
}

function CodeStep({ code }: { code: string }) {
  const { keep } = useApp();
  return (
    <>
      <p>{t('keep.lead')}</p>
      <section className="code-card" aria-label={t('keep.codeLabel')} data-recovery-code={code}>
        {code.split('-').map((group, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: groups may repeat and never move
          <span key={index}>{group}</span>
        ))}
      </section>
      <div className="row">
        <button type="button" className="pill" onClick={() => void keep.copyCode()}>
          {t('keep.copy')}
        </button>
        <button
          type="button"
          className="pill"
          onClick={() => keep.downloadCode(t('keep.file', { code, origin: location.origin }))}
        >
          {t('keep.download')}
        </button>
        <button type="button" className="pill" onClick={keep.printCode}>
          {t('keep.print')}
        </button>
      </div>
      <div className="row end">
        <button type="button" className="button primary" onClick={keep.written}>
          {t('keep.written')}
        </button>
      </div>
    </>
  );
}

function ConfirmStep() {
  const { keep } = useApp();
  const [typed, setTyped] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void keep.confirm(typed);
      }}
    >
      <p>{t('keep.confirmBody')}</p>
      <label>
        {t('keep.confirmLabel')}
        <input
          className="field proof-font"
          // biome-ignore lint/a11y/noAutofocus: the only field of a step the person has just asked for
          autoFocus
          value={typed}
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
        />
      </label>
      <div className="row end">
        <button type="button" className="button" onClick={keep.back}>
          {t('keep.back')}
        </button>
        <button type="submit" className="button primary" disabled={typed.trim() === ''}>
          {t('keep.confirm')}
        </button>
      </div>
    </form>
  );
}
