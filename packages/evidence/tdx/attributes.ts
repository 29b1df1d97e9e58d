/** What the attributes of a guest say about who can look into it (Intel TDX Module ABI, TD_ATTRIBUTES and XFAM). All signed. */
import { refusal } from './error.ts';
import type { TdReport } from './reports.ts';

export interface GuestProperties {
  /** The host may read and change the guest's memory. */
  readonly debug: boolean;
  /** The guest may be moved, with its secrets, by a service guest. */
  readonly migratable: boolean;
  readonly hasServiceTd: boolean;
  /** The host cannot make the guest's page faults look like its own. */
  readonly septVeDisable: boolean;
  /** Attributes or processor features that this version does not know, or that the module would never grant. */
  readonly hasUnknown: boolean;
}

const DEBUG = 1n << 0n;
const LASS = 1n << 27n;
const SEPT_VE_DISABLE = 1n << 28n;
const MIGRATABLE = 1n << 29n;
const PKS = 1n << 30n;
const KEY_LOCKER = 1n << 31n;
const PERFMON = 1n << 63n;
const KNOWN = DEBUG | LASS | SEPT_VE_DISABLE | MIGRATABLE | PKS | KEY_LOCKER | PERFMON;
/** x87 and SSE are always there. */
const XFAM_FIXED = 0x3n;
/** What modules of TDX 1.0 and 1.5 grant at most. */
const XFAM_KNOWN = 0x6_dbe7n;

function littleEndian(octets: Uint8Array): bigint {
  return octets.reduceRight((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

export function readGuestProperties(report: TdReport): GuestProperties {
  const attributes = littleEndian(report.tdAttributes);
  const xfam = littleEndian(report.xfam);
  return {
    debug: (attributes & DEBUG) !== 0n,
    migratable: (attributes & MIGRATABLE) !== 0n,
    hasServiceTd: report.mrServiceTd?.some((octet) => octet !== 0) ?? false,
    septVeDisable: (attributes & SEPT_VE_DISABLE) !== 0n,
    hasUnknown: (attributes & ~KNOWN) !== 0n || (xfam & XFAM_FIXED) !== XFAM_FIXED || (xfam & ~XFAM_KNOWN) !== 0n,
  };
}

/** @throws JudgementError of class `policy` for a guest that somebody can look into, or whose attributes we cannot judge */
export function judgeGuest(guest: GuestProperties): void {
  // EV-161: the host reads every word of a guest that is debugged.
  if (guest.debug) throw refusal('tdx-debug', 'EV-161', 'the guest can be debugged by its host');
  // EV-162: a guest that can be moved can be moved to a machine that nobody judged.
  if (guest.migratable) throw refusal('tdx-migratable', 'EV-162', 'the guest can be moved to another machine');
  // EV-163: a service guest holds the keys of the guest it serves.
  if (guest.hasServiceTd) throw refusal('tdx-service-td', 'EV-163', 'a service guest is bound to the guest');
  const refuse = (rule: string, message: string) => refusal('tdx-attributes-not-accepted', rule, message);
  // EV-164: an attribute that we do not know may be a way to look in.
  if (guest.hasUnknown) throw refuse('EV-164', 'the guest has attributes that are not known');
  // EV-165: the host could else make the guest handle faults on pages that it thinks are its own.
  if (!guest.septVeDisable) throw refuse('EV-165', 'the host may inject faults into the guest');
}
