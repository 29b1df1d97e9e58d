/**
 * The table by which firmware knows kernel, initrd and command line, written into its page by the host and thereby measured.
 * spec/evidence-measure.md §kernel.
 *
 *   GUID ‖ u16 length ‖ 3 × { GUID ‖ u16 length ‖ [32] SHA-256 } ‖ zeros to a multiple of 16; command line, initrd, kernel
 */
import { ByteWriter, concatBytes, encodeUtf8, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { PAGE_BYTES } from './firmware.ts';

// GUIDs as they stand in memory.
const TABLE = parseHex('06d63894224fc94cb479a793d411fd21');
const KERNEL = parseHex('3794e74dd2ab7f42b835d5b172d2045b');
const INITRD = parseHex('31f7ba442f3ad74b9af141e29169781d');
const COMMAND_LINE = parseHex('d82dd09720bd944caa78e7714d36ab2a');
const ENTRY_BYTES = 16 + 2 + 32;
const TABLE_BYTES = 16 + 2 + 3 * ENTRY_BYTES;
/** With its padding. */
export const HASHES_TABLE_BYTES = 176;

export interface MeasuredKernel {
  /** SHA-256 of the file, 32 bytes. */
  readonly kernelHash: Uint8Array;
  /** SHA-256 of the file, 32 bytes; absent: of nothing. */
  readonly initrdHash?: Uint8Array | undefined;
  /** Exactly as the host gives it. */
  readonly commandLine: string;
}

export function hashesTable({ kernelHash, initrdHash, commandLine }: MeasuredKernel): Uint8Array {
  // The table holds the command line as a C string.
  const commandLineHash = sha256(concatBytes(encodeUtf8(commandLine), Uint8Array.of(0)));
  const writer = new ByteWriter().raw(TABLE).raw(littleEndian16(TABLE_BYTES));
  const entries = [
    [COMMAND_LINE, commandLineHash],
    [INITRD, initrdHash ?? sha256()],
    [KERNEL, kernelHash],
  ] as const;
  for (const [guid, hash] of entries) writer.raw(guid).raw(littleEndian16(ENTRY_BYTES)).raw(hash);
  return writer.zeros(HASHES_TABLE_BYTES - TABLE_BYTES).finish();
}

/** @param offset of the table in its page */
export function hashesPage(kernel: MeasuredKernel, offset: number): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  page.set(hashesTable(kernel), offset);
  return page;
}

function littleEndian16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8);
}
