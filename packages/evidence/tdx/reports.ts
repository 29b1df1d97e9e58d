/**
 * The two reports inside a quote: what the TDX module says about the guest, and what the processor says about the quoting
 * enclave (Intel TDX Module ABI; Intel SGX DCAP quote library API, appendices A.3 and A.4). All fields are signed; reserved
 * bytes are not looked at, because the signature covers them and later hardware gives them a meaning.
 */

/** What the TDX module reports: 584 bytes, 648 since TDX 1.5. Hex-free: bytes as they stand in the quote. */
export interface TdReport {
  readonly version: '1.0' | '1.5';
  /** Security versions: of the TDX module (0), its major version (1), of the SEAM loader and microcode (2 …). */
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  readonly reportData: Uint8Array;
  /** TDX 1.5: security versions of the module that runs now, where `teeTcbSvn` is of the one that started the guest. */
  readonly teeTcbSvn2?: Uint8Array;
  /** TDX 1.5: the service guest that may migrate this one; zeros when there is none. */
  readonly mrServiceTd?: Uint8Array;
}

export const TD_REPORT_10_BYTES = 584;
export const TD_REPORT_15_BYTES = 648;

/** @param bytes of one of the two lengths */
export function readTdReport(bytes: Uint8Array): TdReport {
  const at = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  const common = {
    teeTcbSvn: at(0, 16),
    mrSeam: at(16, 48),
    mrSignerSeam: at(64, 48),
    seamAttributes: at(112, 8),
    tdAttributes: at(120, 8),
    xfam: at(128, 8),
    mrTd: at(136, 48),
    mrConfigId: at(184, 48),
    mrOwner: at(232, 48),
    mrOwnerConfig: at(280, 48),
    rtmrs: [at(328, 48), at(376, 48), at(424, 48), at(472, 48)],
    reportData: at(520, 64),
  } as const;
  if (bytes.length === TD_REPORT_10_BYTES) return { version: '1.0', ...common };
  return { version: '1.5', ...common, teeTcbSvn2: at(584, 16), mrServiceTd: at(600, 48) };
}

/** What the processor reports about an enclave: 384 bytes. */
export interface EnclaveReport {
  readonly raw: Uint8Array;
  readonly miscSelect: Uint8Array;
  readonly attributes: Uint8Array;
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly reportData: Uint8Array;
}

export const ENCLAVE_REPORT_BYTES = 384;

/** @param raw 384 bytes */
export function readEnclaveReport(raw: Uint8Array): EnclaveReport {
  const at = (offset: number, length: number) => raw.subarray(offset, offset + length);
  const u16 = (offset: number) => (raw[offset] as number) + 256 * (raw[offset + 1] as number);
  return {
    raw,
    miscSelect: at(16, 4),
    attributes: at(48, 16),
    mrEnclave: at(64, 32),
    mrSigner: at(128, 32),
    isvProdId: u16(256),
    isvSvn: u16(258),
    reportData: at(320, 64),
  };
}
