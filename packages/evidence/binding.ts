/**
 * How keys, node, epoch and times are bound to a vendor's signature: one struct, one spelling, one digest. spec/evidence.md §binding.
 * Made by the node; read by the client from a hostile network. A struct that parses is not trusted until the report data
 * in a verified statement equals `reportDataOf` its bytes.
 */
import { ByteReader, BytesError, ByteWriter, encodeUtf8, parseUtf8 } from '@sotto/bytes';
import { sha256, sha512 } from '@sotto/crypto/hash';
import { EvidenceError } from './error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export const BINDING_LIMIT_BYTES = 16 * 1024;
const REPORT_DATA_LABEL = 'sotto/binding/v1';
const DEVICE_NONCE_LABEL = 'sotto/device-nonce/v1';
const PURPOSES = ['epoch', 'live', 'broker'] as const;
const LIST_LIMIT_COUNT = 8;
const TOKEN_LIMIT_BYTES = 32;
const PUBLIC_KEY_LIMIT_BYTES = 4096;
const ORIGIN_LIMIT_BYTES = 255;

/** What the evidence is for; evidence of one purpose never passes for another. */
export type BindingPurpose = (typeof PURPOSES)[number];

export interface BoundKey {
  /** Such as `channel`. */
  readonly use: string;
  /** Such as `x25519`. */
  readonly algorithm: string;
  readonly publicKey: Uint8Array;
}

export interface BoundCheckpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export interface Binding {
  readonly purpose: BindingPurpose;
  readonly suites: readonly string[];
  readonly keys: readonly BoundKey[];
  /** 16 bytes. */
  readonly nodeId: Uint8Array;
  /** 16 bytes. */
  readonly epochId: Uint8Array;
  /** Seconds since the Unix epoch, by the node's own clock. */
  readonly notBeforeSeconds: number;
  readonly notAfterSeconds: number;
  /** Undefined until the log exists. */
  readonly checkpoint: BoundCheckpoint | undefined;
  /** 32 bytes, all zero where there is none. */
  readonly releaseDigest: Uint8Array;
  /** 32 bytes: SHA-256 of the configuration in effect. */
  readonly configDigest: Uint8Array;
  /** 32 bytes, all zero where the bundle holds no devices. */
  readonly deviceEvidenceDigest: Uint8Array;
  /** 0 or 32 bytes. */
  readonly clientNonce: Uint8Array;
  /** 0 or 32 bytes. */
  readonly handshakeHash: Uint8Array;
}

/**
 * @throws EvidenceError `binding-malformed` when `parseBinding` would refuse the result
 * @example reportDataOf(encodeBinding(binding)) // what the hardware signs, 64 bytes
 */
export function encodeBinding(binding: Binding): Bytes {
  const bytes = encodeFields(binding, exactly(32, binding.deviceEvidenceDigest));
  parseBinding(bytes);
  return bytes;
}

/** @throws EvidenceError `binding-malformed`; there is exactly one spelling of each struct */
export function parseBinding(bytes: Uint8Array): Binding {
  try {
    return parseFields(bytes);
  } catch (error) {
    if (error instanceof BytesError) throw malformed('EV-07', 'the binding has another length or is not text', error);
    throw error;
  }
}

/** The 64 bytes that a platform signs: SHA-512 over the label and the struct, each behind its length (EV-08). */
export function reportDataOf(bindingBytes: Uint8Array): Bytes {
  return sha512(labelled(REPORT_DATA_LABEL, bindingBytes));
}

/**
 * The nonce that GPUs and TPMs quote, 32 bytes: the same struct without the device digest, under its own label (EV-09).
 * Devices are quoted first, and their digest then enters the binding.
 */
export function deviceNonceOf(binding: Omit<Binding, 'deviceEvidenceDigest'>): Bytes {
  return sha256(labelled(DEVICE_NONCE_LABEL, encodeFields(binding, new Uint8Array())));
}

function labelled(label: string, struct: Uint8Array): Bytes {
  return new ByteWriter().vector16(encodeUtf8(label)).vector32(struct).finish();
}

function encodeFields(binding: Omit<Binding, 'deviceEvidenceDigest'>, deviceEvidenceDigest: Uint8Array): Bytes {
  const writer = new ByteWriter().u8(PURPOSES.indexOf(binding.purpose) + 1).u8(binding.suites.length);
  for (const suite of binding.suites) writer.vector16(encodeUtf8(suite));
  writer.u8(binding.keys.length);
  for (const key of binding.keys) {
    writer.vector16(encodeUtf8(key.use)).vector16(encodeUtf8(key.algorithm)).vector16(key.publicKey);
  }
  writer
    .raw(exactly(16, binding.nodeId))
    .raw(exactly(16, binding.epochId))
    .u64(binding.notBeforeSeconds)
    .u64(binding.notAfterSeconds);
  writer.u8(binding.checkpoint ? 1 : 0);
  if (binding.checkpoint) {
    const { origin, size, root } = binding.checkpoint;
    writer.vector16(encodeUtf8(origin)).u64(size).raw(exactly(32, root));
  }
  writer.raw(exactly(32, binding.releaseDigest)).raw(exactly(32, binding.configDigest)).raw(deviceEvidenceDigest);
  return writer.vector16(binding.clientNonce).vector16(binding.handshakeHash).finish();
}

