import { useStore } from '../../ui/use-store.ts';
import './files.css';
import type { AttachModel, Chip } from './model.ts';
import { thumbnailAddress } from './picture.ts';
import { sizeWords, w } from './words.ts';

/** The files that the next message will take along. */
export default function Chips({ model }: { model: AttachModel }) {
  const { chips, problem } = useStore(model.state);
  if (chips.length === 0 && problem === undefined) return null;
  const notes = [...new Set(chips.filter(({ step }) => step === 'ready').flatMap((chip) => chip.notes))];
  return (
    <div className="files-draft">
      <ul className="files" aria-label={w('files.label')}>
        {chips.map((chip) => (
          <ChipView key={chip.id} chip={chip} model={model} />
        ))}
      </ul>
      <div className="files-notes" role="status">
        {problem !== undefined && <p className="problem">{problem}</p>}
        {notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
      </div>
    </div>
  );
}

function ChipView({ chip, model }: { chip: Chip; model: AttachModel }) {
  const { id, name, bytes, step, percent, notes, attachment } = chip;
  const { thumbnail } = attachment ?? {};
  return (
    <li className={`file ${step}`}>
      {thumbnail !== undefined && <img src={thumbnailAddress(thumbnail)} alt="" />}
      <span className="file-name" title={name}>
        {name}
      </span>
      <span className="file-size">{step === 'sealing' ? w('files.sealing', { percent }) : sizeWords(bytes)}</span>
      {step === 'failed' && (
        <>
          <span className="problem">{notes.join(' ')}</span>
          <button type="button" className="quiet" onClick={() => void model.retry(id)}>
            {w('files.retry')}
          </button>
        </>
      )}
      <button
        type="button"
        className="quiet"
        aria-label={w('files.remove', { name })}
        onClick={() => void model.remove(id)}
      >
        {w('files.dismiss')}
      </button>
    </li>
  );
}
