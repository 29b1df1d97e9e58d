/** The page that judges evidence: drop files, read the verdict rule by rule. */
import type { EvidenceFile, HardwareLine, HardwareReport } from '@sotto/verify/files';
import { type DragEvent, useState } from 'react';
import { Cross, Tick } from '../ui/icons.tsx';
import { flipOneBit, judgeOnPage, type Outcome } from './model.ts';
import { fill, words } from './words.ts';

const NO_CHOICES = { at: '', nonce: '', policy: '' };

export function VerifyPage() {
  const [files, setFiles] = useState<readonly EvidenceFile[]>([]);
  const [choices, setChoices] = useState(NO_CHOICES);
  const [outcome, setOutcome] = useState<Outcome | 'judging'>();
  const [note, setNote] = useState('');

  const judge = async (next: readonly EvidenceFile[], chosen = choices, said = '') => {
    setNote(said);
    if (next.length === 0) return;
    setOutcome('judging');
    setOutcome(await judgeOnPage(next, chosen, Date.now()));
  };
  const take = async (list: Iterable<File>) => {
    const taken = await Promise.all(
      [...list].map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
    );
    setFiles(taken);
    await judge(taken);
  };
  const choose = (change: Partial<typeof NO_CHOICES>) => {
    const chosen = { ...choices, ...change };
    setChoices(chosen);
    void judge(files, chosen);
  };
  const flip = () => {
    const flipped = flipOneBit(files, (crypto.getRandomValues(new Uint32Array(1))[0] as number) / 2 ** 32);
    if (flipped !== undefined)
      void judge(flipped.files, choices, fill(words.flipped, { name: flipped.name, offset: flipped.offset }));
  };

  return (
    <main className="verify-page">
      <header>
        <h1 className="voice">{words.title}</h1>
        <p>{words.lead}</p>
      </header>
      <DropPlace onFiles={take} names={files.map(({ name }) => name)} />
      <div className="verify-choices">
        <label>
          {words.at} (UTC)
          <input
            autoComplete="off"
            type="datetime-local"
            value={choices.at}
            onChange={(event) => choose({ at: event.target.value })}
          />
        </label>
        <label>
          {words.nonce}
          <input
            autoComplete="off"
            value={choices.nonce}
            spellCheck={false}
            onChange={(event) => choose({ nonce: event.target.value })}
          />
        </label>
        <label>
          {words.policy}
          <textarea
            autoComplete="off"
            rows={3}
            value={choices.policy}
            spellCheck={false}
            onChange={(event) => choose({ policy: event.target.value })}
          />
        </label>
        <button type="button" className="pill" disabled={files.length === 0} onClick={flip}>
          {words.flip}
        </button>
      </div>
      <div role="status">
        {note !== '' && <p className="note">{note}</p>}
        {outcome === 'judging' && <p>{words.judging}</p>}
        {outcome !== undefined && outcome !== 'judging' && outcome.kind === 'words' && <p>{outcome.text}</p>}
        {outcome !== undefined && outcome !== 'judging' && outcome.kind === 'report' && (
          <Report report={outcome.report} />
        )}
      </div>
      <p>
        <a href="/">{words.back}</a>
      </p>
    </main>
  );
}

function DropPlace({ onFiles, names }: { onFiles: (list: Iterable<File>) => void; names: readonly string[] }) {
  const drop = (event: DragEvent) => {
    event.preventDefault();
    onFiles(event.dataTransfer.files);
  };
  return (
    <label className="drop-place" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <span className="pill">{words.choose}</span> <span>{words.drop}</span>
      <input
        autoComplete="off"
        type="file"
        multiple
        className="visually-hidden"
        onChange={(event) => onFiles(event.target.files ?? [])}
      />
      {names.length > 0 && <span className="note">{names.join(', ')}</span>}
    </label>
  );
}

function Report({ report }: { report: HardwareReport }) {
  const { verdict, failure, checks, claims, platform } = report;
  const values = failure === undefined ? {} : { ...failure, class: failure.failureClass };
  return (
    <section className="verify-report proof" data-verdict={verdict}>
      <h2 className={verdict === 'refused' ? 'voice alarm' : 'voice'}>
        {words.verdict[verdict]} ({platform})
      </h2>
      <p>{fill(words.explain[verdict], values)}</p>
      {verdict !== 'refused' && <p className="note">{words.notAConnection}</p>}
      <ul className="checks">
        {checks.map((check) => (
          <Line key={`${check.rule} ${check.title}`} check={check} />
        ))}
      </ul>
      {claims.length > 0 && (
        <details>
          <summary>{words.claims}</summary>
          <dl>
            {claims.map(({ name, value }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <code>{value}</code>
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </section>
  );
}

function Line({ check }: { check: HardwareLine }) {
  const { status, title, rule, why, expected, observed } = check;
  const isFailed = status === 'failed';
  return (
    <li className={status}>
      <details open={isFailed}>
        <summary>
          <span className="mark" role="img" aria-label={words.status[status]}>
            {isFailed ? <Cross /> : status === 'passed' ? <Tick /> : status === 'not-checked' ? '?' : '–'}
          </span>
          <span className="check-title">{title}</span>
          <code>{rule}</code>
        </summary>
        <p>{why}</p>
        <dl>
          <dt>{words.expected}</dt>
          <dd>{expected}</dd>
          <dt>{words.seen}</dt>
          <dd>{observed}</dd>
        </dl>
      </details>
    </li>
  );
}
