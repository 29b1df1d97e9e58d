import { useEffect, useState } from 'react';
import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import { IDLE_CHOICES, type IdleMinutes } from './guard.ts';
import { createUnlockSettingsModel, type UnlockSettingsModel } from './settings-model.ts';
import { u } from './words.ts';
import './unlocking.css';

/** What opens the account in this browser alone, and when it locks. */
export default function UnlockSettings({ onClose }: { onClose: () => void }) {
  const { unlockable } = useApp();
  const [model] = useState(() => createUnlockSettingsModel(unlockable));
  const { busy, error } = useStore(model.state);
  useEffect(() => void model.load(), [model]);
  return (
    <Dialog title={u('settings.title')} onClose={onClose} dismissible={!busy}>
      <div className="settings-parts">
        <p>{u('settings.lead')}</p>
        <Passphrase model={model} />
        <Staying model={model} />
        <Leaving model={model} />
        <p className="alarm" role="alert">
          {error !== undefined && errorWords(error)}
        </p>
      </div>
    </Dialog>
  );
}

function Passphrase({ model }: { model: UnlockSettingsModel }) {
  const { hasPassphrase, busy, said } = useStore(model.state);
  const [[first, again], setTyped] = useState<readonly [string, string]>(['', '']);
  return (
    <section aria-labelledby="passphrase-title">
      <h3 id="passphrase-title">{u('passphrase.title')}</h3>
      <p>{u('passphrase.lead')}</p>
      <p className="note">{u('passphrase.strength')}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void model.setPassphrase(first, again).then((isSet) => isSet && setTyped(['', '']));
        }}
      >
        <Secret label={u('passphrase.label')} value={first} onChange={(typed) => setTyped([typed, again])} />
        <Secret label={u('passphrase.again')} value={again} onChange={(typed) => setTyped([first, typed])} />
        <p role="status" className="note">
          {busy ? u('passphrase.working') : said !== undefined ? u(said) : hasPassphrase && u('passphrase.isSet')}
        </p>
        <div className="row end">
          {hasPassphrase && (
            <button type="button" className="button" disabled={busy} onClick={() => void model.removePassphrase()}>
              {u('passphrase.remove')}
            </button>
          )}
          <button type="submit" className="button primary" disabled={busy || first === '' || again === ''}>
            {u(hasPassphrase ? 'passphrase.change' : 'passphrase.set')}
          </button>
        </div>
      </form>
    </section>
  );
}

function Secret({ label, value, onChange }: { label: string; value: string; onChange: (typed: string) => void }) {
  return (
    <label>
      {label}
      <input
        className="field"
        type="password"
        autoComplete="new-password"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

function Staying({ model }: { model: UnlockSettingsModel }) {
  const { staysUnlocked, idleMinutes, busy } = useStore(model.state);
  return (
    <section aria-labelledby="idle-title">
      <label className="choice">
        <input
          type="checkbox"
          checked={staysUnlocked}
          disabled={busy}
          aria-describedby="stay-cost"
          onChange={(event) => void model.setStaysUnlocked(event.target.checked)}
        />
        {u('stay.title')}
      </label>
      <p id="stay-cost" className="note">
        {u('stay.cost')}
      </p>
      <label className="row between">
        <span id="idle-title">{u('idle.title')}</span>
        <select
          value={idleMinutes}
          disabled={staysUnlocked}
          onChange={(event) => model.setIdleMinutes(Number(event.target.value) as IdleMinutes)}
        >
          {IDLE_CHOICES.map((minutes) => (
            <option key={minutes} value={minutes}>
              {idleWords(minutes)}
            </option>
          ))}
        </select>
      </label>
      <p className="note">{u(staysUnlocked ? 'idle.stays' : 'idle.note')}</p>
    </section>
  );
}

function idleWords(minutes: IdleMinutes): string {
  if (minutes === 0) return u('idle.never');
  if (minutes === 1) return u('idle.minute');
  return minutes === 60 ? u('idle.hour') : u('idle.minutes', { minutes });
}

function Leaving({ model }: { model: UnlockSettingsModel }) {
  const { busy } = useStore(model.state);
  const [asked, setAsked] = useState(false);
  return (
    <section aria-labelledby="forget-title">
      <h3 id="forget-title">{u('forget.title')}</h3>
      <p>{u('forget.lead')}</p>
      <div className="row end">
        {asked && (
          <button type="button" className="button" onClick={() => setAsked(false)}>
            {t('app.cancel')}
          </button>
        )}
        <button
          type="button"
          className={asked ? 'button danger' : 'button'}
          disabled={busy}
          onClick={() => (asked ? void model.forget() : setAsked(true))}
        >
          {u(asked ? 'forget.sure' : 'forget.button')}
        </button>
      </div>
    </section>
  );
}
