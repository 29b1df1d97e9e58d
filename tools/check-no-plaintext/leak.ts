/**
 * Preloaded into a server's or enclave's process of the control run, never of the product: leaks what the file named by
 * SOTTO_LEAK holds, through the media that the process really has. Everything in that file is base64.
 */
import { mkdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { type IncomingMessage, Server, type ServerResponse } from 'node:http';
import path from 'node:path';
import { WebSocket } from 'ws';

export interface Leaks {
  /** Printed at the start, one after the other, on both streams by turns. */
  readonly output?: readonly string[];
  /** Thrown in the message of an exception that nobody catches, when told `crash`. */
  readonly thrown?: readonly string[];
  /** Dumped by the last handler of that crash. */
  readonly dumped?: readonly string[];
  /** One file each. */
  readonly files?: { readonly folder: string; readonly contents: readonly string[] };
  /** One frame before the first that the process sends on a web socket. */
  readonly frame?: string;
  /** What `/leak/NUMBER` answers, and `/leak/cached/NUMBER` in a form that the browser keeps. */
  readonly answers?: readonly string[];
  /** In the script of a service worker, between comment marks. */
  readonly worker?: string;
}

const leaks = JSON.parse(readFileSync(process.env.SOTTO_LEAK ?? '', 'utf8')) as Leaks;
const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64');

for (const [at, one] of (leaks.output ?? []).entries()) {
  writeSync(1 + (at % 2), bytesOf(one));
  writeSync(1 + (at % 2), '\n');
}

if (leaks.files !== undefined) {
  mkdirSync(leaks.files.folder, { recursive: true });
  for (const [at, one] of leaks.files.contents.entries()) {
    writeFileSync(path.join(leaks.files.folder, `left-behind-${at}`), bytesOf(one));
  }
}

process.on('message', (message) => {
  if (message !== 'crash') return;
  for (const event of ['uncaughtException', 'unhandledRejection', 'exit']) process.removeAllListeners(event);
  process.on('exit', () => {
    for (const one of leaks.dumped ?? []) writeSync(2, Buffer.concat([bytesOf(one), Buffer.from('\n')]));
  });
  throw new Error((leaks.thrown ?? []).map((one) => bytesOf(one).toString('utf8')).join('\n'));
});

const { frame } = leaks;
if (frame !== undefined) {
  const send = WebSocket.prototype.send as (...args: unknown[]) => void;
  let isFirst = true;
  WebSocket.prototype.send = function (this: WebSocket, ...args: unknown[]): void {
    if (isFirst) send.call(this, bytesOf(frame));
    isFirst = false;
    send.apply(this, args);
  };
}

const { answers, worker } = leaks;
if (answers !== undefined) {
  const emit = Server.prototype.emit as (...args: unknown[]) => boolean;
  Server.prototype.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
    const [request, response] = args as [IncomingMessage, ServerResponse];
    const asked = event === 'request' ? /^\/leak\/(cached\/)?(\d+|none|page|worker)/.exec(request.url ?? '') : null;
    if (asked === null) return emit.call(this, event, ...args);
    request.resume();
    // A page of the same origin without the app's policy, and what it registers.
    if (asked[2] === 'page') {
      response.setHeader('content-type', 'text/html');
      response.end('<title>leak</title>');
      return true;
    }
    if (asked[2] === 'worker') {
      response.setHeader('content-type', 'text/javascript');
      response.end(Buffer.concat([Buffer.from('/*'), bytesOf(worker ?? ''), Buffer.from('*/')]));
      return true;
    }
    response.setHeader('content-type', 'application/octet-stream');
    response.setHeader('cache-control', asked[1] === undefined ? 'no-store' : 'max-age=3600');
    response.end(bytesOf(answers[Number(asked[2])] ?? ''));
    return true;
  };
}
