/**
 * What Node cannot call by itself (GPUs through NVML, the device files of older kernels) is asked of a helper of the image: one
 * program, one question, one JSON object (spec/evidence-collect.md §helper).
 *
 *   sotto-collect nvidia  --nonce HEX64
 *   sotto-collect sev-snp --report-data HEX128
 *   sotto-collect tdx     --report-data HEX128
 */
import { BytesError, encodeHex, parseBase64, parseUtf8 } from '@sotto/bytes';
import { TeeError } from './error.ts';
import type { RunTool } from './run-tool.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export const HELPER = 'sotto-collect';
const FORMAT = 'sotto-collect/v1';
const OUTPUT_LIMIT_BYTES = 2 * 1024 * 1024;
const TIME_LIMIT_MS = 30_000;
const DEVICES_LIMIT_COUNT = 16;
const CERTIFICATES_LIMIT_COUNT = 8;

export interface NativeDevice {
  /** Request and response of SPDM, one after the other. */
  readonly report: Bytes;
  /** DER, the device's own first. */
  readonly certificates: readonly Bytes[];
}

export interface NativeReport {
  readonly statement: Bytes;
  readonly certificates: Bytes | undefined;
}

/** The port; `createNativeCollector` is the one that spawns. */
export interface NativeCollector {
  /** @param nonce 32 bytes, the same for all devices */
  collectDevices(nonce: Uint8Array): Promise<readonly NativeDevice[]>;
  /** @param reportData 64 bytes */
  collectReport(kind: 'tdx' | 'sev-snp', reportData: Uint8Array): Promise<NativeReport>;
}

/** @param program path or name of the helper */
export function createNativeCollector(runTool: RunTool, program: string = HELPER): NativeCollector {
  const ask = async (kind: string, flag: string, value: Uint8Array): Promise<Uint8Array> =>
    runTool(program, [kind, flag, encodeHex(value)], {
      timeLimitMs: TIME_LIMIT_MS,
      outputLimitBytes: OUTPUT_LIMIT_BYTES,
    });
  return {
    collectDevices: async (nonce) => parseDevices(await ask('nvidia', '--nonce', nonce)),
    collectReport: async (kind, data) => parseReport(await ask(kind, '--report-data', data), kind),
  };
}

/** @throws TeeError `evidence-malformed` */
export function parseDevices(output: Uint8Array): NativeDevice[] {
  const answer = parseAnswer(output, 'nvidia', ['devices']);
  const devices = listOf(answer['devices'], DEVICES_LIMIT_COUNT);
  return devices.map((value) => {
    const device = objectOf(value, ['report', 'certificates']);
    const certificates = listOf(device['certificates'], CERTIFICATES_LIMIT_COUNT);
    return { report: bytesOf(device['report']), certificates: certificates.map(bytesOf) };
  });
}

/** @throws TeeError `evidence-malformed` */
export function parseReport(output: Uint8Array, kind: 'tdx' | 'sev-snp'): NativeReport {
  const answer = parseAnswer(output, kind, ['report', 'certificates']);
  const { report, certificates } = answer;
  return { statement: bytesOf(report), certificates: certificates === undefined ? undefined : bytesOf(certificates) };
}

type Fields = Readonly<Record<string, unknown>>;

function parseAnswer(output: Uint8Array, kind: string, names: readonly string[]): Fields {
  let value: unknown;
  try {
    value = JSON.parse(parseUtf8(output));
  } catch (error) {
    throw malformed('EV-462', 'the helper wrote something else than one JSON object', error);
  }
  const answer = objectOf(value, ['format', 'kind', ...names]);
  // EV-463: a later format may mean something else by the same names.
  if (answer['format'] !== FORMAT) throw malformed('EV-463', 'the helper answers in another format');
  // EV-463: the evidence of one kind of hardware would be published as that of another.
  if (answer['kind'] !== kind) throw malformed('EV-463', 'the helper answers to another question');
  return answer;
}

function objectOf(value: unknown, names: readonly string[]): Fields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  // EV-462: a list or a word has no fields, and all would be absent.
  if (!isObject) throw malformed('EV-462', 'the helper wrote no object where one belongs');
  const isClosed = Object.keys(value).every((name) => names.includes(name));
  // EV-462: a field that nobody reads may have been meant.
  if (!isClosed) throw malformed('EV-462', 'the helper wrote a field that is not known');
  return value as Fields;
}

function listOf(value: unknown, limit: number): readonly unknown[] {
  const isList = Array.isArray(value) && value.length >= 1 && value.length <= limit;
  // EV-464: no device is no evidence, and a thousand are not in one machine.
  if (!isList) throw malformed('EV-464', 'the helper wrote an empty list, or too long a one');
  return value;
}

function bytesOf(value: unknown): Bytes {
  // EV-465: nothing is not evidence.
  if (typeof value !== 'string' || value === '') throw malformed('EV-465', 'the helper wrote no bytes');
  try {
    return parseBase64(value);
  } catch (error) {
    if (error instanceof BytesError) throw malformed('EV-465', 'the helper wrote bytes that are not base64', error);
    throw error;
  }
}

function malformed(rule: string, message: string, cause?: unknown): TeeError {
  return new TeeError('evidence-malformed', rule, message, cause);
}
