/**
 * The signed statement of a development machine. spec/evidence.md §dev. Made with an Ed25519 key that lies on that machine:
 * it proves that the same machine speaks as before, and nothing about what it runs. Whoever runs it can make any.
 *
 *   u16 ‖ "sotto/dev-statement/v1" ‖ u16 version ‖ public key [32] ‖ measurement [32] ‖ report data [64] ‖ signature [64]
 */
import { ByteReader, BytesError, ByteWriter, concatBytes, encodeUtf8, parseUtf8 } from '@sotto/bytes';
import { ed25519PublicKey, signEd25519, verifyEd25519 } from '@sotto/crypto/sign';
import { EvidenceError } from '../error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const LABEL = 'sotto/dev-statement/v1';
const VERSION = 1;

export interface DevStatement {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Digest of the running code, 32 bytes, as the machine itself says. */
  readonly measurement: Uint8Array;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** The bytes under the signature. */
  readonly signedBytes: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/**
 * Signs one statement.
 *
 * @param options.privateKey Ed25519, 32 bytes, made on this machine
 * @param options.measurement 32 bytes: digest of the running code
 * @param options.reportData 64 bytes: `reportDataOf(encodeBinding(binding))`
 */
export async function createDevStatement(options: {
  readonly privateKey: Uint8Array;
  readonly measurement: Uint8Array;
  readonly reportData: Uint8Array;
}): Promise<Bytes> {
  const writer = new ByteWriter().vector16(encodeUtf8(LABEL)).u16(VERSION);
  writer
    .raw(await ed25519PublicKey(options.privateKey))
    .raw(options.measurement)
    .raw(options.reportData);
  const signedBytes = writer.finish();
  const statement = concatBytes(signedBytes, await signEd25519(options.privateKey, signedBytes));
  parseDevStatement(statement);
  return statement;
}

/** @throws EvidenceError `dev-statement-malformed` */
export function parseDevStatement(bytes: Uint8Array): DevStatement {
  try {
    return parseFields(bytes);
  } catch (error) {
    if (error instanceof BytesError) throw malformed('EV-17', 'the statement has another length', error);
    throw error;
  }
}

/** True when the key in the statement signed it (EV-36). Says nothing about whose key it is. */
export function isDevSignatureValid(statement: DevStatement): Promise<boolean> {
  return verifyEd25519(statement.publicKey, statement.signedBytes, statement.signature);
}

function parseFields(bytes: Uint8Array): DevStatement {
  const reader = new ByteReader(bytes);
  const label = parseUtf8(reader.vector16(LABEL.length));
  // EV-18: a signature made for another use of the same key must not count here.
  if (label !== LABEL || reader.u16() !== VERSION) throw malformed('EV-18', 'this is not a statement of version 1');
  const publicKey = reader.take(32);
  const measurement = reader.take(32);
  const reportData = reader.take(64);
  const signedBytes = bytes.slice(0, reader.offset);
  const signature = reader.take(64);
  reader.end();
  return { publicKey, measurement, reportData, signedBytes, signature };
}

function malformed(rule: string, message: string, cause?: unknown): EvidenceError {
  return new EvidenceError('dev-statement-malformed', message, rule, cause);
}
