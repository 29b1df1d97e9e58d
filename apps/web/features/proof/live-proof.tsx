import { errorWords, t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';
import { Checks, timeOf } from './checks.tsx';

/** Asks the machine to prove itself again, now, and shows what it proved. */
export function LiveProof() {
  const { proof } = useApp();
  const live = useStore(proof.live);
  const asking = live.kind === 'asking';
  return (
    <div className="live">
      <p className="note">{t('proof.live.why')}</p>
      <button type="button" className="pill" disabled={asking} onClick={() => void proof.proveLive()}>
        {t(asking ? 'proof.live.asking' : 'proof.live.ask')}
      </button>
      <div role="status">
        {live.kind === 'unknown' && <p>{t('proof.live.unknown', { reason: errorWords(live.code) })}</p>}
        {live.kind === 'proven' && (
          <>
            <p>{t('proof.live.proven', { time: timeOf(live.report.checkedAtMs) })}</p>
            <Checks report={live.report} />
          </>
        )}
      </div>
    </div>
  );
}
