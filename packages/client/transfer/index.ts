/** Taking chats along (spec/client.md): export of a history, import of Sotto's own export and of ChatGPT's. */
export { type AttachFiles, attachImported } from './attach-imported.ts';
export { TransferError, type TransferErrorCode } from './error.ts';
export { LEFT_OUT_KINDS, type LeftOutKind } from './foreign.ts';
export {
  type ImportOptions,
  type ImportProgress,
  type ImportReport,
  type ImportTarget,
  importChats,
} from './import.ts';
export { TRANSFER_LIMITS, type TransferLimits } from './limits.ts';
export { EXPORT_FORMAT, type ExportedConversation, type ExportedHistory, type ExportedMessage } from './own-format.ts';
export { EXPORT_FILE, type OpenFile, type PackedHistory, packHistory, toMarkdown } from './pack.ts';
export type { ImportFile } from './zip-reader.ts';
