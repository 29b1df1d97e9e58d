/** Starts one of our programs as a child and waits for the JSON line with which it says that it is ready. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface StartedProcess<Ready> {
  readonly ready: Ready;
  readonly child: ChildProcess;
  /** Everything it has printed so far, both streams. */
  output(): string;
  /** The same, byte for byte. */
  outputBytes(): Buffer;
  /** Asks it to end, then insists; resolves with its exit code or signal. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export interface StartOptions {
  readonly args: readonly string[];
  readonly preload?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const STOP_AFTER_MS = 5000;

export async function startProcess<Ready>(program: string, options: StartOptions): Promise<StartedProcess<Ready>> {
  const imports = (options.preload ?? []).flatMap((file) => ['--import', file]);
  const child = spawn(process.execPath, [...imports, program, ...options.args], {
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  const chunks: Buffer[] = [];
  const outputBytes = () => Buffer.concat(chunks);
  const output = () => outputBytes().toString('utf8');
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );

  const ready = await new Promise<Ready>((resolve, reject) => {
    const timer = setTimeout(() => fail('was not ready in time'), options.timeoutMs ?? 60_000);
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${program} ${why}; it printed:\n${output()}`));
    };
    let line = '';
    let found = false;
    child.stdout?.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (found) return;
      line += chunk.toString('utf8');
      const ready = line.split('\n').find((text) => text.startsWith('{"ready":true'));
      if (ready === undefined) return;
      found = true;
      clearTimeout(timer);
      resolve(JSON.parse(ready) as Ready);
    });
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', () => fail('could not be started'));
    child.once('exit', () => !found && fail('ended before it was ready'));
  });

  return {
    ready,
    child,
    output,
    outputBytes,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_AFTER_MS);
      try {
        return await ended;
      } finally {
        clearTimeout(force);
      }
    },
  };
}
