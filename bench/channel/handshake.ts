/** What a handshake costs a node, beside the operations that it cannot do without. */
import { execFileSync } from 'node:child_process';
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { HandshakeState, run } from '@sotto/channel/noise';

import { primitives } from '@sotto/crypto/primitives';
import { NX_HFS } from '../../packages/channel/noise/pattern.ts';
import { ALGORITHMS, encodeNodeStatement, encodePrologue, SUITE } from '../../packages/channel/suite.ts';
import { round } from '../statistics.ts';
import { NODE } from './node-keys.ts';
import { quickest } from './timing.ts';

const bytes = (length: number) => new Uint8Array(randomBytes(length));

function state(role: 'initiator' | 'responder') {
  const { nodeId, epoch } = NODE;
  const keys = { ephemeral: bytes(32), hybrid: bytes(64), static: epoch.staticPrivateKey };
  return new HandshakeState({
    pattern: NX_HFS,
    algorithms: ALGORITHMS,
    role,
    prologue: encodePrologue([SUITE], nodeId),
    keys,
  });
}

export async function measureHandshake(): Promise<Record<string, number>> {
  const first = await run(state('initiator').writeMessage(new Uint8Array(0)), primitives);
  const statement = encodeNodeStatement(NODE.epoch.evidenceDigest, NODE.epoch.epochId);
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
      ours: async () => {
        const node = state('responder');
        await run(node.readMessage(first), primitives);
        await run(node.writeMessage(statement), primitives);
        const { fromInitiator, fromResponder } = node.split();
        await primitives.importAead(fromInitiator);
        await primitives.importAead(fromResponder);
      },
      operations: () => {
        const { privateKey } = generateKeyPairSync('x25519');
        diffieHellman({ privateKey, publicKey: theirPoint });
        diffieHellman({ privateKey: ownStatic, publicKey: theirPoint });
        encapsulate(theirKem);
      },
      imports: () => {
        imported(point, 'x25519');
        imported(kem, 'ml-kem-768');
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
