/** A small `sotto up`: keeps two fake children, prints their process ids, ends them on Ctrl-C. For child.test.ts. */
import { Child } from '../up/child.ts';

const children = ['plain', process.argv[2] ?? 'plain'].map(
  (mode) =>
    new Child({
      name: 'fake',
      command: [new URL('fake-child.ts', import.meta.url).pathname, mode],
      cwd: '/',
      env: process.env,
      logPath: '/dev/null',
      onLine: (line) => process.stdout.write(`${line}\n`),
      stopTimeoutMs: 300,
    }),
);
const ready = await Promise.all(children.map((child) => child.start()));
process.on('SIGINT', async () => {
  await Promise.all(children.map((child) => child.stop()));
  process.exit(0);
});
process.stdout.write(`${JSON.stringify(ready.map(({ pid }) => pid))}\n`);
