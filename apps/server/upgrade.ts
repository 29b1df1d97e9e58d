/** What every WebSocket of the server passes before it is one: requests come from anybody, through browsers that other sites may steer. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ServerError } from './errors.ts';
import { networkOf } from './network.ts';
import { type Services, spend } from './services.ts';
import type { Site } from './site.ts';

/** @throws ServerError `host-refused`, `origin-refused`, `rate-limited` */
export function siteOfUpgrade({ siteOf, rates }: Services, { headers, socket }: IncomingMessage): Site {
  const site = siteOf(headers.host, socket);
  // SV-01: sockets are reached at the served address only.
  if (site === undefined) throw new ServerError('host-refused');
  const foreign = headers.origin !== undefined && headers.origin !== site.origin;
  // SV-02: cookies travel with WebSockets that other sites open; the Origin says who opened this one.
  if (foreign) throw new ServerError('origin-refused');
  spend(rates.requests, networkOf(socket.remoteAddress ?? ''));
  return site;
}

export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const status = error instanceof ServerError ? error.status : 500;
  // The other end may keep its half open for ever: a descriptor of ours, and an end that never comes (SV-41).
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
