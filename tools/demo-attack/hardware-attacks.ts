/**
 * Attacks on hardware evidence: what an operator would show instead of a good machine. Everything is under a root of the test,
 * which the attacker does not hold: they have the machine, its genuine quotes, and keys of their own.
 */
import { encodeBase64 } from '@sotto/bytes';
import type { Binding } from '@sotto/evidence/binding';
import { createEvidence } from '@sotto/evidence/collect';
import type { DeviceEvidenceSource, EvidenceSource } from '@sotto/ports';
import { createTestKey } from '@sotto/testkit/certificates';
import { gpuSource, tdxSource } from '@sotto/testkit/evidence-node';
import type { Attack } from './attacks.ts';
import { CONNECTION, NOW_SECONDS, type ShownEvidence } from './judge-hardware.ts';

const DEBUGGED = Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0);
const HOURS = 3600;

interface Shown {
  readonly source?: EvidenceSource;
  readonly devices?: DeviceEvidenceSource;
  readonly binding?: Partial<Omit<Binding, 'deviceEvidenceDigest'>>;
  /** SHA-256 of the chip ids that this person trusts; any when absent. */
  readonly knownMachines?: readonly string[];
}

function shows(name: string, tried: string, refusedBy: string, make: () => Shown): Attack {
  return {
    ...{ name, tried, refusedBy },
    task: 'judge-hardware',
    mount: async () => ({ evidence: await write(make()) }),
  };
}

async function write({ source = tdxSource(), devices = gpuSource(), binding, knownMachines }: Shown): Promise<string> {
  const { bundle } = await createEvidence({
    ...{ source, devices },
    binding: {
      purpose: 'epoch',
      suites: ['sotto-1'],
      keys: [{ use: 'channel', algorithm: 'x25519', publicKey: CONNECTION.staticKey }],
      nodeId: CONNECTION.nodeId,
      epochId: CONNECTION.epochId,
      notBeforeSeconds: NOW_SECONDS,
      notAfterSeconds: NOW_SECONDS + HOURS,
      checkpoint: undefined,
      releaseDigest: new Uint8Array(32),
      configDigest: new Uint8Array(32),
      clientNonce: new Uint8Array(0),
      handshakeHash: new Uint8Array(0),
      ...binding,
    },
  });
  const shown: ShownEvidence = { bundle: encodeBase64(bundle), ...(knownMachines && { knownMachines }) };
  return JSON.stringify(shown);
}

export const HARDWARE_ATTACKS: readonly Attack[] = [
  shows(
    'hardware-forged',
    'show a TDX quote that says the right things, signed by the attacker’s own key',
    'EV-131',
    () => ({
      source: tdxSource((draft) => {
        draft.quoteSigner = createTestKey('the attacker');
      }),
    }),
  ),
  shows('hardware-replayed', 'show a genuine quote that the machine made for other keys', 'EV-38', () => ({
    source: tdxSource((draft) => {
      draft.report.reportData = new Uint8Array(64).fill(0x77);
    }),
  })),
  shows('hardware-stale', 'show the machine’s genuine evidence of three hours ago', 'EV-49', () => ({
    binding: { notBeforeSeconds: NOW_SECONDS - 3 * HOURS },
  })),
  shows('hardware-debugged', 'run the right program on genuine hardware, with the host looking in', 'EV-161', () => ({
    source: tdxSource((draft) => {
      draft.report.tdAttributes = DEBUGGED;
    }),
  })),
  shows('hardware-of-another-owner', 'run the right program on a genuine machine in the wrong hands', 'EV-433', () => ({
    knownMachines: ['ab'.repeat(32)],
  })),
  shows(
    'gpu-of-another-machine',
    'show a genuine graphics processor that answered for another machine',
    'EV-275',
    () => ({
      devices: gpuSource({ nonce: new Uint8Array(32).fill(0x88) }),
    }),
  ),
];
