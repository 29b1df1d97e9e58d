/** A machine of SEV-SNP under a root of the test: reports, endorsements, lists, right or with one fault. Anybody has its keys. */
import { concatBytes, encodeUtf8, parseHex } from '@sotto/bytes';
import type { SeededEcdsaKey } from '@sotto/crypto/seeded-ecdsa';
import {
  createTestKey,
  derExtension,
  issueCertificate,
  issueCrl,
  type TestCertificate,
  type TestCrl,
} from './certificates.ts';
import { der, derInteger } from './der.ts';
import { littleEndian } from './evidence-tpm.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Product = 'Milan' | 'Genoa' | 'Turin';

const AMD = '1.3.6.1.4.1.3704.1';
const REPORT_BYTES = 1184;
const SIGNED_BYTES = 0x2a0;
/** The order of r and s. */
const SCALAR_BYTES = 48;

export const SNP_TEST_KEYS = {
  ark: createTestKey('sev-snp ark', 'P-384'),
  ask: createTestKey('sev-snp ask', 'P-384'),
  asvk: createTestKey('sev-snp asvk', 'P-384'),
  chip: createTestKey('sev-snp chip', 'P-384'),
  cloud: createTestKey('sev-snp cloud', 'P-384'),
} as const;

export interface TcbFake {
  readonly bootLoader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
  readonly fmc?: number;
}
export const TEST_TCB: TcbFake = { bootLoader: 10, tee: 1, snp: 27, microcode: 84 };
export const TEST_CHIP_ID: Bytes = Uint8Array.from({ length: 64 }, (_, at) => at + 1);

/** In the byte order of the product. */
export function encodeTcb({ bootLoader, tee, snp, microcode, fmc }: TcbFake): Bytes {
  return fmc === undefined
    ? Uint8Array.of(bootLoader, tee, 0, 0, 0, 0, snp, microcode)
    : Uint8Array.of(fmc, bootLoader, tee, snp, 0, 0, 0, microcode);
}

export interface SnpReportFake {
  readonly version?: number;
  readonly policy?: bigint;
  readonly vmpl?: number;
  readonly algorithm?: number;
  readonly flags?: number;
  readonly platformInfo?: bigint;
  readonly tcb?: TcbFake;
  readonly currentTcb?: TcbFake;
  readonly family?: number;
  readonly model?: number;
  readonly chipId?: Uint8Array;
  readonly reportData?: Uint8Array;
  readonly measurement?: Uint8Array;
  /** Build of the firmware that runs; 49 is committed. */
  readonly build?: number;
  /** Overwrites bytes before signing: `[offset, bytes]`. */
  readonly put?: readonly (readonly [number, Uint8Array])[];
  /** The same, after signing. */
  readonly putUnsigned?: readonly (readonly [number, Uint8Array])[];
  readonly signer?: SeededEcdsaKey;
}

/** A Genoa's report of version 5, unless said otherwise. */
export function encodeSnpReport(fake: SnpReportFake = {}): Bytes {
  const version = fake.version ?? 5;
  const tcb = encodeTcb(fake.tcb ?? TEST_TCB);
  const report = new Uint8Array(REPORT_BYTES);
  const put = (at: number, ...parts: Uint8Array[]) => report.set(concatBytes(...parts), at);
  put(0x000, littleEndian(version, 4), littleEndian(2, 4), wide(fake.policy ?? 0x30000n));
  put(0x010, new Uint8Array(16).fill(0xfa), new Uint8Array(16).fill(0x1a));
  put(0x030, littleEndian(fake.vmpl ?? 0, 4), littleEndian(fake.algorithm ?? 1, 4));
  put(0x038, fake.currentTcb ? encodeTcb(fake.currentTcb) : tcb, wide(fake.platformInfo ?? 0x24n));
  put(0x048, littleEndian(fake.flags ?? 0, 4));
  put(0x050, fake.reportData ?? new Uint8Array(64).fill(0xda), fake.measurement ?? new Uint8Array(48).fill(0x3e));
  put(0x0c0, new Uint8Array(32).fill(0x05), new Uint8Array(96).fill(0x1d), new Uint8Array(64).fill(0x4e));
  put(0x180, tcb);
  if (version >= 3) put(0x188, Uint8Array.of(fake.family ?? 0x19, fake.model ?? 0x11, 1));
  put(0x1a0, fake.chipId ?? TEST_CHIP_ID, tcb);
  put(0x1e8, Uint8Array.of(fake.build ?? 49, 55, 1, 0, 49, 55, 1, 0), tcb);
  if (version >= 4) put(0x1f8, wide(11n), wide(15n));
  for (const [at, bytes] of fake.put ?? []) put(at, bytes);
  const signature = (fake.signer ?? SNP_TEST_KEYS.chip).sign(report.slice(0, SIGNED_BYTES));
  put(0x2a0, signature.slice(0, SCALAR_BYTES).reverse());
  put(0x2e8, signature.slice(SCALAR_BYTES).reverse());
  for (const [at, bytes] of fake.putUnsigned ?? []) put(at, bytes);
  return report;
}

