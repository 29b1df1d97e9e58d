/** Builds small firmware images with the tables that launch measurement reads, right or with one fault. */
import { concatBytes, encodeUtf8, parseHex } from '@sotto/bytes';
import { littleEndian } from './evidence-tpm.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export const FIRMWARE_GUIDS = {
  footer: 'de82b596b21ff745baeaa366c55a082d',
  hashesTable: '1f3755723b3a044b927b1da6efa8d454',
  resetBlock: 'de71f7007e1acb4f890e68c77e2fb44e',
  metadata: '666588dc4a989847a75e5585a7bf67cc',
} as const;

export interface FirmwareFake {
  readonly pages: number;
  /** `[address, size, type]` each; undefined: no metadata. */
  readonly sections: readonly (readonly [number, number, number])[] | undefined;
  readonly hashesTableGpa?: number;
  readonly resetEip?: number;
  /** Of the metadata: 1. */
  readonly version?: number;
  /** Further entries of the table. */
  readonly entries?: readonly Uint8Array[];
  /** What the metadata says of its length, beyond the truth. */
  readonly extraLength?: number;
}

export function encodeFirmware(fake: FirmwareFake): Bytes {
  const image = new Uint8Array(fake.pages * 4096).map((_, at) => (at * 7 + (at >> 8)) & 0xff);
  const table = [...(fake.entries ?? [])];
  if (fake.resetEip !== undefined) table.push(guidEntry(FIRMWARE_GUIDS.resetBlock, littleEndian(fake.resetEip, 4)));
  if (fake.hashesTableGpa !== undefined) {
    const data = concatBytes(littleEndian(fake.hashesTableGpa, 4), littleEndian(1024, 4));
    table.push(guidEntry(FIRMWARE_GUIDS.hashesTable, data));
  }
  if (fake.sections !== undefined) {
    const metadata = concatBytes(
      encodeUtf8('ASEV'),
      littleEndian(16 + 12 * fake.sections.length + (fake.extraLength ?? 0), 4),
      littleEndian(fake.version ?? 1, 4),
      littleEndian(fake.sections.length, 4),
      ...fake.sections.flatMap((section) => section.map((word) => littleEndian(word, 4))),
    );
    image.set(metadata, image.length - 2048);
    table.push(guidEntry(FIRMWARE_GUIDS.metadata, littleEndian(2048, 4)));
  }
  const body = concatBytes(...table);
  const footer = concatBytes(littleEndian(body.length + 18, 2), parseHex(FIRMWARE_GUIDS.footer));
  image.set(concatBytes(body, footer), image.length - 32 - footer.length - body.length);
  return image;
}

/** Data, its length with its head, its GUID. */
export function guidEntry(guid: string, data: Uint8Array, lengthBytes = data.length + 18): Bytes {
  return concatBytes(data, littleEndian(lengthBytes, 2), parseHex(guid));
}
