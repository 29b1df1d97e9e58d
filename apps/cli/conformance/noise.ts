/**
 * Stage `noise`: both sides of one published vector, computed from its keys. The expected bytes are compared with and
 * never fed back, so a wrong vector cannot help itself along.
 */
import { encodeHex, equalBytes } from '@sotto/bytes';
import {
  type HandshakeKeys,
  type NamedPattern,
  parseProtocolName,
  type ReplayParty,
  replay,
} from '@sotto/channel/noise';
import { ChannelError } from '@sotto/channel/transcript';
import { CryptoError, createNoiseSuite, type NoiseSuite } from '@sotto/crypto/noise';
import { flag, hex, list, optional, type Read, refused, required, struct, text } from './input.ts';
import { type JsonObject, Malformed, Rejected, Unsupported } from './outcome.ts';
import { remembering } from './remember.ts';

const MESSAGE_LIMIT_BYTES = 65_535;
const KEM_SEED_BYTES = 64;
const ENCAPSULATION_SEED_BYTES = 32;

const INPUT = struct({
  protocol_name: text,
  fallback: optional(flag),
  init_prologue: optional(hex()),
  resp_prologue: optional(hex()),
  init_static: optional(hex()),
  resp_static: optional(hex()),
  init_ephemeral: optional(hex()),
  resp_ephemeral: optional(hex()),
  init_remote_static: optional(hex()),
  resp_remote_static: optional(hex()),
  init_psks: optional(list(hex(32))),
  resp_psks: optional(list(hex(32))),
  init_hybrid_ephemeral: optional(hex()),
  resp_hybrid_ephemeral: optional(hex()),
  kem_i_seed_d_z: optional(hex(KEM_SEED_BYTES)),
  encap_seed: optional(hex(ENCAPSULATION_SEED_BYTES)),
  messages: list(struct({ payload: hex(), ciphertext: optional(hex()) })),
  handshake_hash: optional(hex()),
});
type Input = Read<{ [Name in keyof ReturnType<typeof INPUT>]: () => ReturnType<typeof INPUT>[Name] }>;
type Prefix = 'init' | 'resp';

const SUITES = new Map<string, NoiseSuite>();

export async function judgeNoise(value: unknown): Promise<JsonObject> {
  const input = INPUT(value, '');
  const { protocol_name: name, fallback } = input;
  const protocol = parseProtocolName(fallback ? name.replace(/^Noise_IK_/, 'Noise_XXfallback_') : name);
  const suite = protocol && suiteOf(protocol.suiteName);
  const fallsBack = protocol?.pattern.firstSender === 'responder';
  // CF-05: a name that is taken for another one would be judged by the wrong rules.
  if (protocol === undefined || suite === undefined || (fallback ?? fallsBack) !== fallsBack) {
    throw new Unsupported('unsupported-protocol', 'CF-05');
  }
  const { pattern } = protocol;
  const sent = pattern.messages.length + (fallsBack ? 1 : 0);
  // CF-10: a vector that ends before its handshake has no hash, and would be accepted for less than it names.
  if (input.messages.length < sent) {
    throw new Malformed('input-malformed', 'CF-10', 'the messages end before the handshake does', 'messages');
  }
  const kind = suite.algorithms.kemCiphertextBytes > 0 ? 'kem' : suite.algorithms.hybridBytes > 0 ? 'dh' : 'none';
  const read = (prefix: Prefix) => readParty(input, prefix, pattern, suite, kind);
  const [initiator, responder] = [read('init'), read('resp')];
  const result = await replay({
    pattern,
    algorithms: suite.algorithms,
    primitives: await primitivesFor(input, suite, kind),
    initiator,
    responder,
    payloads: input.messages.map(({ payload }) => payload),
    onMessage(message, index) {
      // CF-11: a longer message than Noise has is one that no peer would read.
      if (message.length > MESSAGE_LIMIT_BYTES) {
        throw new Rejected('message-too-long', 'format', 'CF-11', 'a message is longer than 65,535 bytes');
      }
      const expected = input.messages[index]?.ciphertext;
      // CF-12: what was computed is the verdict; the vector only says what it should have been.
      if (expected !== undefined && !equalBytes(message, expected)) {
        throw new Rejected('ciphertext-mismatch', 'binding', 'CF-12', 'a message is not the one that these keys make');
      }
    },
  }).catch(refusal);
  const { initiator: hash, responder: otherHash } = result.handshakeHashes;
  const expectedHash = input.handshake_hash ?? hash;
  // CF-13: the hash stands for everything both sides saw, so both must have it.
  if (!equalBytes(hash, expectedHash) || !equalBytes(otherHash, expectedHash)) {
    throw new Rejected('handshake-hash-mismatch', 'binding', 'CF-13', 'the handshake hash is another one');
  }
  for (const [prefix, side] of [
    ['init', result.sides.initiator],
    ['resp', result.sides.responder],
  ] as const) {
    const expected = input[`${prefix}_remote_static`];
    const isKnown = expected !== undefined && !fallsBack && sendsStatic(pattern, prefix === 'init' ? 'resp' : 'init');
    // CF-14: a key that the case names for the peer, and the peer's own word for it, must be one key.
    if (isKnown && !equalBytes(side.peerStaticKey, expected)) {
      throw new Rejected('remote-static-mismatch', 'binding', 'CF-14', 'the static key sent is not the one expected');
    }
  }
  return {
    messages: result.messages.map((message) => ({ ciphertext_hex: encodeHex(message) })),
    handshake_hash_hex: encodeHex(hash),
  };
}

