/** Suite `confer-1`: handshake messages, the access token, and sessions with a peer that holds good keys and says anything. */
import { encodeUtf8, equalBytes, parseHex } from '@sotto/bytes';
import { acceptConfer, CONFER_LIMITS, ConferError, connectConfer, verifyConferToken } from '@sotto/channel/confer';
import { type HandshakeRole, HandshakeState, type NoiseAlgorithms, run } from '@sotto/channel/noise';
import { hmacSha256, sha256 } from '@sotto/crypto/hash';
import { primitives } from '@sotto/crypto/primitives';
import type { Random, Socket } from '@sotto/ports';
import { createManualClock, createSeededRandom, createSocketPair } from '@sotto/testkit';
import { fill, loadVectors, lossyText, parseShortHex, turns } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

interface HandshakeFile {
  readonly keys: Readonly<Record<string, string>>;
  readonly chunk_id_hex: string;
  readonly evidence: string;
  readonly message1_hex: string;
  readonly message2_hex: string;
  readonly message3_hex: string;
  readonly ping_sealed_hex: string;
  readonly cases: readonly { to: HandshakeRole; messages_hex: string[] }[];
}
const file = loadVectors<HandshakeFile>('confer/handshake.json');
const key = (name: string) => parseHex(file.keys[`${name}_hex`] ?? '');
const evidence = encodeUtf8(file.evidence);
const EMPTY = fill(0, 0);

function scripted(...values: Uint8Array[]): Random {
  const rest = createSeededRandom('confer');
  return { bytes: (length) => Uint8Array.from(values.shift() ?? rest.bytes(length)) };
}
const clientRandom = () => scripted(key('client_static'), key('client_ephemeral'), parseHex(file.chunk_id_hex));
const machineRandom = () => scripted(key('machine_ephemeral'), parseHex(file.chunk_id_hex));
const clock = createManualClock();

const listen = (socket: Socket) =>
  acceptConfer({
    socket,
    random: machineRandom(),
    clock,
    staticPrivateKey: key('machine_static'),
    evidence,
    onRequest: async (request) => {
      await request.respond(200, request.body);
    },
  });

const frames = (): Input[] => {
  const { cases } = loadVectors<{ cases: { frames_hex: string[] }[] }>('confer/frames.json');
  return cases.map(({ frames_hex }) => frames_hex.map((hex) => parseHex(hex)));
};

/** Messages of the vectors, each in one frame: `chunk_id` 7, `total` 1, the payload. */
const messages = (): Input[] => {
  const { cases } = loadVectors<{ cases: { message_hex: string }[] }>('confer/messages.json');
  return cases.map(({ message_hex }) => {
    const payload = parseHex(message_hex);
    const length = payload.length < 128 ? [payload.length] : [(payload.length & 0x7f) | 0x80, payload.length >> 7];
    return [Uint8Array.of(0x08, 7, 0x18, 1, 0x22, ...length, ...payload)];
  });
};

const ALGORITHMS: NoiseAlgorithms = {
  name: '25519_AESGCM_SHA256',
  dhBytes: 32,
  hybridBytes: 0,
  kemCiphertextBytes: 0,
  hashBytes: 32,
  hash: sha256,
  hmac: hmacSha256,
  nonce(counter) {
    const nonce = fill(12, 0);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(counter));
    return nonce;
  },
};

