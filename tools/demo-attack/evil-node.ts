/**
 * A machine of the attacker's: it speaks the channel perfectly, claims to be the node that the victim wants, and counts what
 * it could read. If one byte of the victim's words reaches it, an attack has worked.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeClock, createNodeRandom } from '@sotto/adapters-node';
import { socketOfWebSocket } from '@sotto/adapters-node/socket';
import { parseHex } from '@sotto/bytes';
import { acceptChannel } from '@sotto/channel/responder';
import { generateX25519 } from '@sotto/crypto/dh';
import { sha256 } from '@sotto/crypto/hash';
import { generateEd25519 } from '@sotto/crypto/sign';
import { createDevEvidence, createDevEvidenceSource, devFingerprint } from '@sotto/evidence/dev';
import { WebSocketServer } from 'ws';

export interface EvilNodeOptions {
  /** The node that the victim asks for; the attacker claims to be it. */
  readonly nodeIdHex: string;
  /** A genuine node's evidence to replay; the attacker signs its own when there is none. */
  readonly replayed?: { readonly bundle: Uint8Array; readonly epochId: Uint8Array };
}

export interface EvilNode {
  readonly url: string;
  /** Of the attacker's own development key. */
  readonly fingerprint: string;
  readonly bytesRead: () => number;
  close(): void;
}

export async function startEvilNode({ nodeIdHex, replayed }: EvilNodeOptions): Promise<EvilNode> {
  const [clock, random] = [createNodeClock(), createNodeRandom()];
  const channelKey = await generateX25519();
  const root = await generateEd25519();
  const nodeId = parseHex(nodeIdHex, 16);
  const epochId = replayed?.epochId ?? random.bytes(16);
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const own = await createDevEvidence({
    source: createDevEvidenceSource({ privateKey: root.privateKey, measurement: new Uint8Array(32) }),
    binding: {
      purpose: 'epoch',
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
  const evidence = replayed?.bundle ?? own.bundle;
  let bytesRead = 0;

  const http = createServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on('connection', (webSocket) => {
    acceptChannel({
      socket: socketOfWebSocket(webSocket),
      clock,
      random,
      nodeId,
      currentEpoch: () => ({
        epochId,
        staticPrivateKey: channelKey.privateKey,
        evidence,
        evidenceDigest: sha256(evidence),
      }),
      onRequest: (request) => {
        bytesRead += request.head.length;
        void (async () => {
          for await (const part of request.body) bytesRead += part.length;
          request.reject('internal');
        })().catch(() => undefined);
      },
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/channel`,
    fingerprint: Buffer.from(devFingerprint(root.publicKey)).toString('hex'),
    bytesRead: () => bytesRead,
    close: () => {
      for (const client of sockets.clients) client.terminate();
      http.close();
    },
  };
}
