/**
 * Evidence of hardware: certificates, quotes, reports, logs and the documents beside them. Whatever is done to genuine evidence
 * (under test roots), no platform's judgement may say yes to something that its vendor never signed.
 */
import { ByteWriter, encodeHex, encodeUtf8, parseBase64, parseHex } from '@sotto/bytes';
import { parseDer } from '@sotto/crypto/der';
import { CertificateError, parseCertificate, parseCrl, parsePem, parsePublicKey } from '@sotto/crypto/x509';
import { parseTpmStatement } from '@sotto/evidence/collect';
import { EVENT_LOG_FORMATS, parseEventLog } from '@sotto/evidence/event-log';
import { JudgementError } from '@sotto/evidence/judgement';
import { parseFirmware } from '@sotto/evidence/measure';
import { encodeNvidiaDevice, parseNvidiaDevice, parseReport, parseRim, verifyNvidia } from '@sotto/evidence/nvidia';
import { parseSnpReport, verifySevSnp } from '@sotto/evidence/sev-snp';
import { PRODUCTION_DEMANDS, parseTdxQuote, verifyTdx } from '@sotto/evidence/tdx';
import { parseTpmQuote, verifyTpmQuote } from '@sotto/evidence/tpm';
import { PolicyError } from '@sotto/verify';
import { EvidenceFileError, judgeFiles, parseHardwarePolicy } from '@sotto/verify/files';
import { fill, jsonBytes, loadVectors, lossyText } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Fields = Record<string, string>;

const REFUSALS = [CertificateError, JudgementError];
const NONE = new Uint8Array(0);
const pem = (text: string): readonly Bytes[] => parsePem(text, 'CERTIFICATE');
const roots = (text: string) => pem(text).map((der) => parseCertificate(der));
const part = (input: Input, place: number): Bytes => input[place] ?? NONE;

/** Vectors keep what is long in base64, with a key for it; what is broken already is a good beginning too. */
function parts(values: readonly (string | undefined)[], limit = 60): Input[] {
  const texts = [...new Set(values.filter((text) => text !== undefined))].slice(0, limit);
  return texts.flatMap((text) => {
    try {
      return [[parseBase64(text)]];
    } catch {
      return [];
    }
  });
}

const TDX = loadVectors<{
  base: { quote: string; collateral: Fields; root_ca_pem: string; time: number };
  vectors: { change: { quote?: string } }[];
}>('evidence-tdx/tdx.json');
const collateral = (name: string) => TDX.base.collateral[name] ?? '';
const SNP = loadVectors<{
  vectors: { id: string; input: Fields & { time: number }; expect: unknown }[];
}>('evidence-sev-snp/reports.json');
const TPM = loadVectors<{
  vectors: { input: Fields & { pcrs: Fields }; expect: unknown }[];
}>('evidence-tpm/quotes.json');
const LOGS = loadVectors<{ vectors: { format: string; log: string }[] }>('evidence-tpm/event-logs.json');
const NVIDIA = loadVectors<{
  device_root_pem: string;
  rim_root_pem: string;
  parts: Fields;
  vectors: {
    devices: { report: string; cert_chain_pem: string }[];
    nonce_hex: string;
    rims_xml: string[];
    ocsp: string[];
    time: number;
    expect: unknown;
  }[];
}>('evidence-nvidia/nvidia.json');
const nvidiaPart = (text: string): string => (text.startsWith('@') ? (NVIDIA.parts[text.slice(1)] ?? '') : text);
const nvidiaParts = (word: string) =>
  Object.entries(NVIDIA.parts)
    .filter(([name]) => name.startsWith(word))
    .map(([, text]) => text);

const certificates = (): Input[] => [
  ...pem(TDX.base.root_ca_pem).map((der) => [der]),
  ...pem(collateral('tcb_info_issuer_chain_pem')).map((der) => [der]),
  ...pem(NVIDIA.device_root_pem).map((der) => [der]),
  ...pem(SNP.vectors[0]?.input.ark_pem ?? '').map((der) => [der]),
  ...parts([SNP.vectors[0]?.input.vcek]),
];

