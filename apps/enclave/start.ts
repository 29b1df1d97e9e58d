/** Puts a node together: keys and evidence, the door, channels, the API, the engine (spec/enclave.md). */
import { createNodeClock } from '@sotto/adapters-node/clock';
import { createNodeRandom } from '@sotto/adapters-node/random';
import { concatBytes, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { acceptChannel } from '@sotto/channel/responder';
import { sha256 } from '@sotto/crypto/hash';
import { devFingerprint } from '@sotto/evidence/dev';
import type { Clock, Random, Socket } from '@sotto/ports';
import { DEFAULT_QUEUE, DEFAULT_REQUEST_TIME_MS, handleApi } from './api.ts';
import { BodyBudget, DEFAULT_BODY_LIMITS, serveStream } from './channel-http.ts';
import { loadDevRoot } from './dev-root.ts';
import type { Engine } from './engine.ts';
import { DEFAULT_TIMES, Epochs, type EpochTimes } from './epochs.ts';
import { EvidenceApi } from './evidence-api.ts';
import { type EvidenceChoice, openEvidence } from './evidence-source.ts';
import { FairQueue, type QueueLimits } from './fair-queue.ts';
import { KeptAnswers } from './kept-answers.ts';
import type { Log } from './log.ts';
import { startNodeServer } from './node-server.ts';
import { OpenChannels } from './open-channels.ts';

const LEAVE_LIMIT_MS = 30_000;

export interface EnclaveOptions {
  /** What computes answers; null answers every chat with `engine-missing`. Closed with the enclave. */
  readonly engine: Engine | null;
  /** Holds the development key; made when it does not exist. */
  readonly dataDir: string;
  /** Development evidence where absent. */
  readonly evidence?: EvidenceChoice;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly sessionLimit?: number;
  readonly queue?: Partial<QueueLimits>;
  readonly requestTimeMs?: number;
  readonly times?: EpochTimes;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
}

export interface Enclave {
  /** `http://127.0.0.1:PORT`; channels at `/channel`. */
  readonly url: string;
  /** 32 hex digits. */
  readonly nodeId: string;
  /** 64 hex digits: what a `dev` policy pins. */
  readonly devFingerprint: string;
  /** Takes no new session and no new request; resolves when the running ones are over, at the latest after the limit. */
  leave(limitMs?: number): Promise<void>;
  /** At once. */
  close(): Promise<void>;
}

/** @throws EnclaveError `data-unusable`, `port-taken`; TeeError when it is to serve under hardware that is not there */
export async function startEnclave(options: EnclaveOptions): Promise<Enclave> {
  const { engine, log = () => undefined, clock = createNodeClock(), random = createNodeRandom() } = options;
  const requestTimeMs = options.requestTimeMs ?? DEFAULT_REQUEST_TIME_MS;
  const limits = { ...DEFAULT_QUEUE, running: engine?.concurrency ?? DEFAULT_QUEUE.running, ...options.queue };
  const sessionLimit = options.sessionLimit ?? 512;
  const times = options.times ?? DEFAULT_TIMES;

  const root = await loadDevRoot(options.dataDir);
  const nodeId = deriveNodeId(root.publicKey);
  const config = { engine: engine?.model ?? null, limits, requestTimeMs, sessionLimit, times };
  const stopped = new AbortController();
  const channels = new OpenChannels(clock);
  const epochs = await Epochs.create({
    ...(await openEvidence(options.evidence ?? { kind: 'dev', gpus: false }, { root, random })),
    nodeId,
    releaseDigest: new Uint8Array(32),
    configDigest: sha256(encodeUtf8(JSON.stringify(config))),
    clock,
    random,
    times,
    onRotate: () => {
      log('epoch');
      void channels.advise(times.rotateMs, stopped.signal);
    },
  });

  const queue = new FairQueue(limits);
  const budget = new BodyBudget(DEFAULT_BODY_LIMITS);
  const kept = new KeptAnswers(clock);
  const evidence = new EvidenceApi(epochs);
  const onSocket = (socket: Socket): void => {
    const session = {};
    const channel = acceptChannel({
      socket,
      random,
      clock,
      nodeId,
      currentEpoch: () => epochs.current(),
      onRequest: (incoming) => {
        const startMs = clock.nowMs();
        const answerEvidence = (request: Request) => evidence.answer(request, incoming.channel, session);
        const context = { queue, requestTimeMs, session, evidence: answerEvidence };
        void serveStream(incoming, (request) => handleApi(request, engine, context), { budget, session, kept }).then(
          (status) => {
            log('request', { status: status ?? 0, durationMs: clock.nowMs() - startMs });
          },
        );
      },
    });
    channels.add(channel);
    log('session-open');
    void channel.closed.then(() => log('session-close'));
  };
  const server = await startNodeServer({ port: options.port ?? 0, nodeId, epochs, sessionLimit, onSocket });
  const turning = epochs.run(stopped.signal);
  log('start', { port: server.port });
  return {
    url: server.url,
    nodeId: encodeHex(nodeId),
    devFingerprint: encodeHex(devFingerprint(root.publicKey)),
    async leave(limitMs = LEAVE_LIMIT_MS) {
      server.leave();
      log('leave', { sessions: channels.count });
      await channels.leave(limitMs);
    },
    async close() {
      stopped.abort();
      await server.close();
      kept.close();
      await turning;
      await engine?.close();
      log('stop');
    },
  };
}

/** The same on every start with the same key, so that a person's pinned node keeps its name. 16 bytes. */
function deriveNodeId(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha256(concatBytes(encodeUtf8('sotto/node-id/v1'), publicKey)).slice(0, 16);
}
