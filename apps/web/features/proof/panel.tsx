import { encodeHex } from '@sotto/bytes';
import { asSentence, errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';
import { CopyButton } from '../chat/copy-button.tsx';
import { standingOf } from './badge.tsx';
import { Checks, timeOf } from './checks.tsx';
import { LiveProof } from './live-proof.tsx';
import type { ProofState } from './model.ts';

/** What was checked of the machine: one sentence for everyone, the checks, then the bytes. */
export function ProofPanel({ heading = true }: { heading?: boolean }) {
  const { proof, operator, panels } = useApp();
  const state = useStore(proof.state);
  const standing = standingOf(state);
  const report = 'report' in state ? state.report : undefined;
  return (
    <div className="proof">
      {heading && <h2 className="voice">{t(`proof.title.${standing}`)}</h2>}
      <p>{leadOf(state)}</p>
      {state.kind === 'failed' && state.action === 'stop' && <p className="alarm">{t('proof.whatToDo')}</p>}
      {(state.kind === 'failed' || state.kind === 'offline') && (
        <button type="button" className="pill" onClick={() => void proof.retry()}>
          {t('app.again')}
        </button>
      )}
      {report !== undefined && <Checks report={report} />}
      {'bundle' in state && <LiveProof />}
      <div className="row">
        <button
          type="button"
          className="pill"
          onClick={() => {
            panels.patch({ proof: false, places: false });
            operator.open();
          }}
        >
          {t('proof.operator')}
        </button>
        {'bundle' in state && (
          <button type="button" className="pill" onClick={() => panels.patch({ breaking: true })}>
            {t('proof.break')}
          </button>
        )}
      </div>
      {'bundle' in state && <RawEvidence bundle={state.bundle} />}
    </div>
  );
}

function leadOf(state: ProofState): string {
  const standing = standingOf(state);
  // Constant words of ours that name the one thing that failed.
  if (state.kind === 'failed') {
    return `${asSentence(state.message)} ${t(state.live ? 'proof.lead.failedLive' : 'proof.lead.failed')}`;
  }
  if (state.kind === 'offline') return `${errorWords(state.code)} ${t('proof.lead.offline')}`;
  const ago = 'report' in state && state.report !== undefined ? timeOf(state.report.checkedAtMs) : '';
  return t(`proof.lead.${standing}`, { ago });
}

function RawEvidence({ bundle }: { bundle: Uint8Array }) {
  const { page } = useApp();
  const hex = encodeHex(bundle);
  return (
    <details className="raw">
      <summary>{t('proof.raw')}</summary>
      <p className="note">{t('proof.rawSize', { bytes: bundle.length.toLocaleString('en') })}</p>
      <pre>{hex.replace(/(.{8})/g, '$1 ')}</pre>
      <div className="row">
        <CopyButton text={hex} label={t('proof.copy')} />
        <button
          type="button"
          className="quiet"
          onClick={() => page.download('sotto-evidence.bin', new Uint8Array(bundle))}
        >
          {t('proof.download')}
        </button>
      </div>
    </details>
  );
}
