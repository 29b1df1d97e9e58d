/** Builds boot logs and TPM quotes under keys of the test, right or with one fault, for vectors and for tests of collectors. */
import { ByteWriter, concatBytes, encodeUtf8 } from '@sotto/bytes';
import { sha256, sha384 } from '@sotto/crypto/hash';
import type { SeededEcdsaKey } from '@sotto/crypto/seeded-ecdsa';
import { createTestKey } from './certificates.ts';

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

export const TPM_TEST_KEY = createTestKey('tpm attestation key');

export interface TpmQuoteFake {
  readonly magic?: number;
  readonly type?: number;
  readonly name?: Uint8Array;
  readonly nonce?: Uint8Array;
  readonly safe?: number;
  readonly banks?: readonly number[];
  readonly map?: Uint8Array;
  /** Of the quoted registers, in the order of their numbers. */
  readonly values?: readonly Uint8Array[];
  readonly digest?: Uint8Array;
  readonly trailing?: Uint8Array;
}

/** Registers 0 and 7 of the SHA-256 bank, unless said otherwise. @param hash of the signature */
export function encodeTpmQuote(fake: TpmQuoteFake = {}, hash: 'sha256' | 'sha384' = 'sha256'): Bytes {
  const digest = fake.digest ?? (hash === 'sha256' ? sha256 : sha384)(...(fake.values ?? []));
  const map = fake.map ?? Uint8Array.of(0x81, 0, 0);
  const banks = fake.banks ?? [TPM_HASHES.sha256];
  const writer = new ByteWriter()
    .u32(fake.magic ?? 0xff544347)
    .u16(fake.type ?? 0x8018)
    .vector16(fake.name ?? new Uint8Array(34).fill(0x0b))
    .vector16(fake.nonce ?? new Uint8Array(32).fill(0x0c))
    .u64(91_689)
    .u32(3)
    .u32(0)
    .u8(fake.safe ?? 1)
    .u64(0x2019_1023_0016_3636n)
    .u32(banks.length);
  for (const bank of banks) writer.u16(bank).u8(map.length).raw(map);
  return writer
    .vector16(digest)
    .raw(fake.trailing ?? new Uint8Array())
    .finish();
}

export interface TpmSignatureFake {
  readonly algorithm?: number;
  readonly hash?: number;
  /** Instead of r and s. */
  readonly numbers?: readonly Uint8Array[];
  readonly trailing?: Uint8Array;
  readonly key?: SeededEcdsaKey;
}

export function encodeTpmSignature(quote: Uint8Array, fake: TpmSignatureFake = {}): Bytes {
  const key = fake.key ?? TPM_TEST_KEY;
  const signature = key.sign(quote);
  const half = signature.length / 2;
  const writer = new ByteWriter()
    .u16(fake.algorithm ?? 0x0018)
    .u16(fake.hash ?? (key.curve === 'P-256' ? TPM_HASHES.sha256 : TPM_HASHES.sha384));
  for (const number of fake.numbers ?? [signature.slice(0, half), signature.slice(half)]) writer.vector16(number);
  return writer.raw(fake.trailing ?? new Uint8Array()).finish();
}
