/** What an import reads at most: fixed before anything of a file is believed (CL-282). */
export interface TransferLimits {
  /** Of the directory of a ZIP file. */
  readonly directoryBytes: number;
  readonly entries: number;
  /** Of one JSON text, unpacked. */
  readonly textBytes: number;
  /** In one JSON text. */
  readonly chats: number;
  /** In one JSON text, whatever they hold. */
  readonly messages: number;
}

export const TRANSFER_LIMITS: TransferLimits = {
  directoryBytes: 16 * 1024 * 1024,
  entries: 65_534,
  textBytes: 256 * 1024 * 1024,
  chats: 100_000,
  messages: 1_000_000,
};
