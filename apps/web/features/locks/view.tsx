import type { DeviceView, LocksAndDevices, LockView } from '@sotto/client/epochs';
import { type ReactNode, useEffect, useState } from 'react';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import { createLocksModel, type LocksModel, type LocksStep } from './model.ts';
import { l, lockErrorWords } from './words.ts';
import './locks.css';

type StepOf<Kind extends LocksStep['kind']> = Extract<LocksStep, { kind: Kind }>;

/** What opens the account, which devices write, and a new key. */
export default function LocksDialog({ onClose }: { onClose: () => void }) {
  const { openLocks, page } = useApp();
  const [model] = useState(() => createLocksModel(openLocks));
  const { step, data, error, said } = useStore(model.state);
  useEffect(() => void model.load(), [model]);
  return (
    <Dialog title={l('title')} onClose={onClose} dismissible={step.kind !== 'working'}>
      <div className="locks" aria-busy={step.kind === 'working'}>
        {step.kind === 'writing' && <Writing step={step} model={model} onCopy={() => void page.copy(step.text)} />}
        {step.kind === 'confirming' && <Confirming step={step} model={model} />}
        {step.kind === 'renaming' && <Renaming step={step} model={model} />}
        {step.kind === 'asking' && <Asking step={step} model={model} data={data} />}
        {step.kind === 'working' && <p role="status">{l(data === undefined ? 'loading' : 'remove.working')}</p>}
        {step.kind === 'list' && data !== undefined && <Lists data={data} model={model} />}
        <p role="status">{said !== undefined && l(said)}</p>
        <p className="alarm" role="alert">
          {error !== undefined && lockErrorWords(error)}
        </p>
      </div>
    </Dialog>
  );
}

function Lists({ data, model }: { data: LocksAndDevices; model: LocksModel }) {
  return (
    <>
      {data.findings.length > 0 && (
        <section className="alarm" role="alert">
          <p>{l('findings.title')}</p>
          <ul>
            {data.findings.map(({ rule, message, recordId }) => (
              <li key={`${rule} ${recordId}`}>
                {message} <code>{rule}</code>
              </li>
            ))}
          </ul>
          <p>{l('findings.whatToDo')}</p>
        </section>
      )}
      <section aria-labelledby="locks-title">
        <h3 id="locks-title">{l('locks.title')}</h3>
        <p className="note">{l('locks.lead')}</p>
        <ul className="lock-list">
          {data.locks.map((lock) => (
            <Lock key={lock.lockId} lock={lock} model={model} />
          ))}
        </ul>
        <p className="note">{l('add.title')}</p>
        <div className="row">
          <button type="button" className="button" onClick={() => void model.addPasskey()}>
            {l('add.passkey')}
          </button>
          {(['recovery-code', 'recovery-phrase'] as const).map((kind) => (
            <button key={kind} type="button" className="button" onClick={() => void model.addRecovery(kind)}>
              {l(`add.${kind}`)}
            </button>
          ))}
        </div>
      </section>
      <section aria-labelledby="devices-title">
        <h3 id="devices-title">{l('devices.title')}</h3>
        <p className="note">{l('devices.lead')}</p>
        <ul className="lock-list">
          {data.devices.map((device) => (
            <Device key={device.deviceId} device={device} model={model} />
          ))}
        </ul>
      </section>
      <section aria-labelledby="rotate-title">
        <h3 id="rotate-title">{l('rotate.title')}</h3>
        <p className="note">
          {l('rotate.lead')} {l('epoch', { epoch: data.epoch })}{' '}
          {data.olderCount > 0 && l('older', { count: data.olderCount })}
        </p>
        <div className="row end">
          <button type="button" className="button" onClick={() => model.ask({ kind: 'key' })}>
            {l('rotate.yes')}
          </button>
        </div>
      </section>
    </>
  );
}

function Lock({ lock, model }: { lock: LockView; model: LocksModel }) {
  const name = nameOf(lock);
  const facts = [
    ...(lock.name === undefined ? [] : [l(`kind.${lock.kind}`)]),
    ...(lock.isInUse ? [l('lock.inUse')] : []),
    ...(lock.madeAtMs === undefined ? [] : [l('lock.made', { date: dateOf(lock.madeAtMs) })]),
    ...(lock.lastUsedAtMs === undefined ? [] : [l('lock.used', { date: dateOf(lock.lastUsedAtMs) })]),
  ];
  const isPasskeyAlone = lock.kind === 'passkey-without-lock';
  return (
    <Item
      name={name}
      facts={facts}
      onRename={isPasskeyAlone ? undefined : () => model.startRename('lock', lock.lockId, lock.name ?? '')}
      onRemove={() => model.ask({ kind: isPasskeyAlone ? 'passkey' : 'lock', id: lock.lockId })}
    >
      {lock.mayVanish && <p className="note alarm">{l('lock.vanish')}</p>}
      {!lock.canBeCarried && <p className="note">{l('lock.cannotBeCarried')}</p>}
      {isPasskeyAlone && <p className="note">{l('lock.withoutLock')}</p>}
    </Item>
  );
}

function Device({ device, model }: { device: DeviceView; model: LocksModel }) {
  const { deviceId, name, lastWroteAtMs, isThis } = device;
  const facts = [
    ...(isThis ? [l('device.this')] : []),
    lastWroteAtMs === undefined ? l('device.never') : l('device.wrote', { date: dateOf(lastWroteAtMs) }),
  ];
  return (
    <Item
      name={deviceNameOf(device)}
      facts={facts}
      onRename={() => model.startRename('device', deviceId, name ?? '')}
      onRemove={isThis ? undefined : () => model.ask({ kind: 'device', id: deviceId })}
    />
  );
}

