/**
 * `sotto operator show`: what the server holds, by the server's own tool. It runs as a process of its own, so that the
 * command line, which can open channels, never loads the server's code.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineCommand } from 'citty';
import { dataFolderAt } from '../data-folder.ts';
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
        const { root, server } = dataFolderAt(args.data, process.env);
        if (!existsSync(server)) {
          throw new PlainError(
            `No server has kept anything in ${root}.`,
            'Give the folder that the server uses: --data DIR.',
            EXIT.noInput,
          );
        }
        const command = [join(ROOT, 'apps/server/operator-main.ts'), '--data', server];
        if (args.account !== undefined) command.push('--account', args.account);
        if (args.json) command.push('--json');
        const child = spawn(process.execPath, command, { stdio: 'inherit' });
        process.exitCode = await new Promise<number>((resolve, reject) => {
          child.once('error', reject).once('exit', (code) => resolve(code ?? EXIT.failed));
        });
      },
    }),
  },
});
