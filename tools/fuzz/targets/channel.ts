/** Suite `sotto-1`: frames, records, both handshakes, and whole sessions with a peer that holds good keys and says anything. */
import { concatBytes, encodeUtf8, equalBytes } from '@sotto/bytes';
import { connectChannel } from '@sotto/channel/initiator';
import { encodeFrame, parseFrames, RawPeer } from '@sotto/channel/raw-peer-for-testing';
import { acceptChannel, type ChannelCloseInfo, type IncomingRequest } from '@sotto/channel/responder';
import { ChannelError, type HandshakeRole, openRecords } from '@sotto/channel/transcript';
import { sha256 } from '@sotto/crypto/hash';
import { createRealClock, createSeededRandom, createSocketPair, echoRequest, PAIR_NODE_ID } from '@sotto/testkit';
import { fill, loadVectors, parseShortHex, turns } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

const RECORD_BYTES = 16_384;
const evidence = encodeUtf8('evidence');
const clock = createRealClock();
const RAW_KEYS = { ephemeral: fill(32, 1), hybrid: fill(64, 2), static: fill(32, 4) };

const codeOf = (info: ChannelCloseInfo): string | undefined => (info.kind === 'failed' ? info.code : undefined);

function accept(socket: Parameters<typeof acceptChannel>[0]['socket'], onRequest: (request: IncomingRequest) => void) {
  return acceptChannel({
    socket,
    random: createSeededRandom('responder'),
    clock,
    nodeId: PAIR_NODE_ID,
    currentEpoch: () => ({
      epochId: fill(16, 3),
      staticPrivateKey: fill(32, 4),
      evidence,
      evidenceDigest: sha256(evidence),
    }),
    onRequest,
  });
}

const connect = (socket: Parameters<typeof connectChannel>[0]['socket']) =>
  connectChannel({ socket, random: createSeededRandom('initiator'), clock, nodeId: PAIR_NODE_ID });

/** The two messages of the handshake that these seeds make, every time. */
async function genuineMessages(): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const pair = createSocketPair();
  accept(pair.b, () => undefined);
  const channel = await connect(pair.a);
  const messages = pair.sent.slice(0, 2).map(({ bytes }) => bytes);
  channel.close();
  await turns();
  return messages;
}
let messages: readonly Uint8Array<ArrayBuffer>[] = [];

/** What the peer sends: each part is the plaintext of one record. */
async function play(peer: RawPeer, input: Input): Promise<void> {
  for (const plaintext of input) await peer.sendPlaintext(plaintext.subarray(0, RECORD_BYTES));
  await turns(2);
  await peer.send({ kind: 'close', reason: 0 });
}

const sessionCorpus = (to: HandshakeRole): Input[] => {
  const { cases } = loadVectors<{ cases: { to: HandshakeRole; records: string[][] }[] }>('channel/sessions.json');
  return cases
    .filter((one) => one.to === to)
    .map(({ records }) => records.map((frames) => concatBytes(...frames.map(parseShortHex))));
};

interface FrameCase {
  readonly from: HandshakeRole;
  readonly plaintext_hex: string;
}

function frameTarget(from: HandshakeRole): Target {
  return {
    name: `channel/frames-${from}`,
    errors: [ChannelError],
    corpus: () =>
      loadVectors<{ cases: FrameCase[] }>('channel/frames.json')
        .cases.filter((one) => one.from === from)
        .map((one) => [parseShortHex(one.plaintext_hex)]),
    run([part = new Uint8Array(0)]) {
      const again = concatBytes(...parseFrames(part, from).map(encodeFrame));
      const isSame =
        equalBytes(again, part.slice(0, again.length)) && part.subarray(again.length).every((byte) => byte === 0);
      insist(isSame, 'two spellings of the same frames');
    },
  };
}

const RECORDS = loadVectors<{ key_hex: string; cases: { counter: number; record_hex: string; expect: unknown }[] }>(
  'channel/records.json',
);
const soundRecords = RECORDS.cases
  .filter(({ counter, expect }) => counter === 7 && expect === 'accept')
  .map(({ record_hex }) => parseShortHex(record_hex));

