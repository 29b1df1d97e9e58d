/** @sotto/adapters-tee: collects hardware evidence on the machine that serves (spec/evidence-collect.md). */
export { type CollectedReport, collectReport, detectProvider, REPORT_FOLDER } from './configfs.ts';
export { TeeError, type TeeErrorCode } from './error.ts';
export { nodeTeeFiles, type TeeFiles } from './files.ts';
export {
  createNativeCollector,
  HELPER,
  type NativeCollector,
  type NativeDevice,
  type NativeReport,
} from './native-collector.ts';
export { detectTee, openTee, type TeeKind, type TeeOptions } from './open-tee.ts';
export { nodeRunTool, type RunTool } from './run-tool.ts';
export { TPM_REGISTERS } from './tpm.ts';
