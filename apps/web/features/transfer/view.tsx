import { useEffect, useState } from 'react';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import { createTransferModel, type Told, type TransferModel } from './model.ts';
import { type TransferWordKey, w } from './words.ts';

const CHECKLIST = ['look', 'file', 'delete', 'memory', 'later', 'local'] as const;

/** Exporting and importing chats, one step at a time. */
export default function TransferDialog({ kind, onClose }: { kind: 'export' | 'import'; onClose: () => void }) {
  const { transferable } = useApp();
  const [model] = useState(() => createTransferModel(transferable));
  useEffect(() => model.stop, [model]);
  const { step } = useStore(model.state);
  return (
    <Dialog title={w(`${kind}.title`)} onClose={onClose} dismissible={step !== 'importing'}>
      {kind === 'export' ? <Export model={model} /> : <Import model={model} onClose={onClose} />}
    </Dialog>
  );
}

function Export({ model }: { model: TransferModel }) {
  const state = useStore(model.state);
  return (
    <>
      <p>{w('export.lead')}</p>
      <div className="row end">
        <button type="button" className="button primary" onClick={() => void model.exportAll()}>
          {w('export.start')}
        </button>
      </div>
      <div role="status">{state.step === 'exported' && state.lines.map((line) => <p key={line}>{line}</p>)}</div>
    </>
  );
}

function Import({ model, onClose }: { model: TransferModel; onClose: () => void }) {
  const state = useStore(model.state);
  if (state.step === 'imported') return <Report told={state.report} again={model.again} onClose={onClose} />;
  if (state.step === 'importing') {
    return (
      <>
        <p role="status">{state.line}</p>
        <div className="row end">
          <button type="button" className="button" onClick={model.stop}>
            {w('import.stop')}
          </button>
        </div>
      </>
    );
  }
  return (
    <>
      <p>{w('import.lead')}</p>
      <label className="row">
        {w('import.choose')}
        <input
          autoComplete="off"
          type="file"
          multiple
          accept=".zip,.json,application/zip,application/json"
          onChange={({ target }) => void model.importFiles([...(target.files ?? [])])}
        />
      </label>
    </>
  );
}

function Report({ told, again, onClose }: { told: Told; again: () => void; onClose: () => void }) {
  return (
    <>
      <div role="status">
        {told.lines.map((line) => (
          <p key={line}>{line}</p>
        ))}
        {told.leftOut.length > 0 && <p>{w('import.left')}</p>}
        <Lines lines={told.leftOut} />
        {told.problems.map((line, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two files may have one name, and the list does not change
          <p key={i} className="alarm">
            {line}
          </p>
        ))}
      </div>
      {told.from.map((from) => (
        <section key={from}>
          <h3>{w(`${from}.title`)}</h3>
          <Lines lines={CHECKLIST.map((item) => w(`${from}.${item}` satisfies TransferWordKey))} />
        </section>
      ))}
      <div className="row end">
        <button type="button" className="button" onClick={again}>
          {w('import.again')}
        </button>
        <button type="button" className="button primary" onClick={onClose}>
          {w('import.close')}
        </button>
      </div>
    </>
  );
}

function Lines({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <ul>
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}
