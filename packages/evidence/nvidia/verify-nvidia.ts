/**
 * NVIDIA GPUs and switches: from reports, certificates and manifests to what may be said of the devices
 * (spec/evidence-nvidia.md). Everything but roots, nonce and time comes from the party that is judged, or through it.
 */
import { equalBytes } from '@sotto/bytes';
import { verifySignature } from '@sotto/crypto/verify';
import { assertValidAt, type Certificate, parseCertificate, verifyChain } from '@sotto/crypto/x509';
import { refusal } from './error.ts';
import { archOf, type DeviceIdentity, identityOf } from './identity.ts';
import { compareMeasurements } from './measurements.ts';
import { assertOcspValidAt, type ParsedOcsp, parseOcsp, verifyOcsp } from './ocsp.ts';
import { type ParsedReport, parseReport } from './report.ts';
import { type ParsedRim, parseRim } from './rim.ts';
import { verifySignedXml } from './rim-signature.ts';
import type { NvidiaRoots } from './roots.ts';

const DEVICES_LIMIT_COUNT = 16;
const RIMS_LIMIT_COUNT = 32;
const OCSP_LIMIT_COUNT = 128;
const EXTENDED_KEY_USAGE = '2.5.29.37';

export interface NvidiaInput {
  /** GPUs and switches that answered to one nonce. */
  readonly devices: readonly {
    /** Request and response of SPDM, one after the other. */
    readonly report: Uint8Array;
    /** DER, the certificate of the device's key first. */
    readonly certificates: readonly Uint8Array[];
  }[];
  /** What the devices had to answer to, 32 bytes. */
  readonly expectedNonce: Uint8Array;
  /** Manifests; every one that is given must hold and match. */
  readonly rims: readonly string[];
  /** OCSP responses in DER, one a certificate. */
  readonly ocsp: readonly Uint8Array[];
  /** The nonce of the OCSP questions, when the client asked them itself. */
  readonly expectedOcspNonce?: Uint8Array;
  readonly roots: NvidiaRoots;
  readonly timeSeconds: number;
}

export interface NvidiaDeviceClaims extends DeviceIdentity {
  readonly driverVersion: string | undefined;
  readonly vbiosVersion: string;
  readonly measurements: ParsedReport['measurements'];
  /** Which reference values were given; those that were, matched. */
  readonly matchedRims: readonly ('driver' | 'vbios')[];
  /** `match` when all reference values that there are for such a device were given. */
  readonly rim: 'match' | 'absent';
  /** `good` when there is an answer for every certificate that the vendor answers for. */
  readonly ocsp: 'good' | 'absent';
  /**
   * A genuine device answered, but nothing that it signs says to which machine it is attached: a host that can also reach a
   * second GPU could have it answer in its stead. No generation before TDISP can prove more.
   */
  readonly boundToCvm: false;
}

export interface NvidiaVerdict {
  readonly devices: readonly NvidiaDeviceClaims[];
}

interface Device {
  readonly report: ParsedReport;
  readonly certificates: readonly Certificate[];
}
interface ChainedDevice extends Device, DeviceIdentity {
  readonly chain: readonly Certificate[];
  readonly rims: readonly ChainedRim[];
}
interface ChainedRim extends ParsedRim {
  readonly chain: readonly Certificate[];
}

/**
 * Judges in the order of the classes: of two faults the one of the earlier class is reported, whichever device it is in.
 *
 * @throws JudgementError, CertificateError, both with code, class and rule
 */
export async function verifyNvidia(input: NvidiaInput): Promise<NvidiaVerdict> {
  const parsed = parseInput(input);
  const rims: ChainedRim[] = [];
  for (const rim of parsed.rims) rims.push(await withRimChain(rim, input.roots));
  const devices: ChainedDevice[] = [];
  for (const device of parsed.devices) devices.push(await withDeviceChain(device, rims, input.roots));
  const chains = [...devices, ...rims].map(({ chain }) => chain);
  const answered: Certificate[] = [];
  for (const ocsp of parsed.ocsp) answered.push(await verifyOcsp(ocsp, chains, input.expectedOcspNonce));
  for (const device of devices) await verifyReport(device);
  for (const rim of rims) await verifySignedXml(rim.signature);
  for (const device of devices) assertBound(device, input.expectedNonce);
  assertSet(devices, rims);
  for (const chain of chains) assertValidAt(chain, input.timeSeconds);
  for (const { responder } of parsed.ocsp) assertValidAt(responder ? [responder] : [], input.timeSeconds);
  for (const ocsp of parsed.ocsp) assertOcspValidAt(ocsp, input.timeSeconds);
  for (const device of devices) compareMeasurements(device.report, device.rims);
  return { devices: devices.map((device) => claimsOf(device, answered)) };
}

function parseInput(input: NvidiaInput): {
  devices: Device[];
  rims: ParsedRim[];
  ocsp: ParsedOcsp[];
} {
  const isWithin =
    input.devices.length >= 1 &&
    input.devices.length <= DEVICES_LIMIT_COUNT &&
    input.rims.length <= RIMS_LIMIT_COUNT &&
    input.ocsp.length <= OCSP_LIMIT_COUNT;
  // EV-281: a set of no devices has nothing to refuse, and a thousand manifests would all be read.
  if (!isWithin) throw refusal('device-set-malformed', 'EV-281', 'there are no devices, or too many parts');
  const devices = input.devices.map(({ report, certificates }) => ({
    report: parseReport(report),
    certificates: certificates.map(parseCertificate),
  }));
  return { devices, rims: input.rims.map(parseRim), ocsp: input.ocsp.map(parseOcsp) };
}

