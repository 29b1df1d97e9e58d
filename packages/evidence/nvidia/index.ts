/** @sotto/evidence/nvidia: GPUs and switches of NVIDIA (spec/evidence-nvidia.md). */
export { encodeNvidiaDevice, NVIDIA_DEVICE, type NvidiaDeviceEvidence, parseNvidiaDevice } from './device-evidence.ts';
export type { NvidiaErrorCode } from './error.ts';
export type { DeviceIdentity, NvidiaArch } from './identity.ts';
export { type Measurement, type ParsedReport, parseReport } from './report.ts';
export { type ParsedRim, parseRim, type ReferenceValue } from './rim.ts';
export { type NvidiaRoots, productionRoots } from './roots.ts';
export { type NvidiaDeviceClaims, type NvidiaInput, type NvidiaVerdict, verifyNvidia } from './verify-nvidia.ts';
