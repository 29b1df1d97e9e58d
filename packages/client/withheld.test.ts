/**
 * What a node hears before it is trusted, and after it is not any more: a raw peer in the node's place opens every record
 * that leaves a real client, with the keys of the handshake, and so sees each frame (spec/client.md CL-01, CL-06; CH-74, CH-83).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex, encodeUtf8 } from '@sotto/bytes';
import { RawPeer } from '@sotto/channel/raw-peer-for-testing';
import { primitives } from '@sotto/crypto/primitives';
import { ed25519PublicKey } from '@sotto/crypto/sign';
import { createDevEvidence, createDevEvidenceSource, devFingerprint } from '@sotto/evidence/dev';
import type { FetchResponse, Socket } from '@sotto/ports';
import { createRealClock, createSeededRandom, createSocketPair, type SocketPair } from '@sotto/testkit';
import { type Policy, VerifyError } from '@sotto/verify';
import type { ClientError } from './errors.ts';
import { NodeCache } from './node-cache.ts';
import { type ClientPorts, type NodeSession, openNodeSession } from './node-session.ts';

const NODE_ID = new Uint8Array(16).fill(0x11);
const MACHINE = new Uint8Array(32).fill(1);
const STRANGER = new Uint8Array(32).fill(2);
const WORDS = 'a person’s words';
const fill = (length: number, value: number) => new Uint8Array(length).fill(value);

/** The key, evidence and statement of one epoch. */
async function createEpoch(number: number, machine = MACHINE, ageSeconds = 0) {
  const staticKey = fill(32, 0x40 + number);
  const epochId = fill(16, number);
  const nowSeconds = Math.floor(Date.now() / 1000) - ageSeconds;
  const { bundle, digest } = await createDevEvidence({
    source: createDevEvidenceSource({ privateKey: machine, measurement: fill(32, 5) }),
    binding: {
      purpose: 'epoch',
      suites: ['sotto-1'],
      keys: [{ use: 'channel', algorithm: 'x25519', publicKey: await primitives.dhPublicKey(staticKey) }],
      nodeId: NODE_ID,
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
  return { staticKey, epochId, bundle, digest, statement: new Uint8Array([...digest, ...epochId]) };
}

type Epoch = Awaited<ReturnType<typeof createEpoch>>;

/** A client whose server lists one node, and the raw peer that is that node. */
async function open(
  epoch: Epoch,
  cache = new NodeCache(),
): Promise<{
  peer: Promise<RawPeer>;
  opening: Promise<NodeSession>;
  /** What left the client, and what it fetched from the server. */
  sockets: SocketPair;
  fetched: string[];
  withdraw(what?: Uint8Array): void;
}> {
  const json = (value: unknown): FetchResponse => ({
    status: 200,
    header: () => 'application/json',
    bytes: async () => encodeUtf8(JSON.stringify(value)),
  });
  const node = {
    nodeId: encodeHex(NODE_ID),
    suites: ['sotto-1'],
    evidenceDigest: encodeHex(epoch.digest),
    epochId: encodeHex(epoch.epochId),
  };
  const sockets = createSocketPair();
  const { promise: peer, resolve } = Promise.withResolvers<RawPeer>();
  const fetched: string[] = [];
  let withdrawn: Uint8Array | 'all' | undefined;
  const listeners = new Set<() => void>();
  const ports: ClientPorts = {
    clock: createRealClock(),
    random: createSeededRandom(`withheld ${Math.random()}`),
    fetch: async (url) => {
      fetched.push(url);
      if (url.endsWith('/api/nodes')) return json({ nodes: [node] });
      if (url.includes('/evidence/')) return { status: 200, header: () => undefined, bytes: async () => epoch.bundle };
      return json({ guestId: '0'.repeat(32) });
    },
    connect: async (): Promise<Socket> => {
      const keys = { ephemeral: fill(32, 9), static: epoch.staticKey };
      const { statement } = epoch;
      resolve(RawPeer.connect({ socket: sockets.b, role: 'responder', nodeId: NODE_ID, keys, statement }));
      return sockets.a;
    },
    distrust: {
      isDistrusted: ({ evidenceDigest }) =>
        withdrawn === 'all' || (withdrawn !== undefined && encodeHex(withdrawn) === encodeHex(evidenceDigest)),
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  };
  const policy: Policy = {
    kind: 'dev',
    version: 1,
    fingerprint: encodeHex(devFingerprint(await ed25519PublicKey(MACHINE))),
  };
  return {
    peer,
    sockets,
    fetched,
    opening: openNodeSession(ports, { baseUrl: 'http://localhost:1', policy, cache, profile: 'compact' }),
    withdraw(what) {
      withdrawn = what ?? 'all';
      for (const listener of listeners) listener();
    },
  };
}

/** The kinds of what the node heard, keep-alive and keys apart. */
const heard = ({ frames }: RawPeer) =>
  frames.map(({ kind }) => kind).filter((kind) => kind !== 'rekey' && kind !== 'ping' && kind !== 'credit');

const wordsIn = ({ frames }: RawPeer) =>
  frames.some((frame) => frame.kind === 'data' && new TextDecoder().decode(frame.bytes).includes(WORDS));

async function openGood() {
  const client = await open(await createEpoch(1));
  const [peer, session] = await Promise.all([client.peer, client.opening]);
  return { ...client, peer, session };
}

/** Asks something whose answer never comes. */
function ask(session: NodeSession, text = WORDS): Promise<unknown> {
  return session.request('POST', '/v1/chat/completions', { body: encodeUtf8(text) }).catch((error: unknown) => error);
}

/** Lets the client have its say: the raw peer names the new epoch, and hands out whatever bundle. */
async function renewTo(peer: RawPeer, epoch: Epoch, bundle: Uint8Array = epoch.bundle, open = 2): Promise<void> {
  await peer.send({ kind: 'advice', advice: 1 });
  const renew = await peer.frame(({ kind }) => kind === 'renew');
  assert.ok(renew?.kind === 'renew');
  const keys = { ephemeral: fill(32, 8), static: epoch.staticKey };
  await peer.send({ kind: 'renewed', message: await peer.answerRenewal(renew.message, keys, epoch.statement) });
  await peer.frame((frame) => frame.kind === 'open' && frame.stream === open);
  const head = (await import('@sotto/wire')).encodeResponseHead({ version: 1, status: 200, headers: [] });
  await peer.send(
    { kind: 'head', stream: open, head },
    { kind: 'data', stream: open, bytes: bundle },
    { kind: 'end', stream: open },
    { kind: 'rekey' },
  );
}

test('CL-01 a machine that does not prove itself hears that the line closes, and nothing else', async () => {
  const client = await open(await createEpoch(1, STRANGER));
  await assert.rejects(client.opening, VerifyError);
  const peer = await client.peer;
  await peer.frame(({ kind }) => kind === 'close');
  assert.deepEqual(heard(peer), ['close']);
});

test('CL-01 a verified machine hears that first, and then what a person asks', async () => {
  const { peer, session } = await openGood();
  const asking = ask(session);
  await peer.frame(({ kind }) => kind === 'end');
  assert.deepEqual(heard(peer), ['verified', 'open', 'data', 'end']);
  assert.ok(wordsIn(peer));
  session.close();
  await asking;
});

test('CH-74 a new epoch that does not prove itself hears nothing under its keys, and the old one nothing more', async () => {
  const { peer, session } = await openGood();
  await renewTo(peer, await createEpoch(2, STRANGER), undefined, 1);
  const error = (await session.closed) as VerifyError;
  assert.deepEqual([error.code, error.action], ['dev-key-not-pinned', 'stop']);
  await peer.frame(({ kind }) => kind === 'close');
  // `open` and `end` ask for the evidence; a record under the new keys would not have opened here at all.
  assert.deepEqual(heard(peer), ['verified', 'renew', 'open', 'end', 'close']);
  assert.equal(await ask(session), error);
});

test('CH-74 a renewal does not go back to an earlier epoch, clocks that differ a little apart', async () => {
  for (const [ageSeconds, isTaken] of [
    [299, true],
    [302, false],
  ] as const) {
    const { peer, session } = await openGood();
    await renewTo(peer, await createEpoch(2, MACHINE, ageSeconds), undefined, 1);
    if (isTaken) {
      await peer.frame(({ kind }) => kind === 'switch');
      session.close();
      continue;
    }
    const error = (await session.closed) as ClientError;
    assert.deepEqual([error.code, error.rule], ['node-unverified', 'CH-74']);
    assert.ok(!heard(peer).includes('switch'));
  }
});

test('CH-74 the evidence of another epoch than the handshake named renews nothing', async () => {
  const { peer, session } = await openGood();
  await renewTo(peer, await createEpoch(2), (await createEpoch(1)).bundle, 1);
  assert.equal(((await session.closed) as VerifyError).code, 'digest-mismatch');
  assert.ok(!heard(peer).includes('switch'));
});

test('CH-74 a new epoch that proves itself hears a person’s words after the switch, and the session stands on it', async () => {
  const { peer, session } = await openGood();
  const epoch = await createEpoch(2);
  let renewed = 0;
  session.onRenewed = () => renewed++;
  await renewTo(peer, epoch, undefined, 1);
  await peer.frame(({ kind }) => kind === 'switch');
  assert.ok(!wordsIn(peer));
  assert.equal(renewed, 0);
  await peer.send({ kind: 'switch' });
  const asking = ask(session);
  await peer.frame((frame) => frame.kind === 'end' && frame.stream === 2);
  assert.deepEqual(heard(peer), ['verified', 'renew', 'open', 'end', 'switch', 'open', 'data', 'end']);
  assert.deepEqual([session.node.epochId, renewed], [epoch.epochId, 1]);
  session.close();
  await asking;
});

test('CL-04 a later session is a whole handshake with fresh keys, and saves the judgement of evidence alone', async () => {
  const cache = new NodeCache();
  const epoch = await createEpoch(1);
  const first = await open(epoch, cache);
  const node = (await first.opening).node;
  const later = await open(epoch, cache);
  const session = await later.opening;
  const peer = await later.peer;
  assert.equal(session.node, node);
  assert.deepEqual(
    [first, later].map(({ fetched }) => fetched.filter((url) => url.includes('/evidence/')).length),
    [1, 0],
  );
  const [before, after] = [first, later].map(({ sockets }) => sockets.sent.find(({ from }) => from === 'a')?.bytes);
  assert.ok(before && after && before.length === 1216 && after.length === 1216);
  // Neither key is used again; and nothing of the person's travels with the handshake.
  for (const [start, end] of [
    [0, 32],
    [32, 1216],
  ] as const) {
    assert.notDeepEqual(after.slice(start, end), before.slice(start, end));
  }
  const asking = ask(session);
  await peer.frame(({ kind }) => kind === 'end');
  assert.deepEqual(heard(peer), ['verified', 'open', 'data', 'end']);
  session.close();
  await asking;
  // Another epoch is judged anew, whatever is remembered of the node.
  const stranger = await open(await createEpoch(2, STRANGER), cache);
  await assert.rejects(stranger.opening, VerifyError);
});

test('CH-83 what waits when a node is withdrawn is not sent', async () => {
  const { peer, session, withdraw } = await openGood();
  const asking = ask(session, WORDS);
  withdraw();
  assert.equal(((await asking) as ClientError).code !== undefined, true);
  await peer.frame(({ kind }) => kind === 'close');
  assert.deepEqual(heard(peer).at(-1), 'close');
  assert.ok(!wordsIn(peer), 'the words were waiting for the end of the turn in which the node was withdrawn');
  assert.equal(((await session.closed) as ClientError).code, 'node-distrusted');
});

test('CH-83 a node that is withdrawn while its new evidence is under way hears nothing under its keys', async () => {
  const { peer, session, withdraw } = await openGood();
  const epoch = await createEpoch(2);
  // The new evidence alone is withdrawn: the session as it stands is not touched by it.
  withdraw(epoch.digest);
  await renewTo(peer, epoch, undefined, 1);
  assert.equal(((await session.closed) as VerifyError).code, 'node-distrusted');
  await peer.frame(({ kind }) => kind === 'close');
  assert.deepEqual(heard(peer), ['verified', 'renew', 'open', 'end', 'close']);
});

test('CL-06 a session that stands on a new epoch closes when that one is withdrawn, and not for the old one', async () => {
  const { peer, session, withdraw } = await openGood();
  const old = session.node.evidenceDigest;
  const epoch = await createEpoch(2);
  await renewTo(peer, epoch, undefined, 1);
  await peer.frame(({ kind }) => kind === 'switch');
  withdraw(old);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(session.isOpen, true);
  withdraw(epoch.digest);
  assert.equal(((await session.closed) as ClientError).code, 'node-distrusted');
});

test('CH-84 a request that a node refuses while it leaves is told as one that can be tried again', async () => {
  const { peer, session } = await openGood();
  const asking = ask(session);
  await peer.frame(({ kind }) => kind === 'end');
  await peer.send({ kind: 'advice', advice: 2 }, { kind: 'error', stream: 1, reset: 4 }, { kind: 'rekey' });
  const error = (await asking) as ClientError;
  assert.deepEqual([error.code, error.action, session.isOpen], ['busy', 'retry', false]);
  session.close();
});
