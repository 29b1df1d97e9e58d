/** A child as `Child` wants it: says that it is ready, ends with its parent, and on request crashes or never starts. */
const [mode] = process.argv.slice(2);
if (mode === 'refuse') {
  process.stdout.write(`${JSON.stringify({ ready: false, error: { message: 'The moon is wrong.' } })}\n`);
  process.exit(1);
}
if (mode === 'die') {
  process.stderr.write('last words\n');
  process.exit(3);
}
if (mode === 'crash-soon') setTimeout(() => process.exit(9), 50);
const alive = setInterval(() => {}, 1_000);
if (mode !== 'stubborn') process.once('SIGTERM', () => process.exit(0));
else process.on('SIGTERM', () => {});
process.once('disconnect', () => process.exit(0));
process.on('SIGINT', () => process.stdout.write('interrupted\n'));
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid })}\n`);
void alive;