export interface EndorsementFake extends Partial<TestCertificate> {
  readonly product?: Product;
  readonly productName?: string;
  readonly tcb?: TcbFake;
  /** Value of the extension. */
  readonly hardwareId?: Uint8Array | undefined;
  readonly provider?: string;
  /** AMD's extensions that are left out, such as `.3.1`. */
  readonly without?: readonly string[];
  /** Further ones, or other values: `['.3.4', value]`. */
  readonly instead?: readonly (readonly [string, Uint8Array])[];
}

export const derNumber = (value: number): Bytes => derInteger(parseHex(value.toString(16).padStart(4, '0')));
export const derText = (text: string): Bytes => der(0x16, encodeUtf8(text));

/** @param kind a chip's certificate, or one that is lent to a cloud */
export function issueEndorsement(kind: 'vcek' | 'vlek', fake: EndorsementFake = {}): Bytes {
  const product = fake.product ?? 'Genoa';
  const tcb = fake.tcb ?? TEST_TCB;
  const isVcek = kind === 'vcek';
  const values = new Map<string, Uint8Array>([
    ['.1', derNumber(0)],
    ['.2', derText(fake.productName ?? product)],
    ['.3.1', derNumber(tcb.bootLoader)],
    ['.3.2', derNumber(tcb.tee)],
    ['.3.3', derNumber(tcb.snp)],
    ['.3.4', derNumber(0)],
    ['.3.8', derNumber(tcb.microcode)],
    ...(tcb.fmc === undefined ? [] : [['.3.9', derNumber(tcb.fmc)] as const]),
    isVcek
      ? ['.4', fake.hardwareId ?? (product === 'Turin' ? TEST_CHIP_ID.slice(0, 8) : TEST_CHIP_ID)]
      : ['.5', derText(fake.provider ?? 'CN=cloud.example')],
    ...(fake.instead ?? []),
  ]);
  for (const name of fake.without ?? []) values.delete(name);
  return issueCertificate({
    subject: isVcek ? 'SEV-VCEK' : 'SEV-VLEK',
    issuer: isVcek ? `SEV-${product}` : `SEV-VLEK-${product}`,
    key: isVcek ? SNP_TEST_KEYS.chip : SNP_TEST_KEYS.cloud,
    signer: isVcek ? SNP_TEST_KEYS.ask : SNP_TEST_KEYS.asvk,
    extensions: [...values].map(([name, value]) => derExtension(`${AMD}${name}`, false, value)),
    ...fake,
  });
}

/** AMD's own keys above a machine: root, signing key of chips, signing key of clouds. */
export function issueAmdKeys(product: Product = 'Genoa'): { ark: Bytes; ask: Bytes; asvk: Bytes } {
  const { ark, ask, asvk } = SNP_TEST_KEYS;
  const issue = (subject: string, key: SeededEcdsaKey, serial: number) =>
    issueCertificate({ subject, issuer: `ARK-${product}`, key, signer: ark, isCa: true, serial });
  return {
    ark: issue(`ARK-${product}`, ark, 100),
    ask: issue(`SEV-${product}`, ask, 101),
    asvk: issue(`SEV-VLEK-${product}`, asvk, 102),
  };
}

export function issueAmdCrl(product: Product = 'Genoa', change: Partial<TestCrl> = {}): Bytes {
  return issueCrl({ issuer: `ARK-${product}`, signer: SNP_TEST_KEYS.ark, ...change });
}

function wide(value: bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}