function Item(props: {
  name: string;
  facts: readonly string[];
  onRename: (() => void) | undefined;
  onRemove: (() => void) | undefined;
  children?: ReactNode;
}) {
  const { name, facts, onRename, onRemove, children } = props;
  return (
    <li>
      <div className="row between">
        <div>
          <strong>{name}</strong>
          <small>{facts.join(' · ')}</small>
        </div>
        <div className="row">
          {onRename !== undefined && (
            <button type="button" className="quiet" aria-label={`${l('rename')}: ${name}`} onClick={onRename}>
              {l('rename')}
            </button>
          )}
          {onRemove !== undefined && (
            <button type="button" className="quiet danger" aria-label={`${l('remove')}: ${name}`} onClick={onRemove}>
              {l('remove')}
            </button>
          )}
        </div>
      </div>
      {children}
    </li>
  );
}

function Writing({ step, model, onCopy }: { step: StepOf<'writing'>; model: LocksModel; onCopy: () => void }) {
  const isCode = step.recovery === 'recovery-code';
  return (
    <section>
      <p>{l(isCode ? 'write.code' : 'write.phrase')}</p>
      {isCode ? (
        <p className="written proof-font">{step.text}</p>
      ) : (
        <ol className="written proof-font">
          {step.text.split(' ').map((word, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a word may stand twice, and the list does not change
            <li key={i}>{word}</li>
          ))}
        </ol>
      )}
      <div className="row end">
        <button type="button" className="button" onClick={model.back}>
          {l('cancel')}
        </button>
        <button type="button" className="button" onClick={onCopy}>
          {l('write.copy')}
        </button>
        <button type="button" className="button primary" onClick={model.written}>
          {l('write.next')}
        </button>
      </div>
    </section>
  );
}

function Confirming({ step, model }: { step: StepOf<'confirming'>; model: LocksModel }) {
  return (
    <TextForm
      label={l(step.recovery === 'recovery-code' ? 'confirm.code' : 'confirm.phrase')}
      start=""
      yes={l('confirm.add')}
      problem={step.differs ? l('confirm.differs') : undefined}
      onDone={(text) => void model.confirm(text)}
      onCancel={model.back}
    />
  );
}

function Renaming({ step, model }: { step: StepOf<'renaming'>; model: LocksModel }) {
  return (
    <TextForm
      label={l('rename.label')}
      start={step.name}
      yes={l('rename.save')}
      problem={undefined}
      onDone={(text) => void model.rename(text)}
      onCancel={model.back}
    />
  );
}

function TextForm(props: {
  label: string;
  start: string;
  yes: string;
  problem: string | undefined;
  onDone: (text: string) => void;
  onCancel: () => void;
}) {
  const [text, setText] = useState(props.start);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        props.onDone(text);
      }}
    >
      <label>
        {props.label}
        <input
          className="field"
          // biome-ignore lint/a11y/noAutofocus: the person has just asked to write here
          autoFocus
          value={text}
          maxLength={60}
          autoComplete="off"
          spellCheck={false}
          aria-invalid={props.problem !== undefined}
          aria-describedby="locks-problem"
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <p id="locks-problem" className="alarm" role="alert">
        {props.problem}
      </p>
      <div className="row end">
        <button type="button" className="button" onClick={props.onCancel}>
          {l('cancel')}
        </button>
        <button type="submit" className="button primary">
          {props.yes}
        </button>
      </div>
    </form>
  );
}

function Asking(props: { step: StepOf<'asking'>; model: LocksModel; data: LocksAndDevices | undefined }) {
  const { step, model, data } = props;
  const { what, missing } = step;
  const lock = data?.locks.find(({ lockId }) => what.kind !== 'key' && lockId === what.id);
  const device = data?.devices.find(({ deviceId }) => what.kind === 'device' && deviceId === what.id);
  const title =
    what.kind === 'key' ? 'rotate.title' : what.kind === 'device' ? 'remove.device.title' : 'remove.lock.title';
  return (
    <section>
      <h3>{l(title)}</h3>
      {lock !== undefined && <p>{nameOf(lock)}</p>}
      {device !== undefined && <p>{deviceNameOf(device)}</p>}
      <p>{l(what.kind === 'key' ? 'rotate.lead' : 'remove.lead')}</p>
      {lock?.isInUse && <p>{l('remove.inUse')}</p>}
      <p className="note">{l('remove.limit')}</p>
      {what.kind === 'device' && <p className="note">{l('remove.device.limit')}</p>}
      {missing.length > 0 && (
        <div role="alert">
          <p className="alarm">{l('remove.missing')}</p>
          <ul>
            {missing.map((lockId) => {
              const found = data?.locks.find((each) => each.lockId === lockId);
              return <li key={lockId}>{found === undefined ? lockId.slice(0, 8) : nameOf(found)}</li>;
            })}
          </ul>
        </div>
      )}
      <div className="row end">
        <button type="button" className="button" onClick={model.back}>
          {l('cancel')}
        </button>
        <button type="button" className="button danger" onClick={() => void model.doIt()}>
          {l(missing.length > 0 ? 'remove.alsoMissing' : what.kind === 'key' ? 'rotate.yes' : 'remove.yes')}
        </button>
      </div>
    </section>
  );
}

function nameOf({ name, kind }: LockView): string {
  return name ?? l(`kind.${kind}`);
}

function deviceNameOf({ name, deviceId }: DeviceView): string {
  return name ?? l('device.unnamed', { id: deviceId.slice(0, 4) });
}

function dateOf(atMs: number): string {
  return new Date(atMs).toLocaleDateString(undefined, { dateStyle: 'medium' });
}
