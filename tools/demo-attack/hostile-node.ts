/**
 * A machine whose evidence the person has every reason to believe, in the attacker's hands: it holds the genuine machine's root
 * and says whatever it likes inside the channel. It counts what it could read of a conversation that should not have begun.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createNodeClock, createNodeRandom } from '@sotto/adapters-node';
import { socketOfWebSocket } from '@sotto/adapters-node/socket';
import { concatBytes, encodeUtf8, parseHex } from '@sotto/bytes';
import {
  answerHandshake,
  DEFAULT_LIMITS,
  encodeRenewalPrologue,
  type Frame,
  RawPeer,
} from '@sotto/channel/raw-peer-for-testing';
import { generateX25519 } from '@sotto/crypto/dh';
import { type Primitives, primitives } from '@sotto/crypto/primitives';
import { createDevEvidence, createDevEvidenceSource } from '@sotto/evidence/dev';
import { encodeResponseHead, encodeSseEvent, parseRequestHead, WIRE_VERSION } from '@sotto/wire';
import { type WebSocket, WebSocketServer } from 'ws';

export interface HostileNodeOptions {
  /** The node that the victim asks for. */
  readonly nodeIdHex: string;
  /** Where the genuine machine keeps its root. */
  readonly enclaveDataDir: string;
  /** What the evidence says it is for; `epoch` unless the attack is about that. */
  readonly purpose?: 'epoch' | 'broker';
  /** Half of a key agreement whose result everybody knows. */
  readonly isLowOrder?: boolean;
  /** Frames without end before the answer. */
  readonly isFlooding?: boolean;
  /** In the middle of the session, another key in place of the one that was vouched for. */
  readonly isRenewing?: boolean;
}

export interface HostileNode {
  readonly url: string;
  readonly bytesRead: () => number;
  close(): void;
}

const ANSWER = [
  { choices: [{ index: 0, delta: { role: 'assistant', content: 'an answer' }, finish_reason: null }] },
  {
    choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  },
].map((chunk) => ({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'scripted', ...chunk }));

export async function startHostileNode(options: HostileNodeOptions): Promise<HostileNode> {
  const [clock, random] = [createNodeClock(), createNodeRandom()];
  const channelKey = await generateX25519();
  const nodeId = parseHex(options.nodeIdHex, 16);
  const epochId = random.bytes(16);
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const privateKey = new Uint8Array(await readFile(join(options.enclaveDataDir, 'dev-root.key')));
  const { bundle, digest } = await createDevEvidence({
    source: createDevEvidenceSource({ privateKey, measurement: new Uint8Array(32) }),
    binding: {
      purpose: options.purpose ?? 'epoch',
      suites: ['sotto-1'],
      keys: [{ use: 'channel', algorithm: 'x25519', publicKey: channelKey.publicKey }],
      nodeId,
      epochId,
      notBeforeSeconds: nowSeconds,
      notAfterSeconds: nowSeconds + 3600,
      checkpoint: undefined,
      releaseDigest: new Uint8Array(32),
      configDigest: new Uint8Array(32),
      deviceEvidenceDigest: new Uint8Array(32),
      clientNonce: new Uint8Array(0),
      handshakeHash: new Uint8Array(0),
    },
  });
  let bytesRead = 0;

  async function serve(webSocket: WebSocket): Promise<void> {
    const ephemeral = random.bytes(32);
    const peer = await RawPeer.connect({
      socket: socketOfWebSocket(webSocket),
      role: 'responder',
      nodeId,
      keys: { ephemeral, static: channelKey.privateKey },
      statement: concatBytes(digest, epochId),
      primitives: options.isLowOrder === true ? lowOrder(ephemeral.slice()) : primitives,
    });
    const thief = await generateX25519();
    const paths = new Map<number, string>();
    const handled = new Set<Frame>();
    for (;;) {
      const frame = await peer.frame((one) => !handled.has(one));
      if (frame === undefined) return;
      handled.add(frame);
      if (frame.kind === 'open' && frame.stream === 0) {
        await peer.send({ kind: 'data', stream: 0, bytes: bundle }, { kind: 'end', stream: 0 }, { kind: 'rekey' });
      } else if (frame.kind === 'open') paths.set(frame.stream, parseRequestHead(frame.head).path);
      if (frame.kind === 'renew') {
        const { answer } = await answerHandshake({
          message: frame.message,
          prologue: encodeRenewalPrologue(['sotto-1'], nodeId, peer.handshakeHash),
          random,
          primitives,
          limits: DEFAULT_LIMITS,
          currentEpoch: () => ({
            epochId,
            staticPrivateKey: thief.privateKey,
            evidence: bundle,
            evidenceDigest: digest,
          }),
        });
        await peer.send({ kind: 'renewed', message: answer });
      }
      if (frame.kind === 'ping') await peer.send({ kind: 'pong', token: frame.token });
      if (frame.kind === 'data') bytesRead += frame.bytes.length;
      if (frame.kind === 'end') {
        const isEvidence = paths.get(frame.stream)?.startsWith('/v1/evidence/') === true;
        if (isEvidence) await peer.send(...answerTo(frame.stream, bundle), { kind: 'rekey' });
        else if (options.isRenewing === true) await peer.send({ kind: 'advice', advice: 1 });
        else {
          if (options.isFlooding === true) await flood(peer);
          await peer.send(...answerTo(frame.stream), { kind: 'rekey' });
        }
      }
    }
  }

  const http = createServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on('connection', (webSocket) => void serve(webSocket).catch(() => webSocket.terminate()));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/channel`,
    bytesRead: () => bytesRead,
    close: () => {
      for (const client of sockets.clients) client.terminate();
      http.close();
    },
  };
}

const SSE = encodeUtf8([...ANSWER.map((chunk) => JSON.stringify(chunk)), '[DONE]'].map(encodeSseEvent).join(''));

function answerTo(stream: number, body: Uint8Array = SSE): Frame[] {
  const head = encodeResponseHead({
    version: WIRE_VERSION,
    status: 200,
    headers: [['content-type', 'text/event-stream']],
  });
  return [
    { kind: 'head', stream, head },
    { kind: 'data', stream, bytes: body },
    { kind: 'end', stream },
  ];
}

/** Twenty thousand pings: the victim must answer each. */
async function flood(peer: RawPeer): Promise<void> {
  const pings = Array.from({ length: 1000 }, (): Frame => ({ kind: 'ping', token: new Uint8Array(8) }));
  for (let record = 0; record < 20; record++) await peer.send(...pings);
}

/** Key agreement with a point of order 1 in place of a fresh key: its result is zeros, with whomever. */
function lowOrder(ephemeral: Uint8Array): Primitives {
  const isEphemeral = (key: Uint8Array) => key.every((byte, place) => byte === ephemeral[place]);
  // The attacker's own core would refuse it: its zeros say of themselves that they are none.
  const zeros = () => Object.assign(new Uint8Array(32), { every: () => false });
  return {
    ...primitives,
    dhPublicKey: (key) => (isEphemeral(key) ? new Uint8Array(32) : primitives.dhPublicKey(key)),
    dh: (key, other) => (isEphemeral(key) ? zeros() : primitives.dh(key, other)),
  };
}
