/**
 * What OVMF says of itself: a table of GUIDs that ends 32 bytes before the end of the image, and in it where the guest's
 * processors start, where hashes of the kernel go, and which pages the host adds. spec/evidence-measure.md §firmware.
 *
 *   … { data ‖ u16 length ‖ [16] GUID }* ‖ u16 length of the table ‖ [16] GUID of the table ‖ [32] reset vector
 *   metadata: "ASEV" ‖ u32 length ‖ u32 version = 1 ‖ u32 n ‖ n × { u32 address, u32 size, u32 type }
 */
import { BytesError, encodeHex, encodeUtf8, equalBytes } from '@sotto/bytes';
import { LittleEndianReader } from '../little-endian.ts';
import { malformedFirmware } from './error.ts';

export const PAGE_BYTES = 4096;
export const FIRMWARE_LIMIT_BYTES = 32 * 1024 * 1024;
const SECTIONS_LIMIT_COUNT = 64;
const SECTION_PAGES_LIMIT_COUNT = 65_536;

/** Kinds of pages that the host adds before the first instruction. */
export const SECTION = { memory: 1, secrets: 2, cpuid: 3, svsmCallingArea: 4, kernelHashes: 0x10 } as const;
const SECTION_TYPES: readonly number[] = Object.values(SECTION);
/** A section that holds anything else than zeros is one page. */
const ONE_PAGE: readonly number[] = [SECTION.secrets, SECTION.cpuid, SECTION.kernelHashes];

export interface FirmwareSection {
  /** Guest physical address. */
  readonly gpa: number;
  readonly sizeBytes: number;
  readonly type: number;
}

/** What of the firmware enters a launch digest beside its own bytes. */
export interface FirmwareLayout {
  readonly sections: readonly FirmwareSection[];
  /** Where the table of hashes of kernel, initrd and command line goes. */
  readonly hashesTableGpa: number | undefined;
  /** Where all processors but the first one start. */
  readonly resetEip: number | undefined;
}

export interface Firmware extends FirmwareLayout {
  readonly bytes: Uint8Array;
}

// GUIDs as they stand in memory.
const TABLE_FOOTER = 'de82b596b21ff745baeaa366c55a082d';
const HASHES_TABLE = '1f3755723b3a044b927b1da6efa8d454';
const RESET_BLOCK = 'de71f7007e1acb4f890e68c77e2fb44e';
const METADATA = '666588dc4a989847a75e5585a7bf67cc';
const GUID_BYTES = 16;
const ENTRY_HEAD_BYTES = GUID_BYTES + 2;
const RESET_VECTOR_BYTES = 32;
const SIGNATURE = encodeUtf8('ASEV');

/** @throws JudgementError `firmware-malformed` */
export function parseFirmware(bytes: Uint8Array): Firmware {
  const isPages = bytes.length > 0 && bytes.length <= FIRMWARE_LIMIT_BYTES && bytes.length % PAGE_BYTES === 0;
  // EV-390: it is measured page by page, and what is left over would be measured by nobody.
  if (!isPages) throw malformedFirmware('EV-390', 'the firmware is not 1 to 8,192 whole pages');
  try {
    const table = readTable(bytes);
    const sections = readSections(bytes, table.get(METADATA));
    return { bytes, sections, hashesTableGpa: firstWord(table, HASHES_TABLE), resetEip: firstWord(table, RESET_BLOCK) };
  } catch (error) {
    // EV-391: a field that reaches beyond the firmware's end would be filled from nowhere.
    if (error instanceof BytesError) throw malformedFirmware('EV-391', 'a field reaches beyond the firmware', error);
    throw error;
  }
}

