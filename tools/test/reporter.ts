/**
 * A reporter for `node --test` that another program reads: one JSON object a line, each behind a record separator, so
 * that text a test prints cannot be taken for a result. Used by the test runner and by the mutants.
 */
import { inspect } from 'node:util';

/** What became of one test; suites and the wrappers around files are left out unless they failed by themselves. */
export interface TestOutcome {
  kind: 'pass' | 'fail' | 'skip' | 'empty' | 'output' | 'end';
  name: string;
  file: string;
  /** Why it failed or was skipped, or what was printed. */
  text: string;
}

export const SEPARATOR = '\u001e';

interface TestEvent {
  type: string;
  data: {
    name: string;
    file?: string;
    message?: string;
    skip?: string | boolean;
    todo?: string | boolean;
    details?: { type?: string; error?: Error & { failureType?: string; cause?: unknown } };
  };
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const outcome = outcomeOf(event);
    if (outcome !== undefined) yield `${SEPARATOR}${JSON.stringify(outcome)}\n`;
  }
  yield `${SEPARATOR}${JSON.stringify({ kind: 'end', name: '', file: '', text: '' })}\n`;
}

function outcomeOf({ type, data }: TestEvent): TestOutcome | undefined {
  const { name, file = '' } = data;
  const error = data.details?.error;
  if (type === 'test:stdout' || type === 'test:stderr')
    return { kind: 'output', name: '', file, text: data.message ?? '' };
  // Node says this in passing, and lets the run fail by its exit code alone.
  if (type === 'test:diagnostic' && /asynchronous activity after the test ended/.test(data.message ?? '')) {
    return { kind: 'fail', name: 'something went wrong after its test had ended', file, text: data.message ?? '' };
  }
  if (type !== 'test:pass' && type !== 'test:fail') return undefined;
  const idle = data.skip ?? data.todo;
  if (type === 'test:fail') {
    if (error?.failureType === 'subtestsFailed' || (data.todo !== undefined && data.todo !== false)) return undefined;
    return { kind: 'fail', name, file, text: describe(error) };
  }
  if (data.details?.type === 'suite' && idle === undefined) return undefined;
  // A file that holds no test is reported as a test of its own name.
  if (file !== '' && (name === file || file.endsWith(`/${name}`))) return { kind: 'empty', name, file, text: '' };
  if (idle !== undefined && idle !== false) return { kind: 'skip', name, file, text: idle === true ? '' : idle };
  return { kind: 'pass', name, file, text: '' };
}

function describe(error: (Error & { cause?: unknown }) | undefined): string {
  const cause = error?.cause ?? error;
  if (cause instanceof Error && cause.stack !== undefined) return `${cause.stack}`;
  return typeof cause === 'string' ? cause : inspect(cause, { depth: 3 });
}
