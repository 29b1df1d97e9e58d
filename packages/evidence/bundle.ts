/**
 * The evidence bundle: what a node sends on stream 0 and the server hands out by digest. spec/evidence.md §bundle.
 * Immutable and content-addressed; from anyone, and hostile until `verify` has judged it.
 */
import { ByteReader, BytesError, ByteWriter, encodeUtf8, parseUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { BINDING_LIMIT_BYTES } from './binding.ts';
import { EvidenceError } from './error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export const BUNDLE_LIMIT_BYTES = 1024 * 1024;
const MAGIC = encodeUtf8('sotto/evidence');
const VERSION = 1;
const PLATFORMS = ['dev', 'tdx', 'sev-snp', 'tpm'] as const;
const DEVICES_LIMIT_COUNT = 16;

/** Whose statement the bundle carries. Only `dev` can be judged by this version. */
export type Platform = (typeof PLATFORMS)[number];

export interface DeviceEvidence {
  /** Such as `nvidia`. */
  readonly deviceKind: string;
  readonly evidence: Uint8Array;
}

export interface EvidenceBundle {
  /** The exact bytes of the binding struct, of which the statement holds the digest. */
  readonly binding: Uint8Array;
  readonly platform: Platform;
  /** The platform's signed statement, in the platform's own format. */
  readonly statement: Uint8Array;
  readonly devices: readonly DeviceEvidence[];
}

/** @throws EvidenceError when `parseEvidenceBundle` would refuse the result */
export function encodeEvidenceBundle(bundle: EvidenceBundle): Bytes {
  const writer = new ByteWriter(1024).raw(MAGIC).u16(VERSION).vector16(encodeUtf8(bundle.platform));
  writer.vector32(bundle.binding).vector32(bundle.statement).u8(bundle.devices.length);
  for (const device of bundle.devices) writer.vector16(encodeUtf8(device.deviceKind)).vector32(device.evidence);
  const bytes = writer.finish();
  parseEvidenceBundle(bytes);
  return bytes;
}

/** @throws EvidenceError `bundle-too-large`, `bundle-malformed` */
export function parseEvidenceBundle(bytes: Uint8Array): EvidenceBundle {
  // EV-12: the cap comes before any copy.
  if (bytes.length > BUNDLE_LIMIT_BYTES) throw new EvidenceError('bundle-too-large', 'the bundle is too long', 'EV-12');
  try {
    return parseFields(bytes);
  } catch (error) {
    if (error instanceof BytesError) throw malformed('EV-13', 'the bundle has another length or is not text', error);
    throw error;
  }
}

/** SHA-256 of the whole bundle: what message 2 of the handshake carries, 32 bytes. */
export function evidenceDigest(bundleBytes: Uint8Array): Bytes {
  return sha256(bundleBytes);
}

function parseFields(bytes: Uint8Array): EvidenceBundle {
  const reader = new ByteReader(bytes);
  const known = parseUtf8(reader.take(MAGIC.length)) === parseUtf8(MAGIC) && reader.u16() === VERSION;
  // EV-14: what the same bytes mean in another version is not known here.
  if (!known) throw malformed('EV-14', 'this is not an evidence bundle of version 1');
  const platformName = parseUtf8(reader.vector16(16));
  const platform = PLATFORMS.find((name) => name === platformName);
  // EV-15: the statement of an unknown platform cannot even be read.
  if (platform === undefined) throw malformed('EV-15', 'the platform is not one of the known');
  const binding = reader.vector32(BINDING_LIMIT_BYTES);
  const statement = reader.vector32(BUNDLE_LIMIT_BYTES);
  const count = reader.u8();
  // EV-16: a cap on what one bundle can make the reader hold and judge.
  if (count > DEVICES_LIMIT_COUNT) throw malformed('EV-16', 'the bundle holds too many devices');
  const devices = Array.from({ length: count }, () => ({
    deviceKind: parseUtf8(reader.vector16(16)),
    evidence: reader.vector32(BUNDLE_LIMIT_BYTES),
  }));
  reader.end();
  return { binding, platform, statement, devices };
}

function malformed(rule: string, message: string, cause?: unknown): EvidenceError {
  return new EvidenceError('bundle-malformed', message, rule, cause);
}
