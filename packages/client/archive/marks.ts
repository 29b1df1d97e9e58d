/**
 * Marks (spec/client.md "On this device"): of every record its writer and digest, so that the watch compares what the server shows
 * without opening a chat. `held` is what this device keeps, `shown` what the server shows; one value where they are the same.
 *
 *     struct Page { u8 form = 1; u32 version; u16 n; deviceId[16] × n; u16 m; Group × m }
 *     struct Group { v16 id; u32 k; Mark × k }
 *     struct Mark { recordId[16]; u8 flags; Version held (1); Version shown (2, unless 4) }
 *     struct Version { u16 device; u64 counter; u32 epoch; digest[32] }
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

export function encodeMarks(version: number, groups: ReadonlyMap<string, readonly Mark[]>): Uint8Array<ArrayBuffer> {
  const devices = new Map<string, number>();
  const body = new ByteWriter(65_536).u16(groups.size);
  const writeVersion = ({ deviceId, deviceCounter, epoch, digest }: ShownRecord) => {
    const device = devices.get(deviceId) ?? devices.size;
    devices.set(deviceId, device);
    body
      .u16(device)
      .u64(deviceCounter)
      .u32(epoch ?? 0)
      .raw(parseHex(digest, 32));
  };
  for (const [groupId, marks] of groups) {
    body.vector16(encodeUtf8(groupId)).u32(marks.length);
    for (const { recordId, held, shown } of marks) {
      const isSame = shown !== undefined && shown === held;
      body.raw(parseHex(recordId, 16)).u8((held ? HELD : 0) | (shown ? SHOWN : 0) | (isSame ? SAME : 0));
      if (held !== undefined) writeVersion(held);
      if (shown !== undefined && !isSame) writeVersion(shown);
    }
  }
  const head = new ByteWriter().u8(FORM).u32(version).u16(devices.size);
  for (const deviceId of devices.keys()) head.raw(parseHex(deviceId, 16));
  return head.raw(body.finish()).finish();
}

/** @returns undefined for another form or version than the expected one @throws BytesError */
export function parseMarks(bytes: Uint8Array, expectedVersion: number): Mark[] | undefined {
  const reader = new ByteReader(bytes);
  const isExpected = reader.u8() === FORM && reader.u32() === expectedVersion;
  // CL-233: older marks would let the server show an older history
  if (!isExpected) return undefined;
  const devices = Array.from({ length: reader.u16() }, () => encodeHex(reader.view(16)));
  const marks: Mark[] = [];
  for (let groups = reader.u16(); groups > 0; groups--) {
    const groupId = parseUtf8(reader.vector16(64));
    for (let left = reader.u32(); left > 0; left--) {
      const recordId = encodeHex(reader.view(16));
      const flags = reader.u8();
      const version = (): ShownRecord => {
        const deviceId = devices[reader.u16()] as string;
        const [deviceCounter, epoch] = [reader.u64Number(), reader.u32()];
        return { recordId, deviceId, deviceCounter, digest: encodeHex(reader.view(32)), epoch };
      };
      const held = flags & HELD ? version() : undefined;
      const shown = flags & SAME ? held : flags & SHOWN ? version() : undefined;
      marks.push({ recordId, groupId, held, shown });
    }
  }
  reader.end();
  return marks;
}
