/** Builds boot logs and TPM quotes under keys of the test, right or with one fault, for vectors and for tests of collectors. */
import { ByteWriter, concatBytes, encodeUtf8 } from '@sotto/bytes';

type Bytes = Uint8Array<ArrayBuffer>;

/** TPM_ALG_ID of the hashes. */
export const TPM_HASHES = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d } as const;
export type TpmHash = keyof typeof TPM_HASHES;
const DIGEST_BYTES: Record<TpmHash, number> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

export interface LogEntryFake {
  /** As it stands in the log: RTMR n of a CCEL is n + 1. */
  readonly index: number;
  readonly eventType: number;
  /** Zeros where absent. */
  readonly digests: Partial<Record<TpmHash, Uint8Array>>;
  readonly data: Uint8Array;
}

export interface LogFake {
  readonly banks: readonly TpmHash[];
  readonly entries: readonly LogEntryFake[];
  /** Bytes behind the last entry. */
  readonly padding?: Uint8Array;
}

/** A crypto-agile binary log. */
export function encodeTcgLog({ banks, entries, padding }: LogFake): Bytes {
  const specId = concatBytes(
    encodeUtf8('Spec ID Event03\0'),
    littleEndian(0, 4),
    Uint8Array.of(0, 2, 0, 2),
    littleEndian(banks.length, 4),
    ...banks.flatMap((bank) => [littleEndian(TPM_HASHES[bank], 2), littleEndian(DIGEST_BYTES[bank], 2)]),
    Uint8Array.of(0),
  );
  const header = concatBytes(littleEndian(0, 4), littleEndian(3, 4), new Uint8Array(20), vector(specId));
  const body = entries.map((entry) => encodeLogEntry(banks, entry));
  return concatBytes(header, ...body, padding ?? new Uint8Array());
}

export function encodeLogEntry(banks: readonly TpmHash[], entry: LogEntryFake): Bytes {
  const digests = banks.flatMap((bank) => [
    littleEndian(TPM_HASHES[bank], 2),
    entry.digests[bank] ?? new Uint8Array(DIGEST_BYTES[bank]),
  ]);
  return concatBytes(
    littleEndian(entry.index, 4),
    littleEndian(entry.eventType, 4),
    littleEndian(banks.length, 4),
    ...digests,
    vector(entry.data),
  );
}

export function littleEndian(value: number, lengthBytes: number): Bytes {
  return new ByteWriter().u64(value).finish().reverse().slice(0, lengthBytes);
}

function vector(bytes: Uint8Array): Bytes {
  return concatBytes(littleEndian(bytes.length, 4), bytes);
}
