/** `sotto up`: reads the options and hands Ctrl-C on; the work is in up/run.ts. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineCommand } from 'citty';
import { dataFolderAt } from '../data-folder.ts';
import { EXIT, PlainError } from '../plain-error.ts';
import { createTerminal } from '../terminal.ts';
import type { Child } from '../up/child.ts';
import { DEFAULT_PORT, parsePort } from '../up/port.ts';
import { runUp } from '../up/run.ts';

export const upCommand = defineCommand({
  meta: { name: 'up' },
  args: {
    data: { type: 'string' },
    port: { type: 'string', default: String(DEFAULT_PORT) },
    model: { type: 'string' },
    host: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    open: { type: 'boolean', default: true },
    yes: { type: 'boolean', default: false },
    download: { type: 'boolean', default: true },
  },
  async run({ args }) {
    const stop = new AbortController();
    let children: readonly Child[] = [];
    const onSignal = () => {
      if (stop.signal.aborted) {
        for (const child of children) child.kill();
        process.exit(EXIT.failed);
      }
      process.stdout.write('\nStopping.\n');
      stop.abort();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    if (process.connected) process.on('disconnect', () => stop.abort());
    process.stdout.on('error', () => {}); // a closed pipe is no reason to leave children behind
    try {
      await runUp(
        {
          data: dataFolderAt(args.data, process.env),
          port: parsePort(args.port),
          host: args.host,
          model: args.model,
          tls: tlsOption(args.cert, args.key),
          mayOpen: args.open,
          mayDownload: args.download,
          terminal: createTerminal({ out: process.stdout, input: process.stdin, env: process.env, ask: !args.yes }),
          env: process.env,
          signal: stop.signal,
        },
        (started) => {
          children = started;
        },
      );
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
    if (process.connected) process.disconnect();
    process.exitCode = EXIT.ok;
  },
});

function tlsOption(cert: string | undefined, key: string | undefined): { cert: string; key: string } | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new PlainError('--cert and --key belong together.', 'Give both files, in PEM format.', EXIT.usage);
  }
  for (const path of [cert, key]) {
    if (!existsSync(path)) throw new PlainError(`There is no file ${path}.`, 'Check --cert and --key.', EXIT.noInput);
  }
  return { cert: resolve(cert), key: resolve(key) };
}
