/**
 * One device in a bundle (kind `nvidia`): its report and its certificates (spec/evidence-nvidia.md §bundle). From a node's host:
 * hostile.
 *
 *   v16 report   u8 count (1–8)   v16 certificate[]     DER, the device's own first
 */
import { ByteReader, BytesError, ByteWriter } from '@sotto/bytes';
import { refusal } from './error.ts';

const REPORT_LIMIT_BYTES = 16 * 1024;
const CERTIFICATE_LIMIT_BYTES = 16 * 1024;
const CERTIFICATES_LIMIT_COUNT = 8;

/** The name of this kind in a bundle. */
export const NVIDIA_DEVICE = 'nvidia';

export interface NvidiaDeviceEvidence {
  readonly report: Uint8Array;
  readonly certificates: readonly Uint8Array[];
}

/** @throws JudgementError `device-set-malformed` when `parseNvidiaDevice` would refuse the result */
export function encodeNvidiaDevice({ report, certificates }: NvidiaDeviceEvidence): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(1024).vector16(report).u8(certificates.length);
  for (const certificate of certificates) writer.vector16(certificate);
  const bytes = writer.finish();
  parseNvidiaDevice(bytes);
  return bytes;
}

/** @throws JudgementError `device-set-malformed` */
export function parseNvidiaDevice(bytes: Uint8Array): NvidiaDeviceEvidence {
  try {
    const reader = new ByteReader(bytes);
    const report = reader.vector16(REPORT_LIMIT_BYTES);
    const count = reader.u8();
    // EV-291: a chain of none has nothing to refuse, and a hundred certificates would all be read.
    if (count < 1 || count > CERTIFICATES_LIMIT_COUNT) throw malformed('there are no certificates, or too many');
    const certificates = Array.from({ length: count }, () => reader.vector16(CERTIFICATE_LIMIT_BYTES));
    reader.end();
    return { report, certificates };
  } catch (error) {
    if (error instanceof BytesError) throw malformed('a device has another length than its fields', error);
    throw error;
  }
}

function malformed(message: string, cause?: unknown): Error {
  return refusal('device-set-malformed', 'EV-291', message, cause);
}
