/**
 * Marks (spec/client.md "On this device"): of every record its writer and digest, so that the watch compares what the server shows
 * without opening a chat. `held` is what this device keeps, `shown` what the server shows; one value where they are the same.
 *
 *     struct Page { u8 form = 1; u32 version; u16 m; Group × m }
 *     struct Group { v16 id; v32 of Mark × k }
 *     struct Mark { recordId[16]; u8 flags; Version held (1); Version shown (2, unless 4) }
 *     struct Version { deviceId[16]; u64 counter; u32 epoch; digest[32] }
 */
import { ByteReader, ByteWriter, encodeHex, encodeUtf8, parseHex, parseUtf8 } from '@sotto/bytes';
import type { ShownRecord } from '@sotto/vault/heads';

export interface Mark {
  readonly recordId: string;
  readonly groupId: string;
  readonly held: ShownRecord | undefined;
  /** The same object as `held` where the server shows what is held. */
  readonly shown: ShownRecord | undefined;
}

const FORM = 1;
const HELD = 1;
const SHOWN = 2;
const SAME = 4;
const GROUP_LIMIT_BYTES = 2 ** 28;

/** The marks of one group, which are the same bytes for as long as none of them changes. */
export function encodeGroup(marks: readonly Mark[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(160 * marks.length + 1);
  const writeVersion = ({ deviceId, deviceCounter, epoch, digest }: ShownRecord) =>
    writer
      .raw(parseHex(deviceId, 16))
      .u64(deviceCounter)
      .u32(epoch ?? 0)
      .raw(parseHex(digest, 32));
  for (const { recordId, held, shown } of marks) {
    const isSame = shown !== undefined && shown === held;
    writer.raw(parseHex(recordId, 16)).u8((held ? HELD : 0) | (shown ? SHOWN : 0) | (isSame ? SAME : 0));
    if (held !== undefined) writeVersion(held);
    if (shown !== undefined && !isSame) writeVersion(shown);
  }
  return writer.finish();
}

/** @param groups each as `encodeGroup` gives it */
export function encodeMarks(version: number, groups: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(65_536).u8(FORM).u32(version).u16(groups.size);
  for (const [groupId, marks] of groups) writer.vector16(encodeUtf8(groupId)).vector32(marks);
  return writer.finish();
}

/** @returns undefined for another form or version than the expected one @throws BytesError */
export function parseMarks(bytes: Uint8Array, expectedVersion: number): Mark[] | undefined {
  const reader = new ByteReader(bytes);
  const isExpected = reader.u8() === FORM && reader.u32() === expectedVersion;
  // CL-233: older marks would let the server show an older history
  if (!isExpected) return undefined;
  const marks: Mark[] = [];
  /** One text for each device, however many records it wrote. */
  const devices = new Map<string, string>();
  for (let groups = reader.u16(); groups > 0; groups--) {
    const groupId = parseUtf8(reader.vector16(64));
    const group = new ByteReader(reader.vector32(GROUP_LIMIT_BYTES));
    while (group.remaining > 0) {
      const recordId = encodeHex(group.view(16));
      const flags = group.u8();
      const version = (): ShownRecord => {
        const written = encodeHex(group.view(16));
        const deviceId = devices.get(written) ?? written;
        devices.set(deviceId, deviceId);
        const [deviceCounter, epoch] = [group.u64Number(), group.u32()];
        return { recordId, deviceId, deviceCounter, digest: encodeHex(group.view(32)), epoch };
      };
      const held = flags & HELD ? version() : undefined;
      const shown = flags & SAME ? held : flags & SHOWN ? version() : undefined;
      marks.push({ recordId, groupId, held, shown });
    }
  }
  reader.end();
  return marks;
}
