/** Security versions of a machine's firmware, eight bytes in an order that changed with Turin. spec/evidence-sev-snp.md §TCB. */
import { malformedReport } from './error.ts';

export const SNP_PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const;
/** Genoa stands for its relatives too (Bergamo, Siena): they share its keys. */
export type SnpProduct = (typeof SNP_PRODUCTS)[number];

/** Each from 0 to 255. */
export interface SnpTcb {
  readonly bootLoader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
  /** Turin alone. */
  readonly fmc?: number;
}

/** Positions in the eight bytes; those that are not named are zero. */
const USUAL = { bootLoader: 0, tee: 1, snp: 6, microcode: 7 } as const;
const TURIN = { fmc: 0, bootLoader: 1, tee: 2, snp: 3, microcode: 7 } as const;

/** @throws JudgementError `report-malformed` */
export function readTcb(bytes: Uint8Array, isTurin: boolean): SnpTcb {
  const places: Readonly<Record<string, number>> = isTurin ? TURIN : USUAL;
  const named = Object.values(places);
  const isPlain = bytes.every((byte, at) => byte === 0 || named.includes(at));
  // EV-188: a version that stands where none is read would be left out of every comparison.
  if (!isPlain) throw malformedReport('EV-188', 'a reserved byte of a TCB version is not zero');
  const tcb = Object.fromEntries(Object.entries(places).map(([name, at]) => [name, bytes[at] as number]));
  return tcb as unknown as SnpTcb;
}

export function isSameTcb(a: SnpTcb, b: SnpTcb): boolean {
  return (['bootLoader', 'tee', 'snp', 'microcode', 'fmc'] as const).every((part) => a[part] === b[part]);
}
