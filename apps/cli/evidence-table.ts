/** A hardware report as a table that a person can read at a terminal, or as JSON for a program. */
import type { HardwareLine, HardwareReport } from '@sotto/verify/files';

/** One word a status, also for reports of a node. */
export const MARKS: Readonly<Record<HardwareLine['status'], string>> = {
  passed: 'yes',
  failed: 'NO',
  'not-applicable': '–',
  'not-checked': '?',
  'not-reached': ' ',
};

const VERDICTS: Readonly<Record<HardwareReport['verdict'], string>> = {
  accepted: 'ACCEPTED: genuine hardware, and what your policy asks.',
  genuine:
    'GENUINE: hardware of this maker signed it. Whether its program and firmware are good was not asked: give a policy (--policy FILE).',
  refused: 'REFUSED.',
};

/** Said before and after a judgement under a root that the person gave (EV-448). */
export const ROOT_GIVEN =
  'UNDER A ROOT THAT YOU GAVE, not the maker’s: whoever holds its key makes evidence that passes.';

/** @returns lines without an end of line. Evidence is hostile: only closed words, numbers and hex of it are printed. */
export function evidenceTable(report: HardwareReport, isRootGiven: boolean): string[] {
  const { platform, verdict, checks, claims, failure } = report;
  const width = Math.max(...checks.map(({ title }) => title.length));
  const lines = checks.flatMap(({ status, title, rule, observed, expected }) => [
    `  ${MARKS[status].padEnd(4)}${title.padEnd(width)}  ${rule}`,
    ...(status === 'failed' ? [`      found: ${observed}`, `      asked: ${expected}`] : []),
    ...(status === 'not-checked' ? [`      ${observed}`] : []),
  ]);
  const warning = isRootGiven ? [ROOT_GIVEN] : [];
  return [
    ...warning,
    `Evidence of ${platform}`,
    '',
    ...lines,
    '',
    ...claims.map(({ name, value }) => `  ${name.padEnd(22)}${value}`),
    ...(claims.length > 0 ? [''] : []),
    failure === undefined
      ? VERDICTS[verdict]
      : `${VERDICTS[verdict]} ${failure.message} (rule ${failure.rule}, ${failure.code}, class ${failure.failureClass})`,
    ...(verdict === 'refused'
      ? []
      : ['It is about a machine, not about a connection: it does not say that you talk to that machine.']),
    ...warning,
  ];
}
