/**
 * Whole nodes with hardware under roots of the test: what a bundle holds, what travels beside it, and a policy that is met. Right,
 * or with one fault. Anybody has the keys.
 */
import { ByteWriter, concatBytes, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { parseCertificate, parsePem } from '@sotto/crypto/x509';
import { encodeNvidiaDevice } from '@sotto/evidence/nvidia';
import type { DeviceEvidenceSource, EvidenceSource } from '@sotto/ports';
import type { HardwarePolicy, NodeCollateral, TestRoots } from '@sotto/verify';
import {
  deviceChainFake,
  deviceRootFake,
  encodeReportFake,
  gpuFields,
  type ReportFake,
  rimRootFake,
  testDigest,
} from './evidence-nvidia.ts';
import {
  encodeSnpReport,
  issueAmdCrl,
  issueAmdKeys,
  issueEndorsement,
  type SnpReportFake,
} from './evidence-sev-snp.ts';
import { makeTdxCase, type TdxDraft } from './evidence-tdx.ts';
import { encodeTpmQuote, encodeTpmSignature, TPM_TEST_KEY, type TpmQuoteFake } from './evidence-tpm.ts';

const fill = (length: number, value: number) => encodeHex(new Uint8Array(length).fill(value));
const TPM_REGISTERS = [
  [0, new Uint8Array(32).fill(0xa0)],
  [7, new Uint8Array(32).fill(0xa7)],
] as const;

/** @param change of the good quote, before it is signed; the report data is set already */
export function tdxSource(change: (draft: TdxDraft) => void = () => {}): EvidenceSource {
  return {
    platform: 'tdx',
    quote: async (reportData) => {
      const changed = (draft: TdxDraft) => {
        draft.report.reportData = reportData;
        change(draft);
      };
      return makeTdxCase(changed).quote;
    },
  };
}

export function snpSource(change: SnpReportFake = {}): EvidenceSource {
  return { platform: 'sev-snp', quote: async (reportData) => encodeSnpReport({ reportData, ...change }) };
}

/** Quotes registers 0 and 7. @param eventLog a binary TCG log; none when absent */
export function tpmSource(change: TpmQuoteFake = {}, eventLog: Uint8Array = new Uint8Array()): EvidenceSource {
  return {
    platform: 'tpm',
    quote: async (nonce) => {
      const quote = encodeTpmQuote({ nonce, values: TPM_REGISTERS.map(([, value]) => value), ...change });
      const writer = new ByteWriter().vector16(encodeUtf8('sotto/tpm-statement/v1'));
      for (const part of [quote, encodeTpmSignature(quote), TPM_TEST_KEY.publicKey.spki]) writer.vector16(part);
      writer.u8(0).u8(TPM_REGISTERS.length);
      for (const [index, value] of TPM_REGISTERS) writer.u8(index).raw(value);
      return writer.vector32(eventLog).finish();
    },
  };
}

/** One Hopper, genuine under the test's root. */
export function gpuSource(change: Partial<ReportFake> = {}): DeviceEvidenceSource {
  const measurements = Array.from({ length: 6 }, (_, i) => testDigest(`measurement ${i}`));
  return {
    collect: async (nonce) => {
      const report = encodeReportFake({ label: 'gpu 1', nonce, measurements, opaque: gpuFields(), ...change });
      const evidence = encodeNvidiaDevice({ report, certificates: deviceChainFake({ label: 'gpu 1' }) });
      return [{ deviceKind: 'nvidia', evidence }];
    },
  };
}

const tdxCase = makeTdxCase();
const amd = issueAmdKeys();

/** Good for everything that the sources above make without a change. */
export const TEST_COLLATERAL: NodeCollateral = {
  tdx: tdxCase.collateral,
  sevSnp: {
    endorsement: { kind: 'vcek', certificate: issueEndorsement('vcek') },
    intermediates: [amd.ask],
    crl: issueAmdCrl(),
  },
};

export const TEST_ROOTS: TestRoots = {
  intel: parsePem(tdxCase.rootPem, 'CERTIFICATE').map(parseCertificate),
  amd: [parseCertificate(amd.ark)],
  nvidia: { device: [parseCertificate(deviceRootFake())], rim: [parseCertificate(rimRootFake())] },
};

const gpus = { count: 1, architectures: ['HOPPER'], rims: 'reported', ocsp: 'reported' } as const;

/** What the unchanged machines meet; the first two with a graphics processor. */
export const TEST_POLICIES = {
  tdx: {
    kind: 'tdx',
    version: 1,
    measurements: [{ mrtd: fill(48, 0x11), rtmrs: [0x20, 0x21, 0x22].map((value) => fill(48, value)) }],
    tcb: { statuses: ['UpToDate'], acceptedAdvisories: [], minimumEvaluation: 20 },
    gpus,
    independentRoots: 2,
  },
  'sev-snp': {
    kind: 'sev-snp',
    version: 1,
    measurements: [{ measurement: fill(48, 0x3e) }],
    generations: { Genoa: { minimumTcb: { bootLoader: 10, tee: 1, snp: 27, microcode: 84 } } },
    smt: 'refused',
    ciphertextHiding: 'reported',
    aliasCheck: 'required',
    revocation: 'required',
    gpus,
    independentRoots: 2,
  },
  'tpm-test': {
    kind: 'tpm-test',
    version: 1,
    attestationKeys: [encodeHex(sha256(TPM_TEST_KEY.publicKey.spki))],
    measurements: [Object.fromEntries(TPM_REGISTERS.map(([index, value]) => [String(index), encodeHex(value)]))],
  },
} as const satisfies Record<HardwarePolicy['kind'], HardwarePolicy>;

/** A whole bundle's evidence with one byte of the quote changed after it was signed. */
export function tampered(source: EvidenceSource, at: number): EvidenceSource {
  return {
    platform: source.platform,
    quote: async (reportData) => {
      const bytes = await source.quote(reportData);
      return concatBytes(bytes.slice(0, at), Uint8Array.of((bytes[at] as number) ^ 1), bytes.slice(at + 1));
    },
  };
}
