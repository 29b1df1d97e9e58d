/**
 * `sotto operator show`: what the server holds, by the server's own tool. It runs as a process of its own, so that the
 * command line, which can open channels, never loads the server's code.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineCommand } from 'citty';
import { type DataFolder, dataFolderAt } from '../data-folder.ts';
import { EXIT, PlainError } from '../plain-error.ts';
import { ROOT } from '../up/run.ts';

export const operatorCommand = defineCommand({
  meta: { name: 'operator' },
  subCommands: {
    show: defineCommand({
      args: {
        account: { type: 'positional', required: false },
        data: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
      async run({ args }) {
        const command = ['--data', keptFolder(args.data).server];
        if (args.account !== undefined) command.push('--account', args.account);
        if (args.json) command.push('--json');
        await runServerTool('apps/server/operator-main.ts', command);
      },
    }),
  },
});

/** @throws PlainError when no server has used this folder */
export function keptFolder(option: string | undefined): DataFolder {
  const folder = dataFolderAt(option, process.env);
  if (existsSync(folder.server)) return folder;
  throw new PlainError(
    `No server has kept anything in ${folder.root}.`,
    'Give the folder that the server uses: --data DIR.',
    EXIT.noInput,
  );
}

/** Runs one of the server's own tools to its end, and takes its exit code. */
export async function runServerTool(program: string, words: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, program), ...words], { stdio: 'inherit' });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('exit', (code) => resolve(code ?? EXIT.failed));
  });
}
