/** A node, a person whose line is cut in the middle of an answer, and another customer who has learned the answer's id. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeUtf8, parseHex } from '@sotto/bytes';
import type { VerifiedChannel } from '@sotto/channel';
import { connectChannel } from '@sotto/channel/initiator';
import { deriveClaim, deriveRoots } from '@sotto/channel/recovery';
import type { ClientPorts } from '@sotto/client';
import type { Socket } from '@sotto/ports';
import { scriptedEngine } from '@sotto/testkit';
import { encodeClaimRequest, encodeRequestHead, parseResponseHead, WIRE_VERSION } from '@sotto/wire';
import { startEnclave } from '../../apps/enclave/start.ts';

const CHAT = encodeUtf8(JSON.stringify({ model: '', stream: true, messages: [{ role: 'user', content: '/slow 30' }] }));

/** @returns what the claim without the right token was answered */
export async function claimForeignAnswer(
  ports: Pick<ClientPorts, 'clock' | 'random' | 'connect'>,
): Promise<{ status: number; bytes: number }> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'sotto-steal-'));
  const enclave = await startEnclave({
    engine: scriptedEngine({ tokensPerSecond: 20 }),
    dataDir,
    port: 0,
    log: () => undefined,
  });
  const connect = async (): Promise<{ channel: VerifiedChannel; socket: Socket }> => {
    const socket = await ports.connect(`${enclave.url.replace('http', 'ws')}/channel`);
    const unverified = await connectChannel({ ...ports, socket, nodeId: parseHex(enclave.nodeId, 16) });
    return { channel: unverified.promote(unverified), socket };
  };
  try {
    const person = await connect();
    const recoveryKey = ports.random.bytes(32);
    const { id } = deriveClaim(deriveRoots(recoveryKey.slice()).claimKey);
    const answer = ask(person.channel, '/v1/chat/completions', CHAT, recoveryKey);
    await answer.head;
    person.socket.close(1001, 'lost');
    await person.channel.closed;
    const attacker = await connect();
    const claim = encodeClaimRequest({ id, token: ports.random.bytes(32), haveBytes: 0 });
    const stream = ask(attacker.channel, '/v1/answers/claim', claim);
    const { status } = parseResponseHead(await stream.head);
    let bytes = 0;
    for await (const part of stream.body) {
      bytes += part.length;
      if (status === 200) break;
    }
    attacker.channel.close();
    return { status, bytes };
  } finally {
    await enclave.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function ask(channel: VerifiedChannel, target: string, body: Uint8Array, recoveryKey?: Uint8Array) {
  const head = { version: WIRE_VERSION, method: 'POST', path: target, headers: [] } as const;
  const stream = channel.request(encodeRequestHead(recoveryKey === undefined ? head : { ...head, recoveryKey }));
  stream
    .write(body)
    .then(() => stream.end())
    .catch(() => undefined);
  return stream;
}