async function withRimChain(rim: ParsedRim, roots: NvidiaRoots): Promise<ChainedRim> {
  const chain = await verifyChain({ chain: rim.signature.certificates, roots: roots.rim });
  assertUnrestricted(chain);
  return { ...rim, chain };
}

/** @throws JudgementError `signer-restricted` */
function assertUnrestricted([leaf]: readonly Certificate[]): void {
  const isRestricted = leaf?.extensions.has(EXTENDED_KEY_USAGE) === true;
  // EV-285: the vendor's responders hold certificates of the same issuers, and could else write reference values.
  if (isRestricted) throw refusal('signer-restricted', 'EV-285', 'the key was certified for another use');
}

async function withDeviceChain(
  device: Device,
  rims: readonly ChainedRim[],
  roots: NvidiaRoots,
): Promise<ChainedDevice> {
  const chain = await verifyChain({ chain: device.certificates, roots: roots.device });
  assertUnrestricted(chain);
  const identity = identityOf(chain[0] as Certificate);
  const { driverVersion, vbiosVersion } = device.report.opaque;
  const related = rims.filter(
    (rim) => archOf(rim.product) === identity.arch && (rim.version === driverVersion || rim.version === vbiosVersion),
  );
  return { ...device, ...identity, chain, rims: related };
}

async function verifyReport({ report, chain }: ChainedDevice): Promise<void> {
  const [leaf] = chain as [Certificate];
  const isSigned = await verifySignature('ecdsa-sha384', leaf.publicKey, report.signed, report.signature, 'raw');
  // EV-280: without it anybody could write a report.
  if (!isSigned) throw refusal('report-signature-invalid', 'EV-280', 'the device did not sign the report');
}

function assertBound({ report, fwid }: ChainedDevice, expectedNonce: Uint8Array): void {
  const isAnswer = equalBytes(report.nonce, expectedNonce);
  // EV-275: a report that was recorded earlier, or made for somebody else, answers to another nonce.
  if (!isAnswer) throw refusal('nonce-mismatch', 'EV-275', 'the device answered to another nonce');
  const isOfKey = report.opaque.fwid === undefined || equalBytes(report.opaque.fwid, fwid);
  // EV-276: the key was certified for other firmware than that which made the report.
  if (!isOfKey) throw refusal('fwid-mismatch', 'EV-276', 'the report and its key are of different firmware');
}

function assertSet(devices: readonly ChainedDevice[], rims: readonly ChainedRim[]): void {
  const serials = new Set(devices.map(({ product, serial }) => `${product} ${serial}`));
  // EV-277: one GPU that answers eight times is not eight GPUs.
  if (serials.size !== devices.length) throw refusal('device-repeated', 'EV-277', 'a device stands twice');
  const switches = idsOf(devices.filter(({ arch }) => arch === 'LS10'));
  const wired = idsOf(devices.filter(({ arch }) => arch !== 'LS10'));
  const isWhole = switches.length === 0 || wired.length === 0 || isSame(switches, wired);
  // EV-278: what GPUs say to each other passes through a switch that did not show what it is.
  if (!isWhole) throw refusal('switch-mismatch', 'EV-278', 'the GPUs are wired to other switches than those shown');
  const isRelated = rims.every((rim) => devices.some((device) => device.rims.includes(rim)));
  // EV-279: reference values of another version or chip would count as shown and judge nothing.
  if (!isRelated) throw refusal('rim-unrelated', 'EV-279', 'a manifest is of another version or chip');
}

/** Each id once. */
function idsOf(devices: readonly ChainedDevice[]): string[] {
  return [...new Set(devices.flatMap(({ report }) => report.opaque.switchIds))];
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}

function claimsOf(device: ChainedDevice, answered: readonly Certificate[]): NvidiaDeviceClaims {
  const { arch, product, serial, fwid, rims, chain, report } = device;
  const { driverVersion, vbiosVersion } = report.opaque;
  const matchedRims = (['driver', 'vbios'] as const).filter((kind) =>
    rims.some(({ version }) => version === (kind === 'driver' ? driverVersion : vbiosVersion)),
  );
  const isMatch = matchedRims.includes('vbios') && (driverVersion === undefined || matchedRims.includes('driver'));
  // The vendor answers for all but roots and the keys that a device makes for itself.
  const questioned = [chain.slice(1, -1), ...rims.map((rim) => rim.chain.slice(0, -1))].flat();
  const isGood = questioned.every((one) => answered.some(({ raw }) => equalBytes(raw, one.raw)));
  return {
    ...{ arch, product, serial, fwid, driverVersion, vbiosVersion, matchedRims },
    measurements: report.measurements,
    rim: isMatch ? 'match' : 'absent',
    ocsp: isGood ? 'good' : 'absent',
    boundToCvm: false,
  };
}
