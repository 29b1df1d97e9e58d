/** `sotto conformance`: lets anybody judge our verifiers case by case, offline (spec/conformance.md). */
import { once } from 'node:events';
import { defineCommand } from 'citty';
import { judgeLines, linesOf } from '../conformance/batch.ts';
import { parseJson } from '../conformance/input.ts';
import { type JsonObject, type Outcome, VERDICT } from '../conformance/outcome.ts';
import { capabilities, judge } from '../conformance/stages.ts';
import { EXIT, PlainError } from '../plain-error.ts';

export const conformanceCommand = defineCommand({
  meta: { name: 'conformance' },
  args: {
    stage: { type: 'positional', required: false },
    batch: { type: 'boolean', default: false },
  },
  async run({ args }) {
    if (args.batch === (args.stage !== undefined)) {
      throw new PlainError(
        '`sotto conformance` needs a stage, or --batch.',
        'See `sotto conformance capabilities` for the stages.',
        EXIT.usage,
      );
    }
    if (args.batch) await judgeBatch();
    else if (args.stage === 'capabilities') print(capabilities());
    else {
      const { exit, output } = await judgeOne(args.stage as string);
      print(output);
      process.exitCode = exit;
    }
  },
});

function print(output: JsonObject): void {
  process.stdout.write(`${JSON.stringify(output)}\n`);
}

async function judgeOne(stage: string): Promise<Outcome> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return judge(stage, () => parseJson(Buffer.concat(chunks)));
}

async function judgeBatch(): Promise<void> {
  // A reader that has gone wants no more answers.
  process.stdout.once('error', () => process.exit(VERDICT.internal));
  for await (const answer of judgeLines(linesOf(process.stdin))) {
    // A reader that is slow to take its answers gets no more until it does.
    if (!process.stdout.write(`${answer}\n`)) await once(process.stdout, 'drain');
  }
}
