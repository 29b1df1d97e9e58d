/**
 * The judge, which writes down what it was asked when somebody wants to ask the same elsewhere: the browser's tests put every
 * genuine case of the stages' own tests to Chromium (e2e/evidence.test.ts).
 */
import { appendFileSync } from 'node:fs';
import type { Outcome } from '../conformance/outcome.ts';
import { judge as judgeHere } from '../conformance/stages.ts';

const { SOTTO_RECORD_CASES: file } = process.env;

/** As `judge` of the stages; appends a line `{stage, input, outcome}` to the file of that name in the environment. */
export async function judge(stage: string, readInput: () => unknown): Promise<Outcome> {
  const input = readInput();
  const outcome = await judgeHere(stage, () => input);
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ stage, input, outcome })}\n`);
  return outcome;
}
