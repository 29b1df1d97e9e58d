/**
 * Quotes of a TPM 2.0 through tpm2-tools (spec/evidence-collect.md §tpm). A TPM shows what was booted, and not that memory is
 * encrypted: this is evidence of the weaker kind `tpm`, for tests and for machines that one owns. The tools talk to whatever
 * the host offers as a TPM; only the certificate of the key says whose it is.
 */
import { ByteWriter, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { TeeError } from './error.ts';
import type { TeeFiles } from './files.ts';
import type { RunTool } from './run-tool.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Firmware, what it loaded, kernel, command line and initial files, and the boot loader's own. */
export const TPM_REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14] as const;
export const EVENT_LOG = '/sys/kernel/security/tpm0/binary_bios_measurements';
const NONCE_BYTES = 32;
const DIGEST_BYTES = 32;
const PART_LIMIT_BYTES = 16 * 1024;
const LOG_LIMIT_BYTES = 512 * 1024;
const LIMITS = { timeLimitMs: 30_000, outputLimitBytes: PART_LIMIT_BYTES };
/** A signing key that the TPM makes from its own seed, the same at each start, and that signs quotes alone. */
const KEY_ATTRIBUTES = 'restricted|sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth';

export interface TpmOptions {
  readonly files: TeeFiles;
  readonly runTool: RunTool;
  /** A new folder that only this program can read, for the tools' files; removed by the caller. */
  readonly folder: string;
  readonly eventLog: string;
  /** DER, the certificate of the attestation key first; none when only the key itself is pinned. */
  readonly certificates: readonly Uint8Array[];
}

/** Whether a TPM answers. */
export async function hasTpm({ runTool }: Pick<TpmOptions, 'runTool'>): Promise<boolean> {
  return runTool('tpm2_getcap', ['properties-fixed'], LIMITS).then(
    () => true,
    () => false,
  );
}

/**
 * Quotes the registers, and adds what a verifier needs to read them.
 *
 * @param nonce 32 bytes, the device nonce of the binding
 * @returns the statement of a bundle of platform `tpm`
 * @throws TeeError
 */
export async function collectTpmQuote(options: TpmOptions, nonce: Uint8Array): Promise<Bytes> {
  // EV-466: a nonce of another length is not the one of the binding.
  if (nonce.length !== NONCE_BYTES) throw malformed('EV-466', 'the nonce has another length');
  const { files, runTool, folder } = options;
  const at = (name: string): string => `${folder}/${name}`;
  const selection = `sha256:${TPM_REGISTERS.join(',')}`;
  const key = ['-C', 'e', '-G', 'ecc256:ecdsa-sha256:null', '-a', KEY_ATTRIBUTES, '-c', at('key')];
  const quote = ['-c', at('key'), '-l', selection, '-q', encodeHex(nonce), '-g', 'sha256'];
  await runTool('tpm2_createprimary', ['-Q', ...key], LIMITS);
  await runTool('tpm2_readpublic', ['-Q', '-c', at('key'), '-f', 'der', '-o', at('public')], LIMITS);
  await runTool('tpm2_quote', ['-Q', ...quote, '-m', at('quote'), '-s', at('signature')], LIMITS);
  await runTool('tpm2_pcrread', ['-Q', selection, '-o', at('registers')], LIMITS);
  const read = (name: string): Promise<Bytes> => files.read(at(name), PART_LIMIT_BYTES);
  const parts = [await read('quote'), await read('signature'), await read('public'), await read('registers')] as const;
  const eventLog = await files.read(options.eventLog, LOG_LIMIT_BYTES).catch(() => new Uint8Array());
  return encodeTpmStatement(parts, eventLog, options.certificates);
}

function encodeTpmStatement(
  [quote, signature, publicKey, registers]: readonly [Bytes, Bytes, Bytes, Bytes],
  eventLog: Uint8Array,
  certificates: readonly Uint8Array[],
): Bytes {
  const isWhole = registers.length === TPM_REGISTERS.length * DIGEST_BYTES;
  // EV-467: with a register missing, the others would be read under wrong numbers.
  if (!isWhole) throw malformed('EV-467', 'the TPM gave another number of registers');
  const writer = new ByteWriter(4096).vector16(encodeUtf8('sotto/tpm-statement/v1'));
  writer.vector16(quote).vector16(signature).vector16(publicKey).u8(certificates.length);
  for (const certificate of certificates) writer.vector16(certificate);
  writer.u8(TPM_REGISTERS.length);
  for (const [position, index] of TPM_REGISTERS.entries()) {
    writer.u8(index).raw(registers.slice(position * DIGEST_BYTES, (position + 1) * DIGEST_BYTES));
  }
  return writer.vector32(eventLog).finish();
}

function malformed(rule: string, message: string): TeeError {
  return new TeeError('evidence-malformed', rule, message);
}
