/** The server as a program: one JSON line on standard output when it is ready, log lines on standard error. */
import { StartError } from './errors.ts';
import { parseFlags, USAGE } from './flags.ts';
import { startServer } from './start.ts';

try {
  const server = await startServer(parseFlags(process.argv.slice(2)));
  process.stdout.write(`${JSON.stringify({ ready: true, url: server.url, port: server.port })}\n`);
  const stop = () => {
    process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM');
    server.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  // Started by `sotto up`: nothing stays behind when that is gone, however it ended.
  if (process.connected) process.once('disconnect', stop);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stdout.write(`${JSON.stringify({ ready: false, error: { code: error.code, message: error.message } })}\n`);
  process.stderr.write(`${error.message}\n${error.code === 'flags-invalid' ? `\n${USAGE}` : ''}`);
  process.exitCode = 1;
}
