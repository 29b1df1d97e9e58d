/** The client's two strangers: a server that answers anything, and a verified node whose answers may be anything. */
import { encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { acceptChannel, type IncomingRequest } from '@sotto/channel/responder';
import { ClientError, type ClientPorts, type NodeSession, openNodeSession, ServerApi } from '@sotto/client';
import { generateX25519 } from '@sotto/crypto/dh';
import { generateEd25519 } from '@sotto/crypto/sign';
import { createDevEvidence, createDevEvidenceSource, devFingerprint } from '@sotto/evidence/dev';
import type { Fetch } from '@sotto/ports';
import { createRealClock, createSeededRandom, createSocketPair } from '@sotto/testkit';
import { encodeResponseHead, encodeSseEvent, WireError } from '@sotto/wire';
import { fill, jsonBytes, lossyText } from '../corpus.ts';
import type { Target } from '../target.ts';
import { CHUNKS, GENUINE_JSON } from './wire.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const answering =
  (status: number, body: Bytes): Fetch =>
  async () => ({ status, header: () => undefined, bytes: async () => body });

const CALLS: readonly ((api: ServerApi) => Promise<unknown>)[] = [
  (api) => api.nodes(),
  (api) => api.evidence('a', 'b', 1000),
  (api) => api.ensureSession(),
  (api) => api.createAccount(GENUINE_JSON.account),
  (api) => api.passkeyCreationOptions(),
  (api) => api.registerPasskey({}),
  (api) => api.signInWithRecovery(GENUINE_JSON.recovery),
  (api) => api.locks(),
  (api) => api.putLock('a', { kind: 'recovery-code', lock: 'AAEC' }),
  (api) => api.records(0),
  (api) => api.putRecord('a', fill(3, 1)),
  (api) => api.operatorView(),
];

/** A node of its own with good evidence, and the session of a client that verified it; opened again when it has ended. */
class HostileNode {
  answer: readonly Bytes[] = [];
  #session: NodeSession | undefined;
  #open: (() => Promise<NodeSession>) | undefined;

  async session(): Promise<NodeSession> {
    this.#open ??= await this.#prepare();
    if (this.#session?.isOpen !== true) this.#session = await this.#open();
    return this.#session;
  }

  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  async #prepare(): Promise<() => Promise<NodeSession>> {
    const [channelKey, root] = [await generateX25519(), await generateEd25519()];
    const clock = createRealClock();
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    const [nodeId, epochId] = [fill(16, 1), fill(16, 2)];
    const { bundle, digest } = await createDevEvidence({
      source: createDevEvidenceSource({ privateKey: root.privateKey, measurement: fill(32, 0) }),
      binding: {
        purpose: 'epoch',
        suites: ['sotto-1'],
        keys: [{ use: 'channel', algorithm: 'x25519', publicKey: channelKey.publicKey }],
        nodeId,
        epochId,
        notBeforeSeconds: nowSeconds,
        notAfterSeconds: nowSeconds + 3600,
        checkpoint: undefined,
        releaseDigest: fill(32, 0),
        configDigest: fill(32, 0),
        deviceEvidenceDigest: fill(32, 0),
        clientNonce: fill(0, 0),
        handshakeHash: fill(0, 0),
      },
    });
    const epoch = { epochId, staticPrivateKey: channelKey.privateKey, evidence: bundle, evidenceDigest: digest };
    const listing = {
      nodeId: encodeHex(nodeId),
      suites: ['sotto-1'],
      evidenceDigest: encodeHex(digest),
      epochId: encodeHex(epochId),
    };
    const ports: ClientPorts = {
      clock,
      random: createSeededRandom('hostile node'),
      distrust: { isDistrusted: () => false, subscribe: () => () => undefined },
      fetch: async (url) => {
        const json = url.endsWith('/api/nodes') ? { nodes: [listing] } : GENUINE_JSON.guest;
        const bytes = url.includes('/evidence/') ? bundle : jsonBytes(json);
        return { status: 200, header: () => undefined, bytes: async () => bytes };
      },
      connect: async () => {
        const { a, b } = createSocketPair();
        const random = createSeededRandom('hostile node, its end');
        const onRequest = (request: IncomingRequest) => void this.#respond(request).catch(() => undefined);
        acceptChannel({ socket: b, random, clock, nodeId, currentEpoch: () => epoch, onRequest });
        return a;
      },
    };
    const fingerprint = encodeHex(devFingerprint(root.publicKey));
    const policy = { kind: 'dev', version: 1, fingerprint } as const;
    return () => openNodeSession(ports, { baseUrl: 'http://localhost', policy });
  }

  async #respond(request: IncomingRequest): Promise<void> {
    const [head = fill(0, 0), ...chunks] = this.answer;
    const writer = request.respond(head.subarray(0, 15_000));
    for (const chunk of chunks) await writer.write(chunk);
    await writer.end();
  }
}

const node = new HostileNode();
const head = (status: number) =>
  encodeResponseHead({ version: 1, status, headers: [['content-type', 'text/event-stream']] });
const events = CHUNKS.slice(0, 3).map((chunk) => encodeUtf8(encodeSseEvent(JSON.stringify(chunk))));
const done = encodeUtf8(encodeSseEvent('[DONE]'));
const answers = () => [
  [head(200), ...events, done],
  [head(200), events[0] as Bytes, encodeUtf8(encodeSseEvent(JSON.stringify(CHUNKS[3]))), done],
  [head(429), jsonBytes(GENUINE_JSON.error)],
  [head(200), jsonBytes(GENUINE_JSON.models)],
  [parseHex('080110c801')],
];

export const clientTargets: readonly Target[] = [
  {
    // Part 0 is the status in digits, part 1 the body.
    name: 'client/server-answer',
    errors: [ClientError],
    corpus: () => [
      ...Object.values(GENUINE_JSON).map((value) => [encodeUtf8('200'), jsonBytes(value)]),
      ...['400', '401', '404', '429', '500', '503'].map((status) => [
        encodeUtf8(status),
        jsonBytes(GENUINE_JSON.error),
      ]),
    ],
    async run([status, body = new Uint8Array(0)]) {
      const api = new ServerApi(answering(Number.parseInt(lossyText(status), 10), body), '');
      let refusal: unknown;
      let accepted = 0;
      for (const call of CALLS) {
        try {
          await call(api);
          accepted++;
        } catch (error) {
          if (!(error instanceof ClientError)) throw error;
          refusal = error;
        }
      }
      // Four calls take any JSON object, or no answer at all; a good one is good for one call more.
      if (accepted < 5) throw refusal;
    },
  },
  {
    // Part 0 is the head, the others what the body comes in.
    name: 'client/node-chat',
    errors: [ClientError, WireError],
    corpus: answers,
    async run(input) {
      node.answer = input;
      const session = await node.session();
      let last = '';
      for await (const event of session.chat({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }))
        last = event.kind;
      return last === 'finish' ? undefined : 'no-finish';
    },
    close: async () => node.close(),
  },
  {
    name: 'client/node-models',
    errors: [ClientError, WireError],
    corpus: answers,
    async run(input) {
      node.answer = input;
      await (await node.session()).models();
    },
    close: async () => node.close(),
  },
];
