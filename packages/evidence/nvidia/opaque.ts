/**
 * The vendor's own fields in a report: versions, firmware id, what is switched off (spec/evidence-nvidia.md §opaque).
 * Signed with the report; until that is verified, hostile.
 *
 *   field  u16 type   u16 length   value
 */
import { ByteReader, encodeHex, parseUtf8 } from '@sotto/bytes';
import { refusal } from './error.ts';

const DRIVER_VERSION = 3;
const VBIOS_VERSION = 6;
const VIDEO_DECODER_STATUS = 11;
const FWID = 20;
const SWITCH_IDS = 22;
const FEATURES = 36;
const DECODER_ENABLED = 0xaa;
const DECODER_DISABLED = 0x55;
const SWITCH_ID_BYTES = 8;

export interface OpaqueFields {
  /** Such as `535.86.09`; absent in a switch, which has no driver of its own. */
  readonly driverVersion: string | undefined;
  /** Such as `96.00.5E.00.01`. */
  readonly vbiosVersion: string;
  /** SHA-384 of the firmware that was started, 48 bytes. */
  readonly fwid: Uint8Array | undefined;
  /** False when video decoder 0 is switched off: its measurement then says nothing. */
  readonly decoderEnabled: boolean;
  /** In a GPU the switches that it is wired to, in a switch its own id; each once, as hex of 8 bytes. */
  readonly switchIds: readonly string[];
  /** How the device is shared: 0 one GPU, 1 several tenants, 2 several GPUs behind a protected switch. */
  readonly feature: number | undefined;
}

/** @throws JudgementError `report-malformed`, BytesError when a field ends too early */
export function parseOpaqueFields(bytes: Uint8Array): OpaqueFields {
  const fields = readFields(bytes);
  const status = exactly(fields, VIDEO_DECODER_STATUS, 1)?.[0];
  const known = status === undefined || status === DECODER_ENABLED || status === DECODER_DISABLED;
  // EV-248: a third status would be taken for whichever lets a measurement go unjudged.
  if (!known) throw malformed('EV-248', 'the status of the video decoder is not one of the known');
  const feature = exactly(fields, FEATURES, 2);
  return {
    driverVersion: parseDriverVersion(fields.get(DRIVER_VERSION)),
    vbiosVersion: parseVbiosVersion(fields.get(VBIOS_VERSION)),
    fwid: exactly(fields, FWID, 48),
    decoderEnabled: status !== DECODER_DISABLED,
    switchIds: parseSwitchIds(fields.get(SWITCH_IDS)),
    feature: feature && (feature[0] as number) + 256 * (feature[1] as number),
  };
}

function readFields(bytes: Uint8Array): Map<number, Uint8Array> {
  const reader = new ByteReader(bytes);
  const fields = new Map<number, Uint8Array>();
  while (reader.remaining > 0) {
    const type = u16(reader);
    // EV-246: of two fields of one type, one reader takes the first and another the last.
    if (fields.has(type)) throw malformed('EV-246', 'a field stands twice');
    fields.set(type, reader.take(u16(reader)));
  }
  return fields;
}

function u16(reader: ByteReader): number {
  return reader.u8() + 256 * reader.u8();
}

function exactly(fields: ReadonlyMap<number, Uint8Array>, type: number, lengthBytes: number): Uint8Array | undefined {
  const value = fields.get(type);
  // EV-247: a firmware id that is a part of one can be guessed or met by chance.
  if (value && value.length !== lengthBytes) throw malformed('EV-247', 'a field has another length');
  return value;
}

/** Text behind which only zeros stand. */
function parseDriverVersion(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = parseUtf8(value).replace(/\0*$/, '');
  // EV-249: a version is shown to people and chooses the reference values; it has one spelling.
  if (!/^\d{1,4}(\.\d{1,4}){1,3}$/.test(text)) throw malformed('EV-249', 'the driver version is not a version');
  return text;
}

/** Text in a switch; in a GPU eight bytes, of which the vendor prints the first four backwards and then the fifth. */
function parseVbiosVersion(value: Uint8Array | undefined): string {
  const [d, c, b, a, e] = value ?? [];
  const isBinary = value?.length === 8;
  const text = isBinary
    ? [a, b, c, d, e].map((byte) => encodeHex(Uint8Array.of(byte as number))).join('.')
    : parseUtf8(value ?? new Uint8Array());
  // EV-249: the same for the firmware's version, which every report states.
  if (!/^[0-9A-F]{2}(\.[0-9A-F]{2}){4}$/i.test(text)) throw malformed('EV-249', 'the VBIOS version is not a version');
  return text.toUpperCase();
}

function parseSwitchIds(value: Uint8Array = new Uint8Array()): string[] {
  // EV-247: half an id would be a switch that does not exist.
  if (value.length % SWITCH_ID_BYTES !== 0) throw malformed('EV-247', 'the switch ids are not whole');
  const ids = new Set<string>();
  for (let at = 0; at < value.length; at += SWITCH_ID_BYTES) ids.add(encodeHex(value.slice(at, at + SWITCH_ID_BYTES)));
  for (const unused of ['00', 'ff']) ids.delete(unused.repeat(SWITCH_ID_BYTES));
  return [...ids];
}

function malformed(rule: string, message: string): Error {
  return refusal('report-malformed', rule, message);
}
