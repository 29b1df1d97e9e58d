/**
 * The state in which a guest's processor starts, one page each (VMSA; AMD's manual, volume 2, table B-4). spec/evidence-measure.md
 * §processors. It depends on the hypervisor and, under QEMU, on the model that the guest sees.
 */
import { PAGE_BYTES } from './firmware.ts';

/** CPUID signatures (family, model, stepping) of QEMU's models. */
export const PROCESSORS: Readonly<Record<string, number>> = {
  EPYC: 0x80_0f12,
  'EPYC-v1': 0x80_0f12,
  'EPYC-v2': 0x80_0f12,
  'EPYC-IBPB': 0x80_0f12,
  'EPYC-v3': 0x80_0f12,
  'EPYC-v4': 0x80_0f12,
  'EPYC-Rome': 0x83_0f10,
  'EPYC-Rome-v1': 0x83_0f10,
  'EPYC-Rome-v2': 0x83_0f10,
  'EPYC-Rome-v3': 0x83_0f10,
  'EPYC-Milan': 0xa0_0f11,
  'EPYC-Milan-v1': 0xa0_0f11,
  'EPYC-Milan-v2': 0xa0_0f11,
  'EPYC-Genoa': 0xa1_0f10,
  'EPYC-Genoa-v1': 0xa1_0f10,
  'EPYC-Turin': 0xb0_0f20,
};

export const HYPERVISORS = ['qemu', 'ec2', 'gce'] as const;
export type Hypervisor = (typeof HYPERVISORS)[number];

/** The first processor starts at the reset vector. */
export const FIRST_EIP = 0xffff_fff0;

interface ProcessorStart {
  readonly hypervisor: Hypervisor;
  readonly eip: number;
  readonly guestFeatures: bigint;
  /** CPUID signature; only QEMU puts it into a register. */
  readonly signature: number;
}

const USUAL_PAT = 0x0007_0406_0007_0406n;
const GCE_PAT = 0x0007_0106n;

/** @returns 4,096 bytes */
export function processorPage({ hypervisor, eip, guestFeatures, signature }: ProcessorStart): Uint8Array {
  const isQemu = hypervisor === 'qemu';
  const isEc2 = hypervisor === 'ec2';
  const page = new Uint8Array(PAGE_BYTES);
  const view = new DataView(page.buffer);
  const segment = (at: number, attributes: number, selector = 0, base = 0) => {
    view.setUint16(at, selector, true);
    view.setUint16(at + 2, attributes, true);
    view.setUint32(at + 4, 0xffff, true);
    view.setUint32(at + 8, base, true);
  };
  const set = (at: number, value: bigint | number) => view.setBigUint64(at, BigInt(value), true);

  segment(0x00, 0x93); // ES
  segment(0x10, isEc2 && eip === FIRST_EIP ? 0x9a : 0x9b, 0xf000, (eip & 0xffff_0000) >>> 0); // CS
  segment(0x20, isEc2 ? 0x92 : 0x93); // SS
  segment(0x30, 0x93); // DS
  segment(0x40, 0x93); // FS
  segment(0x50, 0x93); // GS
  segment(0x60, 0); // GDTR
  segment(0x70, 0x82); // LDTR
  segment(0x80, 0); // IDTR
  segment(0x90, isEc2 ? 0x83 : 0x8b); // TR
  set(0xd0, 0x1000); // EFER: SVME
  set(0x148, 0x40); // CR4: MCE
  set(0x158, 0x10); // CR0
  set(0x160, 0x400); // DR7
  set(0x168, 0xffff_0ff0); // DR6
  set(0x170, 0x2); // RFLAGS
  set(0x178, eip & 0xffff); // RIP
  set(0x268, hypervisor === 'gce' ? GCE_PAT : USUAL_PAT); // PAT
  set(0x310, isQemu ? signature : 0x600); // RDX
  set(0x3b0, guestFeatures); // SEV features
  set(0x3e8, 1); // XCR0
  view.setUint32(0x408, isQemu ? 0x1f80 : 0, true); // MXCSR
  view.setUint16(0x410, isQemu ? 0x37f : 0, true); // x87 control word
  return page;
}
