/** The judge's stages for vendors' evidence, as a page loads them: the entry of the bundle that evidence.test.ts runs in Chromium. */
export { judgeEventLog } from '../apps/cli/conformance/event-log.ts';
export { judgeNvidia } from '../apps/cli/conformance/nvidia.ts';
export { outcomeOf } from '../apps/cli/conformance/outcome.ts';
export { judgeSevSnp } from '../apps/cli/conformance/sev-snp.ts';
export { judgeTdx } from '../apps/cli/conformance/tdx.ts';
export { judgeTpm } from '../apps/cli/conformance/tpm.ts';
