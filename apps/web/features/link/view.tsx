import { type ReactNode, useEffect, useState } from 'react';
import { errorWords } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import { Camera } from './camera.tsx';
import { createLinkModel, type LinkModel, type LinkState, type Side } from './model.ts';
import { QrCode } from './qr-code.tsx';
import { linkErrorWords, w } from './words.ts';

/** Linking a device, one step at a time, on the new device or the open one. */
export default function LinkDialog({ side, onClose }: { side: Side; onClose: () => void }) {
  const { linkable, panels } = useApp();
  const [model] = useState(() => createLinkModel(side, linkable));
  useEffect(() => model.stop, [model]);
  const state = useStore(model.state);
  return (
    <Dialog title={w(`${side}.title`)} onClose={onClose} dismissible={state.step !== 'adding-passkey'}>
      <Step
        side={side}
        model={model}
        state={state}
        onClose={onClose}
        setPassphrase={() => panels.patch({ linking: undefined, unlockSettings: true })}
      />
    </Dialog>
  );
}

interface StepProps {
  readonly side: Side;
  readonly model: LinkModel;
  readonly state: LinkState;
  readonly onClose: () => void;
  readonly setPassphrase: () => void;
}

function Step({ side, model, state, onClose, setPassphrase }: StepProps) {
  switch (state.step) {
    case 'choose':
      return (
        <>
          <p>{w(`${side}.lead`)}</p>
          <div className="link-ways">
            <Choice word="choose.show" primary onClick={() => void model.show('secret')} />
            <Choice word="choose.read" onClick={model.read} />
            {side === 'new' && <Choice word="choose.digits" onClick={() => void model.show('digits')} />}
          </div>
          <p className="note">{w(`${side}.note`)}</p>
        </>
      );
    case 'shown':
      return (
        <>
          <p>{w(`shown.${state.way}`)}</p>
          {state.way === 'secret' ? <Secret text={state.text} /> : <p className="digits proof-font">{state.text}</p>}
          <p role="status">{w('shown.waiting')}</p>
          <End model={model} />
        </>
      );
    case 'reading':
      return <Reading model={model} error={state.error} />;
    case 'waiting':
      return (
        <>
          <p role="status">{w('waiting')}</p>
          <End model={model} />
        </>
      );
    case 'asked':
      return <Asked digits={state.digits} model={model} />;
    case 'joined':
      return (
        <>
          <p role="status">{w('joined.lead')}</p>
          <p>{w('joined.lock')}</p>
          {state.error !== undefined && <Alarm code={state.error} />}
          <div className="row end">
            <Button word="joined.skip" onClick={model.withoutLock} />
            <Button word="joined.passphrase" onClick={setPassphrase} />
            {model.passkeysAvailable && <Button word="joined.add" primary onClick={() => void model.addPasskey()} />}
          </div>
        </>
      );
    case 'adding-passkey':
      return <p role="status">{w('joined.adding')}</p>;
    case 'done':
      return (
        <>
          <p role="status">{w(side === 'open' ? 'done.open' : `done.${state.passkey}`)}</p>
          <div className="row end">
            <Button word="done.close" primary onClick={onClose} />
          </div>
        </>
      );
    case 'failed':
      return (
        <>
          <Alarm code={state.code} />
          <div className="row end">
            <Button word="again" primary onClick={model.again} />
          </div>
        </>
      );
  }
}

function Secret({ text }: { text: string }) {
  const { page } = useApp();
  const [copied, setCopied] = useState(false);
  return (
    <>
      <QrCode text={text} />
      <div className="link-text">
        <output className="proof-font" aria-label={w('shown.text')}>
          {text}
        </output>
        <button
          type="button"
          className="pill"
          onClick={() =>
            void page.copy(text).then(
              () => setCopied(true),
              () => {},
            )
          }
        >
          {w(copied ? 'shown.copied' : 'shown.copy')}
        </button>
      </div>
    </>
  );
}

function Reading({ model, error }: { model: LinkModel; error: string | undefined }) {
  const [text, setText] = useState('');
  const [camera, setCamera] = useState(false);
  return (
    <>
      {camera ? (
        <Camera onText={(found) => found.startsWith('SOTTO-LINK:') && void model.take(found)} />
      ) : (
        <Choice word="reading.camera" onClick={() => setCamera(true)} />
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void model.take(text);
        }}
      >
        <label>
          {w('reading.label')}
          <input
            className="field proof-font"
            value={text}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            aria-invalid={error !== undefined}
            aria-describedby="link-error"
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <div id="link-error">{error !== undefined && <Alarm code={error} />}</div>
        <div className="row end">
          <Button word="again" onClick={model.again} />
          <button type="submit" className="button primary" disabled={text.trim() === ''}>
            {w('reading.go')}
          </button>
        </div>
      </form>
    </>
  );
}

function Asked({ digits, model }: { digits: string | undefined; model: LinkModel }) {
  const isDigits = digits !== undefined;
  return (
    <>
      <p role="status">
        <strong>{w(isDigits ? 'asked.digits' : 'asked.open')}</strong>
      </p>
      {isDigits && (
        <p className="digits proof-font">
          <span className="hidden">{w('asked.digitsLabel', { digits: [...digits].join(' ') })}</span>
          <span aria-hidden="true">
            {digits.slice(0, 3)} {digits.slice(3)}
          </span>
        </p>
      )}
      <p>{w(isDigits ? 'asked.digitsBody' : 'asked.openBody')}</p>
      <div className="row end">
        <Button word="asked.no" onClick={() => model.answer(false)} />
        <Button word={isDigits ? 'asked.same' : 'asked.yes'} primary onClick={() => model.answer(true)} />
      </div>
    </>
  );
}

type Word = Parameters<typeof w>[0];

function Button({ word, primary = false, onClick }: { word: Word; primary?: boolean; onClick: () => void }) {
  return (
    <button type="button" className={primary ? 'button primary' : 'button'} onClick={onClick}>
      {w(word)}
    </button>
  );
}

function Choice(props: { word: Word; primary?: boolean; onClick: () => void }): ReactNode {
  return (
    <button type="button" className={props.primary ? 'button primary wide' : 'button wide'} onClick={props.onClick}>
      {w(props.word)}
    </button>
  );
}

function End({ model }: { model: LinkModel }) {
  return (
    <div className="row end">
      <Button word="cancel" onClick={model.again} />
    </div>
  );
}

function Alarm({ code }: { code: string }) {
  return (
    <p className="alarm" role="alert">
      {linkErrorWords(code) ?? errorWords(code)}
    </p>
  );
}