const xx = (role: HandshakeRole) =>
  new HandshakeState({
    pattern: { name: 'XX', messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
    algorithms: ALGORITHMS,
    role,
    prologue: EMPTY,
    keys: { ephemeral: fill(32, 8), static: fill(32, 9) },
  });

/** Waits for the next message of a socket that nobody else listens to. */
const next = (socket: Socket): Promise<Uint8Array> =>
  new Promise((resolve) => {
    socket.onMessage = resolve;
  });

async function sealAll(socket: Socket, secret: Uint8Array, input: Input): Promise<void> {
  const aead = await primitives.importAead(secret);
  for (const [counter, plaintext] of input.entries()) {
    socket.send(await aead.seal(ALGORITHMS.nonce(counter), plaintext.subarray(0, 65_519), EMPTY));
  }
}

export const conferTargets: readonly Target[] = [
  {
    name: 'confer/message-2',
    errors: [ConferError],
    corpus: () => [
      [parseHex(file.message2_hex)],
      ...file.cases.filter(({ to }) => to === 'initiator').map((one) => one.messages_hex.map(parseShortHex)),
    ],
    async run(input) {
      const pair = createSocketPair();
      pair.b.onMessage = () => undefined;
      const connecting = connectConfer({ socket: pair.a, random: clientRandom(), clock });
      connecting.catch(() => undefined);
      for (const message of input) pair.inject('a', message);
      await turns();
      pair.cut();
      await connecting;
      insist(equalBytes(input[0] ?? EMPTY, parseHex(file.message2_hex)), 'a forged second message made a channel');
    },
  },
  {
    name: 'confer/messages-1-3',
    errors: [],
    corpus: () => [
      [file.message1_hex, file.message3_hex, file.ping_sealed_hex].map((hex) => parseHex(hex)),
      ...file.cases.filter(({ to }) => to === 'responder').map((one) => one.messages_hex.map(parseShortHex)),
    ],
    async run(input) {
      const pair = createSocketPair();
      const machine = listen(pair.b);
      for (const message of input) pair.inject('b', message);
      await turns(6);
      pair.cut();
      const { code } = (await machine.closed) ?? {};
      return pair.sent.length > 1 ? undefined : (code ?? 'closed');
    },
  },
  {
    name: 'confer/session-responder',
    errors: [],
    corpus: () => [...frames(), ...messages()],
    async run(input) {
      const pair = createSocketPair();
      const machine = listen(pair.b);
      const state = xx('initiator');
      const answer = next(pair.a);
      pair.a.send(await run(state.writeMessage(EMPTY), primitives));
      await run(state.readMessage(await answer), primitives);
      pair.a.send(await run(state.writeMessage(EMPTY), primitives));
      await sealAll(pair.a, state.split().fromInitiator, input);
      await turns(4);
      pair.a.close();
      const code = (await machine.closed)?.code;
      return code === 'confer-lost' ? undefined : code;
    },
  },
  {
    name: 'confer/session-initiator',
    errors: [],
    corpus: () => [...frames(), ...messages()],
    async run(input) {
      const pair = createSocketPair();
      const state = xx('responder');
      const first = next(pair.b);
      const connecting = connectConfer({ socket: pair.a, random: clientRandom(), clock });
      await run(state.readMessage(await first), primitives);
      pair.b.send(await run(state.writeMessage(evidence), primitives));
      const unjudged = await connecting;
      const third = next(pair.b);
      const channel = await unjudged.proceed(unjudged.staticKey);
      await run(state.readMessage(await third), primitives);
      const exchange = channel.request({ verb: 'GET', path: '/ping', body: EMPTY });
      void drain(() => exchange.next());
      await sealAll(pair.b, state.split().fromResponder, input);
      await turns(4);
      pair.b.close();
      const code = (await channel.closed)?.code;
      return code === 'confer-lost' ? undefined : code;
    },
  },
  {
    name: 'confer/token',
    errors: [ConferError],
    corpus: () => tokens.cases.map(({ token }) => [encodeUtf8(token)]),
    run([part]) {
      const token = lossyText(part);
      verifyConferToken(token, encodeUtf8(tokens.secret), tokens.now_ms);
      insist(
        tokens.cases.some((one) => one.token === token),
        'a token that nobody made was taken',
      );
    },
  },
];
const tokens = loadVectors<{ secret: string; now_ms: number; cases: { token: string }[] }>('confer/tokens.json');

/** At most as many answers as the limit of open requests; the session's end stops it. */
async function drain(next: () => Promise<unknown>): Promise<void> {
  try {
    for (let count = 0; count < CONFER_LIMITS.openRequests; count++) await next();
  } catch {
    // How it ended is the session's to say.
  }
}