export const channelTargets: readonly Target[] = [
  frameTarget('initiator'),
  frameTarget('responder'),
  {
    name: 'channel/records',
    errors: [ChannelError],
    corpus: () => RECORDS.cases.map(({ record_hex }) => [parseShortHex(record_hex)]),
    async run(records) {
      const isSound =
        records.length < 2 && records.every((one) => soundRecords.some((sound) => equalBytes(sound, one)));
      try {
        await openRecords({ key: parseShortHex(RECORDS.key_hex), from: 'initiator', counter: 7, records });
      } catch (error) {
        // What its vector seals need not be frames.
        if (isSound && error instanceof ChannelError && error.code.startsWith('frame')) return;
        throw error;
      }
      insist(isSound || records.length === 0, 'a record that nobody sealed was opened');
    },
  },
  {
    name: 'channel/message-1',
    errors: [ChannelError],
    async corpus() {
      messages = await genuineMessages();
      return [[messages[0] as Uint8Array<ArrayBuffer>]];
    },
    async run(input) {
      const pair = createSocketPair();
      const { closed } = accept(pair.b, () => undefined);
      for (const message of input) pair.inject('b', message);
      await turns();
      pair.cut();
      const code = codeOf(await closed);
      return pair.sent.length > 0 ? undefined : (code ?? 'closed');
    },
  },
  {
    name: 'channel/message-2',
    errors: [ChannelError],
    async corpus() {
      messages = await genuineMessages();
      return [[messages[1] as Uint8Array<ArrayBuffer>]];
    },
    async run(input) {
      const pair = createSocketPair();
      const connecting = connect(pair.a);
      connecting.catch(() => undefined);
      for (const message of input) pair.inject('a', message);
      await turns();
      pair.cut();
      const channel = await connecting;
      channel.close();
      insist(equalBytes(input[0] ?? fill(0, 0), messages[1] as Uint8Array), 'a forged second message made a channel');
    },
  },
  {
    // A renewal's first message from a client with a good session: answered, or the session is over.
    name: 'channel/renew',
    errors: [],
    async corpus() {
      messages = await genuineMessages();
      return [[messages[0] as Uint8Array<ArrayBuffer>]];
    },
    async run([message = fill(0, 0)]) {
      const pair = createSocketPair();
      const { closed } = accept(pair.b, () => undefined);
      const options = { role: 'initiator', nodeId: PAIR_NODE_ID, keys: RAW_KEYS } as const;
      const peer = await RawPeer.connect({ socket: pair.a, ...options });
      await peer.send({ kind: 'verified' }, { kind: 'renew', message: message.subarray(0, RECORD_BYTES) });
      await turns(6);
      await peer.send({ kind: 'close', reason: 0 });
      const info = await closed;
      return codeOf(info);
    },
  },
  {
    // The answer to a renewal from a node that was verified: only the one that belongs to it may make a claim.
    name: 'channel/renewed',
    errors: [],
    async corpus() {
      messages = await genuineMessages();
      return [[messages[1] as Uint8Array<ArrayBuffer>]];
    },
    async run([message = fill(0, 0)]) {
      const pair = createSocketPair();
      const connecting = connect(pair.a);
      const peer = await RawPeer.connect({ socket: pair.b, role: 'responder', nodeId: PAIR_NODE_ID, keys: RAW_KEYS });
      const unverified = await connecting;
      const channel = unverified.promote(unverified);
      const renewing = channel.renew();
      await peer.frame(({ kind }) => kind === 'renew');
      await peer.send({ kind: 'renewed', message: message.subarray(0, RECORD_BYTES) });
      const claim = await renewing.catch(() => undefined);
      insist(claim === undefined, 'a forged answer to a renewal was taken');
      return codeOf(await channel.closed);
    },
  },
  {
    name: 'channel/session-responder',
    errors: [],
    corpus: () => sessionCorpus('responder'),
    async run(input) {
      const pair = createSocketPair();
      const { closed } = accept(pair.b, echoRequest);
      void play(
        await RawPeer.connect({ socket: pair.a, role: 'initiator', nodeId: PAIR_NODE_ID, keys: RAW_KEYS }),
        input,
      );
      return codeOf(await closed);
    },
  },
  {
    name: 'channel/session-initiator',
    errors: [],
    corpus: () => sessionCorpus('initiator'),
    async run(input) {
      const pair = createSocketPair();
      const connecting = connect(pair.a);
      const peer = await RawPeer.connect({ socket: pair.b, role: 'responder', nodeId: PAIR_NODE_ID, keys: RAW_KEYS });
      const unverified = await connecting;
      const channel = unverified.promote(unverified);
      for (const head of ['a', 'b']) {
        const stream = channel.request(encodeUtf8(head));
        stream.head.catch(() => undefined);
        void drain(stream.body);
        stream.end().catch(() => undefined);
      }
      void play(peer, input);
      return codeOf(await channel.closed);
    },
  },
  {
    // Evidence that a stranger sends before it has proven anything: the parts are its chunks.
    name: 'channel/evidence-stream',
    errors: [ChannelError],
    corpus: () => [[evidence], [evidence.slice(0, 3), evidence.slice(3)], [fill(5000, 7), fill(5000, 7)]],
    async run(input) {
      const pair = createSocketPair();
      const connecting = connect(pair.a);
      const statement = concatBytes(sha256(evidence), fill(16, 3));
      const peer = await RawPeer.connect({
        socket: pair.b,
        role: 'responder',
        nodeId: PAIR_NODE_ID,
        keys: RAW_KEYS,
        statement,
      });
      const fetching = (await connecting).fetchEvidence(4096);
      fetching.catch(() => undefined);
      for (const chunk of input) {
        if (chunk.length > 0) await peer.send({ kind: 'data', stream: 0, bytes: chunk.subarray(0, 16_000) });
      }
      await peer.send({ kind: 'end', stream: 0 });
      await turns(2);
      await peer.send({ kind: 'close', reason: 0 });
      insist(equalBytes(await fetching, evidence), 'evidence was taken that the handshake did not name');
    },
  },
];

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _ of body);
  } catch {
    // How the stream ended is the session's to say.
  }
}
