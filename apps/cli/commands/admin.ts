/** `sotto admin`: what an operator does with the server's database, by the server's own tool (a process of its own, as for `operator`). */
import { join, resolve } from 'node:path';
import { defineCommand } from 'citty';
import { type DataFolder, dataFolderAt } from '../data-folder.ts';
import { keptFolder, runServerTool } from './operator.ts';

const data = { type: 'string' } as const;

export const adminCommand = defineCommand({
  meta: { name: 'admin' },
  subCommands: {
    disclose: defineCommand({
      args: { account: { type: 'positional', required: true }, data, json: { type: 'boolean', default: false } },
      async run({ args }) {
        const folder = keptFolder(args.data);
        const log = join(folder.logs, 'server.log');
        await runAdmin('disclose', args.account, folder, ['--log', log, ...(args.json ? ['--json'] : [])]);
      },
    }),
    backup: defineCommand({
      args: { file: { type: 'positional', required: true }, data },
      async run({ args }) {
        await runAdmin('backup', resolve(args.file), keptFolder(args.data));
      },
    }),
    restore: defineCommand({
      args: { file: { type: 'positional', required: true }, data },
      async run({ args }) {
        await runAdmin('restore', resolve(args.file), dataFolderAt(args.data, process.env));
      },
    }),
  },
});

function runAdmin(verb: string, what: string, { server }: DataFolder, more: readonly string[] = []): Promise<void> {
  return runServerTool('apps/server/admin-main.ts', ['--data', server, ...more, '--', verb, what]);
}