/** Read from its end, as each entry's length stands behind its data. */
function readTable(bytes: Uint8Array): Map<string, Uint8Array> {
  const table = new Map<string, Uint8Array>();
  const footer = entryEndingAt(bytes, bytes.length - RESET_VECTOR_BYTES);
  // EV-391: without the table the firmware says neither where processors start nor what the host adds.
  if (footer.guid !== TABLE_FOOTER) throw malformedFirmware('EV-391', 'the firmware has no table of GUIDs');
  let end = bytes.length - RESET_VECTOR_BYTES - ENTRY_HEAD_BYTES;
  const begin = end - (footer.lengthBytes - ENTRY_HEAD_BYTES);
  while (end > begin) {
    const { guid, lengthBytes, data } = entryEndingAt(bytes, end);
    end -= lengthBytes;
    // EV-391: an entry that reaches into its neighbour, or a second one of the same name, has two readings.
    if (end < begin || table.has(guid)) throw malformedFirmware('EV-391', 'the table of GUIDs contradicts itself');
    table.set(guid, data);
  }
  return table;
}

function entryEndingAt(bytes: Uint8Array, end: number): { guid: string; lengthBytes: number; data: Uint8Array } {
  const reader = new LittleEndianReader(bytes.subarray(Math.max(0, end - ENTRY_HEAD_BYTES), end));
  const lengthBytes = reader.u16();
  const guid = encodeHex(reader.take(GUID_BYTES));
  // EV-391: an entry shorter than its own head would never end.
  if (lengthBytes < ENTRY_HEAD_BYTES || lengthBytes > end) {
    throw malformedFirmware('EV-391', 'an entry of the table has a length that it cannot have');
  }
  return { guid, lengthBytes, data: bytes.subarray(end - lengthBytes, end - ENTRY_HEAD_BYTES) };
}

function firstWord(table: Map<string, Uint8Array>, guid: string): number | undefined {
  const entry = table.get(guid);
  const word = entry && new LittleEndianReader(entry).u32();
  return word === 0 ? undefined : word;
}

function readSections(bytes: Uint8Array, entry: Uint8Array | undefined): FirmwareSection[] {
  if (entry === undefined) return [];
  const fromEnd = new LittleEndianReader(entry).u32();
  // EV-392: metadata before the first byte is not there.
  if (fromEnd > bytes.length) throw malformedFirmware('EV-392', 'the metadata is not inside the firmware');
  const reader = new LittleEndianReader(bytes.subarray(bytes.length - fromEnd));
  const isSigned = equalBytes(reader.take(SIGNATURE.length), SIGNATURE);
  const lengthBytes = reader.u32();
  const version = reader.u32();
  const count = reader.u32();
  const isKnown = isSigned && version === 1 && lengthBytes === 16 + 12 * count;
  // EV-392: in another version the same bytes name other pages.
  if (!isKnown) throw malformedFirmware('EV-392', 'the metadata is not that of version 1, or has another length');
  // EV-392: the cap comes before the list.
  if (count > SECTIONS_LIMIT_COUNT) throw malformedFirmware('EV-392', 'the metadata has too many sections');
  return Array.from({ length: count }, () => ({ gpa: reader.u32(), sizeBytes: reader.u32(), type: reader.u32() }));
}

/** Checked when a launch is measured, as sections may also be given without their firmware. */
export function checkSections(sections: readonly FirmwareSection[]): void {
  let pages = 0;
  for (const { gpa, sizeBytes, type } of sections) {
    const isAligned = gpa % PAGE_BYTES === 0 && sizeBytes % PAGE_BYTES === 0 && sizeBytes > 0;
    const isWhole = !ONE_PAGE.includes(type) || sizeBytes === PAGE_BYTES;
    // EV-392: what a page of an unknown kind does to the digest is not known, and a part of a page is not measured.
    if (!SECTION_TYPES.includes(type) || !isAligned || !isWhole) {
      throw malformedFirmware('EV-392', 'a section is of an unknown kind, or is not made of whole pages');
    }
    pages += sizeBytes / PAGE_BYTES;
    // EV-392: each page costs a hash, and a section may say any size.
    if (pages > SECTION_PAGES_LIMIT_COUNT) throw malformedFirmware('EV-392', 'the sections have too many pages');
  }
}
