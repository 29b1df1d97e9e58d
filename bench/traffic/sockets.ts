/** The same conversations over real sockets and real time, to see that virtual time does not flatter. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeClock } from '@sotto/adapters-node/clock';
import { createNodeConnectSocket, socketOfWebSocket } from '@sotto/adapters-node/socket';
import type { Profile } from '@sotto/channel/shaping';
import type { Socket } from '@sotto/ports';
import { WebSocketServer } from 'ws';
import type { Conversation } from './corpus.ts';
import { ask, connect, scriptedTalker, serve } from './play.ts';
import type { Seen } from './world.ts';

/** Plays all, `atOnce` at a time. @returns what passed each client's socket, times from the request on */
export async function playOverSockets(
  conversations: readonly Conversation[],
  profile: Profile,
  watchedMs: number,
  atOnce = 25,
): Promise<Seen[][]> {
  const clock = createNodeClock();
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  const byPath = new Map(conversations.map((conversation, index) => [`/${index}`, conversation]));
  sockets.on('connection', (socket, request) => {
    const conversation = byPath.get(request.url ?? '');
    if (conversation === undefined) socket.terminate();
    else serve(socketOfWebSocket(socket), clock, scriptedTalker(conversation, clock));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = createNodeConnectSocket();

  const playOne = async (conversation: Conversation, index: number): Promise<Seen[]> => {
    const socket = await open(`ws://127.0.0.1:${port}/${index}`);
    const seen: Seen[] = [];
    const note = (isUp: boolean, { length }: Uint8Array) => seen.push({ atMs: performance.now(), isUp, bytes: length });
    const unverified = await connect(watched(socket, note), clock, profile);
    const startMs = performance.now();
    let askedMs = startMs + 1000;
    const { text } = await ask(unverified, clock, conversation.question);
    if (text !== conversation.pieces.map((piece) => piece.text).join('')) throw new Error(`${conversation.id} changed`);
    askedMs = seen.find(({ isUp, atMs }) => isUp && atMs > startMs + 900)?.atMs ?? askedMs;
    await clock.sleep(Math.max(0, askedMs + watchedMs - performance.now()));
    const result = seen.map((record) => ({ ...record, atMs: record.atMs - askedMs }));
    socket.close();
    return result.filter(({ atMs }) => atMs >= -100);
  };

  const results: Seen[][] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < conversations.length; index = next++) {
      results[index] = await playOne(conversations[index] as Conversation, index);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  for (const client of sockets.clients) client.terminate();
  server.close();
  return results;
}

/** The same socket, with everything that passes noted. */
function watched(socket: Socket, note: (isUp: boolean, message: Uint8Array) => void): Socket {
  return {
    get bufferedBytes() {
      return socket.bufferedBytes;
    },
    get onMessage() {
      return socket.onMessage;
    },
    set onMessage(handler) {
      socket.onMessage = (message) => {
        note(false, message);
        handler?.(message);
      };
    },
    get onClose() {
      return socket.onClose;
    },
    set onClose(handler) {
      socket.onClose = handler;
    },
    send(message) {
      note(true, message);
      socket.send(message);
    },
    close: (code, reason) => socket.close(code, reason),
  };
}
