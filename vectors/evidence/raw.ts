/**
 * A second, careless encoder of spec/evidence.md's structs, for vectors: it writes whatever it is given, wrong fields too,
 * and shares no code with the product but the byte writer and the primitives.
 */
import { ByteWriter, concatBytes, encodeUtf8 } from '@sotto/bytes';
import { sha512 } from '@sotto/crypto/hash';
import { ed25519PublicKey, signEd25519 } from '@sotto/crypto/sign';

export interface RawBinding {
  purpose: number;
  suites: string[];
  keys: { use: string; algorithm: string; publicKey: Uint8Array }[];
  nodeId: Uint8Array;
  epochId: Uint8Array;
  notBeforeSeconds: number;
  notAfterSeconds: number;
  /** The checkpoint with its presence byte. */
  checkpoint: Uint8Array;
  releaseDigest: Uint8Array;
  configDigest: Uint8Array;
  deviceEvidenceDigest: Uint8Array;
  clientNonce: Uint8Array;
  handshakeHash: Uint8Array;
  trailing: Uint8Array;
}

export interface RawStatement {
  label: string;
  version: number;
  privateKey: Uint8Array;
  /** Signs instead of `privateKey`, which still names the public key. */
  signingKey: Uint8Array;
  measurement: Uint8Array;
  /** Taken from the binding when absent. */
  reportData: Uint8Array | undefined;
  trailing: Uint8Array;
}

export interface RawBundle {
  magic: string;
  version: number;
  platform: string;
  devices: { kind: string; evidence: Uint8Array }[];
  trailing: Uint8Array;
}

export const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
export const empty = new Uint8Array();
export const rawCheckpoint = (presence: number, origin: string) =>
  new ByteWriter().u8(presence).vector16(encodeUtf8(origin)).u64(7).raw(fill(32, 0x77)).finish();

export function writeBinding(raw: RawBinding): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter().u8(raw.purpose).u8(raw.suites.length);
  for (const suite of raw.suites) writer.vector16(encodeUtf8(suite));
  writer.u8(raw.keys.length);
  for (const key of raw.keys) {
    writer.vector16(encodeUtf8(key.use)).vector16(encodeUtf8(key.algorithm)).vector16(key.publicKey);
  }
  writer.raw(raw.nodeId).raw(raw.epochId).u64(raw.notBeforeSeconds).u64(raw.notAfterSeconds).raw(raw.checkpoint);
  writer.raw(raw.releaseDigest).raw(raw.configDigest).raw(raw.deviceEvidenceDigest);
  return writer.vector16(raw.clientNonce).vector16(raw.handshakeHash).raw(raw.trailing).finish();
}

export async function writeStatement(raw: RawStatement, binding: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const label = encodeUtf8('sotto/binding/v1');
  const reportData = raw.reportData ?? sha512(new ByteWriter().vector16(label).vector32(binding).finish());
  const writer = new ByteWriter().vector16(encodeUtf8(raw.label)).u16(raw.version);
  const signed = writer
    .raw(await ed25519PublicKey(raw.privateKey))
    .raw(raw.measurement)
    .raw(reportData)
    .finish();
  return concatBytes(signed, await signEd25519(raw.signingKey, signed), raw.trailing);
}

export function writeBundle(raw: RawBundle, binding: Uint8Array, statement: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter().raw(encodeUtf8(raw.magic)).u16(raw.version).vector16(encodeUtf8(raw.platform));
  writer.vector32(binding).vector32(statement).u8(raw.devices.length);
  for (const device of raw.devices) writer.vector16(encodeUtf8(device.kind)).vector32(device.evidence);
  return writer.raw(raw.trailing).finish();
}
