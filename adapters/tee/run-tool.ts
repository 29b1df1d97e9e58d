/**
 * Runs one program of the image and takes its output, as a port. No shell, no inherited environment, a limit of time and of
 * output; what it prints is as untrusted as the host that answers it.
 */
import { spawn } from 'node:child_process';
import { concatBytes } from '@sotto/bytes';
import { TeeError } from './error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface RunToolOptions {
  readonly timeLimitMs: number;
  readonly outputLimitBytes: number;
}

/** @returns what it wrote to its standard output; rejects with TeeError unless it ended with 0 */
export type RunTool = (program: string, args: readonly string[], options: RunToolOptions) => Promise<Bytes>;

/** Where the programs of the image are. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const nodeRunTool: RunTool = (program, args, { timeLimitMs, outputLimitBytes }) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { PATH, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'ignore'] });
    const parts: Uint8Array[] = [];
    let length = 0;
    let failure: TeeError | undefined;
    const stop = (error: TeeError): void => {
      failure ??= error;
      child.kill('SIGKILL');
    };
    // EV-460: a helper that hangs would keep the machine from ever starting, or from saying why.
    const timer = setTimeout(() => stop(unavailable('EV-460', 'a helper did not end in time')), timeLimitMs);
    child.stdout.on('data', (part: Uint8Array) => {
      length += part.length;
      parts.push(part);
      // EV-459: without a limit a helper fills the memory.
      if (length > outputLimitBytes) stop(new TeeError('evidence-malformed', 'EV-459', 'a helper wrote too much'));
    });
    child.on('error', () => stop(unavailable('EV-461', 'a helper cannot be started')));
    child.on('close', (status) => {
      clearTimeout(timer);
      // EV-461: half an answer of a helper that failed is no answer.
      if (status !== 0) failure ??= unavailable('EV-461', 'a helper failed');
      if (failure === undefined) resolve(concatBytes(...parts));
      else reject(failure);
    });
  });

function unavailable(rule: string, message: string): TeeError {
  return new TeeError('evidence-unavailable', rule, message);
}