/** What the base of each platform's vectors is, as one input: its pieces change by themselves and together. */
const isKnown = (corpus: readonly Input[]) => {
  const known = new Set(corpus.flatMap((input) => input.map(encodeHex)));
  return (bytes: Bytes) => known.has(encodeHex(bytes));
};

const goodSnp = SNP.vectors.filter(({ expect }) => expect === 'accept');
const snpCorpus = goodSnp
  .slice(0, 6)
  .map(({ input }): Input => [parseBase64(input.report ?? ''), parseBase64(input.vcek ?? input.vlek ?? '')]);
const goodTpm = TPM.vectors.filter(({ expect }) => expect === 'accept');
const tpmCorpus = goodTpm.map(
  ({ input }): Input => [parseBase64(input.quote ?? ''), parseBase64(input.signature ?? '')],
);
const goodNvidia = NVIDIA.vectors.filter(({ expect, devices }) => expect === 'accept' && devices.length === 1);
const nvidiaCorpus = goodNvidia
  .slice(0, 4)
  .map(({ devices }): Input => [parseBase64(nvidiaPart(devices[0]?.report ?? ''))]);
const tdxCorpus: Input[] = [[parseBase64(TDX.base.quote)]];

/** Bytes of a TDX quote that nothing signs: what stands behind its own length, and pads between its parts. */
const statements = (quote: Bytes) => encodeHex(quote.subarray(0, 632));

