/**
 * Both ends of the channel as victims: a peer with good keys that says anything, a bystander whose session must not notice,
 * and the memory that an attack may cost.
 */
import assert from 'node:assert/strict';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { concatBytes, encodeUtf8, equalBytes } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Clock } from '@sotto/ports';
import {
  createRealClock,
  createSeededRandom,
  createSocketPair,
  echoRequest,
  openChannelPair,
  PAIR_NODE_ID,
  readBody,
  type SocketPair,
} from '@sotto/testkit';
import { connectChannel, type VerifiedChannel } from '../initiator.ts';
import type { ChannelLimits } from '../limits.ts';
import { encodeFrame, type Frame, RawPeer } from '../raw-peer-for-testing.ts';
import { acceptChannel, type ChannelCloseInfo, type IncomingRequest } from '../responder.ts';
import type { Profile } from '../shaping/profiles.ts';

export const fill = (length: number, value: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(value);

/** What an attacker sends and nobody may ever get back. */
export const CANARY = encodeUtf8('canary-7f3a');

export interface Attacked {
  readonly peer: RawPeer;
  readonly sockets: SocketPair;
  readonly closed: Promise<ChannelCloseInfo>;
}

export interface AttackedResponder extends Attacked {
  /** What was begun for the attacker. */
  readonly requests: IncomingRequest[];
}

export interface ResponderOptions {
  readonly limits?: Partial<ChannelLimits>;
  readonly clock?: Clock;
  readonly suites?: readonly string[];
  /** The attacker's `shape`: 0 compact, 1 balanced, 2 strict. */
  readonly profile?: number;
  /** Answers `echo…` with an echo by default, and leaves the rest open and unread. */
  readonly onRequest?: (request: IncomingRequest) => void;
}

export const EPOCH = {
  epochId: fill(16, 3),
  staticPrivateKey: fill(32, 4),
  evidence: encodeUtf8('evidence'),
  evidenceDigest: sha256(encodeUtf8('evidence')),
};

/** A responder behind a socket pair: the attacker's side is `a`. */
export function startResponder(sockets: SocketPair, options: ResponderOptions = {}) {
  const requests: IncomingRequest[] = [];
  const { closed } = acceptChannel({
    socket: sockets.b,
    random: createSeededRandom('responder'),
    clock: options.clock ?? createRealClock(),
    nodeId: PAIR_NODE_ID,
    currentEpoch: () => EPOCH,
    onRequest(request) {
      requests.push(request);
      if (options.onRequest !== undefined) options.onRequest(request);
      else if (equalBytes(request.head.slice(0, 4), encodeUtf8('echo'))) echoRequest(request);
    },
    limits: options.limits ?? {},
    ...(options.suites === undefined ? {} : { suites: options.suites }),
  });
  return { requests, closed };
}

/** @param seed another one is another session: other ephemeral keys */
export const attackerKeys = (seed = 1) => ({
  ephemeral: fill(32, seed),
  hybrid: fill(64, seed + 1),
  static: fill(32, 4),
});

export async function attackResponder(options: ResponderOptions = {}, seed = 1): Promise<AttackedResponder> {
  const sockets = createSocketPair();
  const victim = startResponder(sockets, options);
  const keys = attackerKeys(seed);
  const peer = await RawPeer.connect({ socket: sockets.a, role: 'initiator', nodeId: PAIR_NODE_ID, keys });
  return { ...victim, peer, sockets };
}

/** The same, after `verified`. */
export async function attackVerifiedResponder(options: ResponderOptions = {}, seed = 1): Promise<AttackedResponder> {
  const attacked = await attackResponder(options, seed);
  const { profile } = options;
  await attacked.peer.send(
    { kind: 'verified' },
    ...(profile === undefined ? [] : [{ kind: 'shape', profile } as const]),
  );
  return attacked;
}

export interface AttackedInitiator extends Attacked {
  readonly channel: VerifiedChannel;
}

/** A client that has verified its node, which then turns out to be hostile. */
export async function attackInitiator(
  limits: Partial<ChannelLimits> = {},
  clock?: Clock,
  profile: Profile = 'compact',
): Promise<AttackedInitiator> {
  const sockets = createSocketPair();
  const connecting = connectChannel({
    socket: sockets.a,
    random: createSeededRandom('initiator'),
    clock: clock ?? createRealClock(),
    nodeId: PAIR_NODE_ID,
    limits,
    profile,
  });
  const keys = attackerKeys();
  const peer = await RawPeer.connect({ socket: sockets.b, role: 'responder', nodeId: PAIR_NODE_ID, keys });
  const unverified = await connecting;
  const channel = unverified.promote(unverified);
  return { peer, sockets, channel, closed: channel.closed };
}

/** Another person's session on the same program, with one stream under way. */
export async function createBystander(): Promise<{ assertUnharmed(): Promise<void> }> {
  const { channel, responder } = await openChannelPair({ onRequest: echoRequest });
  const stream = channel.request(encodeUtf8('before'));
  await stream.write(encodeUtf8('half'));
  await stream.head;
  return {
    async assertUnharmed() {
      await stream.write(encodeUtf8(' and half'));
      await stream.end();
      assert.deepEqual(await readBody(stream.body), encodeUtf8('half and half'));
      const after = channel.request(encodeUtf8('after'));
      await after.end();
      assert.equal((await after.head).length, 9);
      channel.close();
      assert.deepEqual(await responder.closed, { kind: 'closed', by: 'peer' });
    },
  };
}

/** The session ended with this code, on the victim's own decision, and nothing that the attacker said came back. */
export async function assertEnded({ closed, peer }: Attacked, code: string): Promise<void> {
  assert.deepEqual(await closed, { kind: 'failed', code, by: 'us' });
  assertNoEcho(peer.frames);
}

export function assertNoEcho(frames: readonly Frame[]): void {
  const said = concatBytes(...frames.map(encodeFrame));
  assert.equal(Buffer.from(said).includes(Buffer.from(CANARY)), false, 'what the attacker sent came back');
}

v8.setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that `attack` left in memory, as long as what it returns is held. */
export async function heldBy<Value>(attack: () => Promise<Value>): Promise<{ bytes: number; value: Value }> {
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  await new Promise((resolve) => setTimeout(resolve, 50));
  collect();
  const before = used();
  const value = await attack();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  await new Promise((resolve) => setTimeout(resolve, 50));
  collect();
  return { bytes: used() - before, value };
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export const MIB = 1024 * 1024;