function refusal(error: unknown): never {
  // CF-16: a side that does not open what the other sealed is a verdict on the case, not a fault of the judge.
  if (error instanceof CryptoError || error instanceof ChannelError) {
    const failureClass = error.code === 'aead-open-failed' ? 'signature' : 'format';
    throw new Rejected(error.code, failureClass, 'CF-16', error.message, error);
  }
  throw error;
}

function suiteOf(name: string): NoiseSuite | undefined {
  const known = SUITES.get(name) ?? createNoiseSuite(name);
  if (known === undefined || SUITES.has(name)) return known;
  const { hybrid } = known.primitives;
  const primitives = {
    ...known.primitives,
    ...remembering(known.primitives),
    ...(hybrid === undefined ? {} : { hybrid: remembering(hybrid) }),
  };
  const suite = { ...known, primitives };
  SUITES.set(name, suite);
  return suite;
}

/** Whether the messages carry the static key of a side. */
function sendsStatic(pattern: NamedPattern, prefix: Prefix): boolean {
  const firstIndex = (prefix === 'init') === (pattern.firstSender === 'initiator') ? 0 : 1;
  return pattern.messages.some((tokens, index) => index % 2 === firstIndex && tokens.includes('s'));
}

function readParty(
  input: Input,
  prefix: Prefix,
  pattern: NamedPattern,
  suite: NoiseSuite,
  kind: 'none' | 'dh' | 'kem',
): ReplayParty {
  const { dhBytes, hybridBytes } = suite.algorithms;
  const sized = (bytes: Uint8Array | undefined, field: string, lengthBytes: number) => {
    // CF-03: the length of a key depends on the group that the protocol names.
    if (bytes !== undefined && bytes.length !== lengthBytes) {
      throw new Malformed('input-malformed', 'CF-03', `expected ${lengthBytes} bytes in hex`, field);
    }
    return bytes;
  };
  const key = (name: 'static' | 'ephemeral' | 'remote_static', isNeeded: boolean) => {
    const field = `${prefix}_${name}` as const;
    const bytes = sized(input[field], field, dhBytes);
    return isNeeded ? required(bytes, field) : bytes;
  };
  const [own, peer] = prefix === 'init' ? (['initiator', 'responder'] as const) : (['responder', 'initiator'] as const);
  const fallsBack = pattern.firstSender === 'responder';
  const before = pattern.before ?? { initiator: [], responder: [] };
  const ownStatic = key('static', sendsStatic(pattern, prefix) || before[own].includes('s') || fallsBack);
  const peerStatic = key('remote_static', before[peer].includes('s') || (fallsBack && prefix === 'init'));
  const ephemeral = key('ephemeral', prefix === 'init' || !pattern.isOneWay);

  const hybridField = `${prefix}_hybrid_ephemeral` as const;
  const seed = prefix === 'init' ? input.kem_i_seed_d_z : undefined;
  if (kind !== 'dh') refused(input[hybridField], hybridField);
  if (kind !== 'kem') refused(seed, 'kem_i_seed_d_z');
  const hybrid =
    kind === 'dh'
      ? required(sized(input[hybridField], hybridField, hybridBytes), hybridField)
      : kind === 'kem' && prefix === 'init'
        ? required(seed, 'kem_i_seed_d_z')
        : undefined;

  const psksField = `${prefix}_psks` as const;
  const psks = input[psksField] ?? [];
  const needed = pattern.messages.flat().filter((token) => token === 'psk').length;
  // CF-15: a pre-shared key more or less than the pattern has is a vector for another pattern.
  if (psks.length !== needed) {
    throw new Malformed('input-malformed', 'CF-15', `expected ${needed} pre-shared keys`, psksField);
  }
  const keys: HandshakeKeys = {
    ephemeral: ephemeral ?? new Uint8Array(0),
    psks,
    ...(ownStatic === undefined ? {} : { static: ownStatic }),
    ...(peerStatic === undefined || !(before[peer].includes('s') || fallsBack) ? {} : { peerStatic }),
    ...(hybrid === undefined ? {} : { hybrid }),
  };
  return { prologue: input[`${prefix}_prologue`] ?? new Uint8Array(0), keys };
}

async function primitivesFor(input: Input, suite: NoiseSuite, kind: 'none' | 'dh' | 'kem') {
  if (kind !== 'kem') {
    refused(input.encap_seed, 'encap_seed');
    return suite.primitives;
  }
  const { encapsulateFromSeed } = await import('@sotto/crypto/seeded-kem');
  return { ...suite.primitives, encapsulate: encapsulateFromSeed(required(input.encap_seed, 'encap_seed')) };
}