export const platformTargets: readonly Target[] = [
  {
    name: 'crypto/der',
    errors: [CertificateError],
    corpus: certificates,
    run: ([bytes = NONE]) => void parseDer(bytes),
  },
  {
    name: 'crypto/certificate',
    errors: [CertificateError],
    corpus: certificates,
    run: ([bytes = NONE]) => void parseCertificate(bytes),
  },
  {
    name: 'crypto/crl',
    errors: [CertificateError],
    corpus: () => parts([collateral('pck_crl'), collateral('root_ca_crl')]),
    run: ([bytes = NONE]) => void parseCrl(bytes),
  },
  {
    name: 'crypto/public-key',
    errors: [CertificateError],
    corpus: () =>
      goodTpm.flatMap(({ input: { ak_public_pem } }) =>
        ak_public_pem === undefined ? [] : parsePem(ak_public_pem, 'PUBLIC KEY').map((der) => [der]),
      ),
    run: ([bytes = NONE]) => void parsePublicKey(bytes),
  },
  {
    name: 'crypto/pem',
    errors: [CertificateError],
    corpus: () => [TDX.base.root_ca_pem, collateral('tcb_info_issuer_chain_pem')].map((text) => [encodeUtf8(text)]),
    run: ([bytes]) => void parsePem(lossyText(bytes), 'CERTIFICATE'),
  },
  {
    name: 'platform/tdx-quote',
    errors: REFUSALS,
    corpus: () => [...tdxCorpus, ...parts(TDX.vectors.map(({ change }) => change.quote))],
    run: ([bytes = NONE]) => void parseTdxQuote(bytes),
  },
  {
    name: 'platform/tdx',
    errors: REFUSALS,
    corpus: () => [
      [
        ...(tdxCorpus[0] as Input),
        ...['tcb_info_json', 'qe_identity_json'].map((name) => encodeUtf8(collateral(name))),
        ...parts([collateral('pck_crl'), collateral('root_ca_crl')]).flat(),
      ],
    ],
    async run(input) {
      const [quote, tcbInfo, qeIdentity] = [part(input, 0), part(input, 1), part(input, 2)];
      await verifyTdx({
        quote,
        collateral: {
          tcbInfoJson: lossyText(tcbInfo),
          tcbInfoSignatureHex: collateral('tcb_info_signature_hex'),
          qeIdentityJson: lossyText(qeIdentity),
          qeIdentitySignatureHex: collateral('qe_identity_signature_hex'),
          tcbInfoIssuerChainPem: collateral('tcb_info_issuer_chain_pem'),
          qeIdentityIssuerChainPem: collateral('qe_identity_issuer_chain_pem'),
          pckCrl: part(input, 3),
          pckCrlIssuerChainPem: collateral('pck_crl_issuer_chain_pem'),
          rootCaCrl: part(input, 4),
        },
        timeSeconds: TDX.base.time,
        roots: roots(TDX.base.root_ca_pem),
        demands: PRODUCTION_DEMANDS,
      });
      const isGenuine = statements(quote) === statements(part(tdxCorpus[0] as Input, 0));
      insist(isGenuine, 'a TDX quote was accepted that no machine made');
      insist(
        lossyText(tcbInfo) === collateral('tcb_info_json'),
        'TCB information was accepted that Intel never signed',
      );
      insist(
        lossyText(qeIdentity) === collateral('qe_identity_json'),
        'an identity was accepted that Intel never signed',
      );
    },
  },
  {
    name: 'platform/snp-report',
    errors: REFUSALS,
    corpus: () => parts(SNP.vectors.map(({ input }) => input.report)),
    run: ([bytes = NONE]) => void parseSnpReport(bytes),
  },
  {
    name: 'platform/sev-snp',
    errors: REFUSALS,
    corpus: () => snpCorpus,
    async run(input) {
      const { input: base } = goodSnp[0] as (typeof goodSnp)[0];
      const [report, certificate] = [part(input, 0), part(input, 1)];
      await verifySevSnp({
        report,
        endorsement: { kind: 'vcek', certificate },
        intermediates: roots(base.ask_pem ?? ''),
        roots: roots(base.ark_pem ?? ''),
        timeSeconds: base.time,
      });
      // The signature's own 512 bytes may be written in more than one way (spec/evidence-sev-snp.md).
      const signed = (bytes: Bytes) => encodeHex(bytes.subarray(0, 672));
      insist(
        snpCorpus.some((one) => signed(part(one, 0)) === signed(report)),
        'an SNP report that no chip made',
      );
      insist(isKnown(snpCorpus)(certificate), 'an endorsement that AMD never signed');
    },
  },
  {
    name: 'platform/tpm-quote',
    errors: REFUSALS,
    corpus: () => parts(TPM.vectors.map(({ input }) => input.quote)),
    run: ([bytes = NONE]) => void parseTpmQuote(bytes),
  },
  {
    name: 'platform/tpm',
    errors: REFUSALS,
    corpus: () => tpmCorpus,
    async run(input) {
      const { input: base } = goodTpm[0] as (typeof goodTpm)[0];
      const registers = Object.entries(base.pcrs).map(([number, hex]): [number, Uint8Array] => [
        Number(number),
        parseHex(hex),
      ]);
      const [key = NONE] = parsePem(base.ak_public_pem ?? '', 'PUBLIC KEY');
      await verifyTpmQuote({
        quote: part(input, 0),
        signature: part(input, 1),
        attestationKey: { kind: 'key', publicKey: parsePublicKey(key) },
        expectedNonce: parseHex(base.nonce_hex ?? ''),
        registers: new Map(registers),
      });
      insist(isKnown(tpmCorpus)(part(input, 0)), 'a quote that no TPM made');
    },
  },
  ...EVENT_LOG_FORMATS.map(
    (format): Target => ({
      name: `platform/event-log-${format}`,
      errors: REFUSALS,
      corpus: () => parts(LOGS.vectors.filter((one) => one.format === format).map(({ log }) => log)),
      run: ([bytes = NONE]) => void parseEventLog(bytes, format),
    }),
  ),
  {
    name: 'platform/nvidia-report',
    errors: REFUSALS,
    corpus: () => parts(nvidiaParts('report')),
    run: ([bytes = NONE]) => void parseReport(bytes),
  },
  {
    name: 'platform/nvidia-device',
    errors: REFUSALS,
    corpus: () =>
      goodNvidia.slice(0, 4).map(({ devices }) => [
        encodeNvidiaDevice({
          report: parseBase64(nvidiaPart(devices[0]?.report ?? '')),
          certificates: pem(nvidiaPart(devices[0]?.cert_chain_pem ?? '')),
        }),
      ]),
    run: ([bytes = NONE]) => void parseNvidiaDevice(bytes),
  },
  {
    name: 'platform/nvidia-rim',
    errors: REFUSALS,
    corpus: () =>
      [...new Set(goodNvidia.flatMap(({ rims_xml }) => rims_xml))].map((text) => [encodeUtf8(nvidiaPart(text))]),
    run: ([bytes]) => void parseRim(lossyText(bytes)),
  },
  {
    name: 'platform/nvidia',
    errors: REFUSALS,
    corpus: () => nvidiaCorpus,
    async run(input) {
      const base = goodNvidia[0] as (typeof goodNvidia)[0];
      const [device] = base.devices;
      await verifyNvidia({
        devices: [{ report: part(input, 0), certificates: pem(nvidiaPart(device?.cert_chain_pem ?? '')) }],
        expectedNonce: parseHex(base.nonce_hex),
        rims: base.rims_xml.map(nvidiaPart),
        ocsp: base.ocsp.map((answer) => parseBase64(nvidiaPart(answer))),
        roots: { device: roots(NVIDIA.device_root_pem), rim: roots(NVIDIA.rim_root_pem) },
        timeSeconds: base.time,
      });
      insist(isKnown(nvidiaCorpus)(part(input, 0)), 'a report that no GPU made');
    },
  },
  {
    name: 'platform/firmware',
    errors: REFUSALS,
    corpus: () =>
      parts(
        loadVectors<{ vectors: { input: Fields }[] }>('evidence-measure/launches.json').vectors.map(
          ({ input }) => input.ovmf,
        ),
      ),
    run: ([bytes = NONE]) => void parseFirmware(bytes),
  },
  {
    name: 'platform/tpm-statement',
    errors: REFUSALS,
    corpus: () =>
      goodTpm.slice(0, 3).map(({ input }) => [
        new ByteWriter()
          .vector16(encodeUtf8('sotto/tpm-statement/v1'))
          .vector16(parseBase64(input.quote ?? ''))
          .vector16(parseBase64(input.signature ?? ''))
          .vector16(fill(91, 1))
          .raw(Uint8Array.of(0, 2, 0, ...fill(32, 1), 7, ...fill(32, 2)))
          .vector32(parseBase64(input.event_log ?? ''))
          .finish(),
      ]),
    run: ([bytes = NONE]) => void parseTpmStatement(bytes),
  },
  {
    name: 'platform/policy',
    errors: [PolicyError],
    corpus: () => POLICIES.map((policy) => [jsonBytes(policy)]),
    run([bytes]) {
      let value: unknown;
      try {
        value = JSON.parse(lossyText(bytes));
      } catch {
        return 'not-json';
      }
      parseHardwarePolicy(value);
      return undefined;
    },
  },
  {
    // Files that a person was given: each part is one, and whatever they are, there is a report or a sentence.
    name: 'platform/files',
    errors: [EvidenceFileError],
    corpus: () => [
      [
        ...(tdxCorpus[0] as Input),
        ...['tcb_info_json', 'qe_identity_json'].map((name) => encodeUtf8(collateral(name))),
      ],
      snpCorpus[0] as Input,
      nvidiaCorpus[0] as Input,
      [encodeUtf8(TDX.base.root_ca_pem), ...parts([collateral('pck_crl')]).flat()],
    ],
    async run(input) {
      const { failure } = await judgeFiles({
        files: input.map((bytes, place) => ({ name: `file ${place}`, bytes })),
        policy: undefined,
        timeSeconds: TDX.base.time,
        amdIntermediates: [],
      });
      insist(failure !== undefined, 'evidence under a test root was accepted as genuine');
      return failure?.code;
    },
  },
];

/** One policy a kind, as whole as its parser takes it. */
const digest = (length: number, byte: string) => byte.repeat(length);
const POLICIES: readonly unknown[] = [
  {
    kind: 'tdx',
    version: 1,
    measurements: [{ mrtd: digest(48, '0a'), rtmrs: [digest(48, '10'), digest(48, '11'), digest(48, '12')] }],
    tcb: { statuses: ['UpToDate'], acceptedAdvisories: ['INTEL-SA-00960'], minimumEvaluation: 17 },
  },
  {
    kind: 'sev-snp',
    version: 1,
    measurements: [{ measurement: digest(48, '0b') }],
    generations: { Genoa: { minimumTcb: { bootLoader: 7, tee: 0, snp: 14, microcode: 72 } } },
    smt: 'refused',
    ciphertextHiding: 'required',
    aliasCheck: 'required',
    revocation: 'required',
  },
  { kind: 'tpm-test', version: 1, attestationKeys: [digest(32, '0c')], measurements: [{ 4: digest(32, '0d') }] },
];
