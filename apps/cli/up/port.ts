/** Is the port free? Asked before anything else, so that a taken one is said at once and in words. */
import { createServer } from 'node:net';
import { EXIT, PlainError, systemCode } from '../plain-error.ts';

export const DEFAULT_PORT = 7070;

/** @throws PlainError unless `text` is a port number from 1 to 65535 */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new PlainError(
    `${JSON.stringify(text)} is no port.`,
    'Give a number from 1 to 65535, such as --port 7070.',
    EXIT.usage,
  );
}

/** @throws PlainError naming the port and a free one nearby */
export async function assertPortFree(port: number): Promise<void> {
  const reason = await tryListen(port);
  if (reason === undefined) return;
  if (reason === 'EACCES') {
    throw new PlainError(
      `An ordinary user may not use port ${port}.`,
      'Choose one above 1023, such as --port 7070.',
      EXIT.unavailable,
    );
  }
  let other = port + 1;
  while (other < Math.min(port + 50, 65_535) && (await tryListen(other)) !== undefined) other++;
  throw new PlainError(
    `Port ${port} is taken: another program on this machine, perhaps another Sotto, listens there.`,
    `Stop that one, or choose another port: npm start -- --port ${other}`,
    EXIT.unavailable,
  );
}

/** Below the range from which Linux takes ports for outgoing connections, any of which may appear at any moment. */
const QUIET_PORTS = { first: 20_000, count: 12_000 };

/** A port on loopback that is free and likely to stay so until a child listens on it. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = QUIET_PORTS.first + Math.floor(Math.random() * QUIET_PORTS.count);
    if ((await tryListen(port)) === undefined) return port;
  }
  throw new PlainError(
    'No free port was found on this machine.',
    'Stop other programs, then start again.',
    EXIT.unavailable,
  );
}

async function tryListen(port: number): Promise<string | undefined> {
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer();
    const code = await new Promise<string | undefined>((resolve) => {
      server.once('error', (error) => resolve(systemCode(error))).listen(port, host, () => resolve(undefined));
    });
    await new Promise((resolve) => server.close(resolve));
    if (code !== undefined && code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') return code;
  }
  return undefined;
}
