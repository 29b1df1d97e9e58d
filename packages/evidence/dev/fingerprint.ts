/** What names a development machine: the only root of `dev` evidence. spec/evidence.md §dev. */
import { ByteWriter, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';

const LABEL = encodeUtf8('sotto/dev-fingerprint/v1');

/** SHA-256 over a label and the 32-byte Ed25519 public key; 32 bytes. A policy pins it (EV-34). */
export function devFingerprint(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha256(new ByteWriter().vector16(LABEL).vector16(publicKey).finish());
}
