import type { ReportLine, VerificationReport } from '../../shell/services.ts';
import { t } from '../../shell/words.ts';
import { Cross, Tick } from '../../ui/icons.tsx';
import { orderedChecks } from './model.ts';

export function timeOf(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** One line a check, to be opened for what it is about. */
export function Checks({ report }: { report: VerificationReport }) {
  return (
    <>
      <ul className="checks">
        {orderedChecks(report).map((check) => (
          <Check key={`${check.rule} ${check.title}`} check={check} />
        ))}
      </ul>
      <p className="note">{t('proof.checkedAt', { time: timeOf(report.checkedAtMs) })}</p>
    </>
  );
}

const STATUS_WORDS = {
  passed: 'proof.passed',
  failed: 'proof.failed',
  'not-applicable': 'proof.notApplicable',
} as const;

function Check({ check }: { check: ReportLine }) {
  const failed = check.status === 'failed';
  return (
    <li className={check.status}>
      <details open={failed}>
        <summary>
          <span className="mark" role="img" aria-label={t(STATUS_WORDS[check.status])}>
            {failed ? <Cross /> : check.status === 'passed' ? <Tick /> : '–'}
          </span>
          <span className="check-title">{check.title}</span>
          <code>{check.rule}</code>
        </summary>
        <p>{check.why}</p>
        <dl>
          <dt>{t('proof.expected')}</dt>
          <dd>{check.expected}</dd>
          <dt>{t('proof.seen')}</dt>
          <dd>{check.observed}</dd>
        </dl>
      </details>
    </li>
  );
}