function exactly(lengthBytes: number, bytes: Uint8Array): Uint8Array {
  // EV-19: two wrong lengths side by side can make up for each other, and one field would be read as a part of the next.
  if (bytes.length !== lengthBytes) throw malformed('EV-19', 'a field of the binding has another length');
  return bytes;
}

function parseFields(bytes: Uint8Array): Binding {
  // EV-07: the cap comes before any copy.
  if (bytes.length > BINDING_LIMIT_BYTES) throw malformed('EV-07', 'the binding is longer than its limit');
  const reader = new ByteReader(bytes);
  const binding: Binding = {
    purpose: readPurpose(reader),
    suites: readSuites(reader),
    keys: readKeys(reader),
    nodeId: reader.take(16),
    epochId: reader.take(16),
    notBeforeSeconds: reader.u64Number(),
    notAfterSeconds: reader.u64Number(),
    checkpoint: readCheckpoint(reader),
    releaseDigest: reader.take(32),
    configDigest: reader.take(32),
    deviceEvidenceDigest: reader.take(32),
    clientNonce: readOptional32(reader),
    handshakeHash: readOptional32(reader),
  };
  reader.end();
  const ordered = binding.notBeforeSeconds < binding.notAfterSeconds;
  // EV-04: a window that ends before it begins holds for no moment, and code that checks one end only would accept it.
  if (!ordered) throw malformed('EV-04', 'the binding ends before it begins');
  return binding;
}

function readPurpose(reader: ByteReader): BindingPurpose {
  const purpose = PURPOSES[reader.u8() - 1];
  // EV-01: an unknown purpose could be taken for whichever the reader hopes for.
  if (purpose === undefined) throw malformed('EV-01', 'the purpose is not one of the known');
  return purpose;
}

function readSuites(reader: ByteReader): string[] {
  const suites = readList(reader, () => readToken(reader));
  // EV-02: a suite named twice is a second spelling of the same list.
  if (new Set(suites).size !== suites.length) throw malformed('EV-02', 'a suite stands twice');
  return suites;
}

function readKeys(reader: ByteReader): BoundKey[] {
  const keys = readList(reader, () => ({
    use: readToken(reader),
    algorithm: readToken(reader),
    publicKey: reader.vector16(PUBLIC_KEY_LIMIT_BYTES),
  }));
  const uses = new Set(keys.map((key) => `${key.use} ${key.algorithm}`));
  // EV-03: with two keys for one use, a node could serve with one and be judged by the other.
  if (uses.size !== keys.length) throw malformed('EV-03', 'two keys have the same use and algorithm');
  return keys;
}

function readCheckpoint(reader: ByteReader): BoundCheckpoint | undefined {
  const present = reader.u8();
  // EV-05: any byte above one would be a second spelling of "present".
  if (present > 1) throw malformed('EV-05', 'the checkpoint is neither absent nor present');
  if (present === 0) return undefined;
  const origin = parseUtf8(reader.vector16(ORIGIN_LIMIT_BYTES));
  // EV-05: the origin is shown to people and compared; line breaks and blanks would let one log pass for another.
  if (!/^[\x21-\x7e]+$/.test(origin)) throw malformed('EV-05', 'the origin of the checkpoint is not a name');
  return { origin, size: reader.u64Number(), root: reader.take(32) };
}

function readOptional32(reader: ByteReader): Uint8Array {
  const value = reader.vector16(32);
  // EV-06: a nonce or hash of another length is a part of one, and parts can be guessed.
  if (value.length !== 0 && value.length !== 32) throw malformed('EV-06', 'a nonce or hash has another length');
  return value;
}

function readList<T>(reader: ByteReader, readEntry: () => T): T[] {
  const count = reader.u8();
  // EV-10: an empty list binds nothing, and a long one is only weight.
  if (count === 0 || count > LIST_LIMIT_COUNT) throw malformed('EV-10', 'a list is empty or too long');
  return Array.from({ length: count }, readEntry);
}

function readToken(reader: ByteReader): string {
  const token = parseUtf8(reader.vector16(TOKEN_LIMIT_BYTES));
  // EV-11: suites, uses and algorithms are compared as text; another spelling of the same word must not exist.
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(token))
    throw malformed('EV-11', 'a name is not lower-case letters, digits and dashes');
  return token;
}

function malformed(rule: string, message: string, cause?: unknown): EvidenceError {
  return new EvidenceError('binding-malformed', message, rule, cause);
}
