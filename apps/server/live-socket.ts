/**
 * How the operator's own tool reads what only the running server knows (relay captures, log lines): a Unix socket in the data
 * folder that no other user may open. It answers one question and changes nothing.
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import { concatBytes, parseUtf8 } from '@sotto/bytes';
import type { LiveView } from './operator.ts';

const SOCKET_FILE = 'operator.sock';
const ANSWER_LIMIT_BYTES = 16 * 1024 * 1024;

/** @returns the listening server, or undefined where the folder's path is too long for a socket: the tool then shows the database alone */
export async function serveLive(dataDir: string, live: (subjectId: string) => LiveView): Promise<Server | undefined> {
  const path = join(dataDir, SOCKET_FILE);
  const server = createServer((incoming, outgoing) => {
    const subjectId = /^\/([0-9a-f]{32})$/.exec(incoming.url ?? '')?.[1];
    if (subjectId === undefined) outgoing.writeHead(404).end();
    else outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(live(subjectId)));
  });
  await rm(path, { force: true });
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(path, () => resolve(true));
  });
  if (!listening) return undefined;
  // The folder is 0700 already; the socket is closed too, should somebody open the folder up (SV-40).
  await chmod(path, 0o600);
  server.unref();
  return server;
}

/** @returns undefined when no server runs on this data folder */
export function fetchLive(dataDir: string, subjectId: string): Promise<LiveView | undefined> {
  return new Promise((resolve) => {
    const asked = request(
      { socketPath: join(dataDir, SOCKET_FILE), path: `/${subjectId}`, timeout: 3000 },
      (answer) => {
        const parts: Uint8Array[] = [];
        let length = 0;
        answer.on('data', (part: Buffer) => {
          length += part.length;
          if (length > ANSWER_LIMIT_BYTES) asked.destroy();
          else parts.push(part);
        });
        answer.on('end', () => resolve(JSON.parse(parseUtf8(concatBytes(...parts))) as LiveView));
      },
    );
    asked.on('error', () => resolve(undefined));
    asked.on('timeout', () => asked.destroy());
    asked.end();
  });
}
