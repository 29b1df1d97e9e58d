/** What a handshake costs a node, beside the operations that it cannot do without. */
import { execFileSync } from 'node:child_process';
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { createNodeRandom } from '@sotto/adapters-node/random';
import { DEFAULT_LIMITS } from '@sotto/channel';
import { connectChannel } from '@sotto/channel/initiator';
import { answerHandshake, encodePrologue, SUITE } from '@sotto/channel/transcript';
import { primitives } from '@sotto/crypto/primitives';
import { createRealClock, createSocketPair } from '@sotto/testkit';
import { round } from '../statistics.ts';
import { NODE } from './node-keys.ts';
import { quickest } from './timing.ts';

/** What a client sends first. */
async function firstMessage(): Promise<Uint8Array> {
  const sockets = createSocketPair();
  const abort = new AbortController();
  const connecting = connectChannel({
    socket: sockets.a,
    random: createNodeRandom(),
    clock: createRealClock(),
    nodeId: NODE.nodeId,
    signal: abort.signal,
  });
  connecting.catch(() => undefined);
  while (sockets.sent[0] === undefined) await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new Error('one message is enough'));
  return sockets.sent[0].bytes;
}

export async function measureHandshake(): Promise<Record<string, number>> {
  const first = await firstMessage();
  const options = {
    message: first,
    prologue: encodePrologue([SUITE], NODE.nodeId),
    random: createNodeRandom(),
    primitives,
    limits: DEFAULT_LIMITS,
    currentEpoch: () => NODE.epoch,
  };
  const imported = (key: Uint8Array, asymmetricKeyType: string) =>
    createPublicKey({ key, format: 'raw-public', asymmetricKeyType } as never);
  const [point, kem] = [first.subarray(0, 32), first.subarray(32)];
  const [theirPoint, theirKem] = [imported(point, 'x25519'), imported(kem, 'ml-kem-768')];
  const ownStatic: KeyObject = createPrivateKey({
    key: NODE.epoch.staticPrivateKey,
    format: 'raw-private',
    asymmetricKeyType: 'x25519',
  } as never);
  const times = await quickest(
    {
      ours: () => answerHandshake(options),
      operations: () => {
        const { privateKey } = generateKeyPairSync('x25519');
        diffieHellman({ privateKey, publicKey: theirPoint });
        diffieHellman({ privateKey: ownStatic, publicKey: theirPoint });
        encapsulate(theirKem);
      },
      imports: () => {
        // As ours imports them: without the stack traces of what Node throws and catches on the way.
        const limit = Error.stackTraceLimit;
        Error.stackTraceLimit = 0;
        imported(point, 'x25519');
        imported(kem, 'ml-kem-768');
        Error.stackTraceLimit = limit;
      },
    },
    { rounds: 400, batch: 3 },
  );
  const { ours, operations, imports } = times;
  return {
    'node µs': round(ours),
    'raw operations µs': round(operations),
    'raw imports of the client’s two keys µs': round(imports),
    ratio: round(ours / operations),
    'ratio without the two imports': round((ours - imports) / operations),
    'handshakes per second and core': Math.round(1e6 / ours),
    ...opensslSpeed(),
  };
}

/** X25519 as OpenSSL's own benchmark counts it; nothing where there is no openssl. */
function opensslSpeed(): Record<string, number> {
  try {
    const output = execFileSync('openssl', ['speed', '-seconds', '1', 'ecdhx25519'], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const perSecond = Number(/X25519\)\s+[\d.]+s\s+([\d.]+)/.exec(output)?.[1]);
    return Number.isFinite(perSecond) ? { 'openssl speed: X25519 per second and core': Math.round(perSecond) } : {};
  } catch {
    return {};
  }
}
