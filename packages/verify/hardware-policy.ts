/**
 * What a person demands of real hardware. spec/evidence.md §hardware-policy. Nothing has a default that accepts: which programs,
 * which generations and how old a firmware may be is written out, or the policy is refused.
 */
import { ClosedObject, malformedPolicy, readHex, readWord } from './closed-object.ts';
import { isMaxAge } from './max-age.ts';

export const HARDWARE_KINDS = ['tdx', 'sev-snp', 'tpm-test'] as const;
const DIGEST_48 = 48;
/** In Intel's words; `Revoked` is not among them, for no policy may accept it. */
export const TDX_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
] as const;
export const SNP_PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const;
export const GPU_ARCHITECTURES = ['HOPPER', 'BLACKWELL'] as const;
export const ROOTS = ['intel', 'amd', 'nvidia', 'tpm'] as const;

export type SnpProduct = (typeof SNP_PRODUCTS)[number];
/** Who vouches: makers whose keys are independent of each other. */
export type Root = (typeof ROOTS)[number];

/** What every hardware policy may add to its platform's own demands. */
interface CommonDemands {
  readonly version: 1;
  /** 60 to 86,400; 3,600 when absent. */
  readonly maxAgeSeconds?: number;
  /** Hashes of PPID or chip id (SHA-256, hex): only these machines. */
  readonly knownMachines?: readonly string[];
  /** How many makers, each with a root of its own, must vouch; 1 when absent. */
  readonly independentRoots?: number;
  readonly gpus?: GpuDemands;
}

export interface TdxPolicy extends CommonDemands {
  readonly kind: 'tdx';
  /** Whole programs: a machine runs one of these. Hex of 48 bytes each. */
  readonly measurements: readonly { readonly mrtd: string; readonly rtmrs: readonly string[] }[];
  readonly tcb: {
    readonly statuses: readonly (typeof TDX_STATUSES)[number][];
    /** Advisories that the person has read and accepts; one that is not here refuses. */
    readonly acceptedAdvisories: readonly string[];
    /** Lowest TCB evaluation data number. */
    readonly minimumEvaluation: number;
  };
}

export interface SnpTcb {
  readonly bootLoader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
  /** Turin alone. */
  readonly fmc?: number;
}

export interface SnpPolicy extends CommonDemands {
  readonly kind: 'sev-snp';
  readonly measurements: readonly { readonly measurement: string }[];
  /** A generation that is not named is refused. */
  readonly generations: Readonly<Partial<Record<SnpProduct, { readonly minimumTcb: SnpTcb }>>>;
  readonly smt: 'allowed' | 'refused';
  readonly ciphertextHiding: 'required' | 'reported';
  /** The firmware looked for memory that answers under two addresses. */
  readonly aliasCheck: 'required' | 'reported';
  /** AMD's list of revoked keys must have been shown. */
  readonly revocation: 'required' | 'reported';
}

export interface TpmTestPolicy extends Pick<CommonDemands, 'version' | 'maxAgeSeconds'> {
  readonly kind: 'tpm-test';
  /** SHA-256 of the attestation key's SPKI, hex. */
  readonly attestationKeys: readonly string[];
  /** Register number to SHA-256 value; all of one set. */
  readonly measurements: readonly Readonly<Record<string, string>>[];
}

export interface GpuDemands {
  readonly count: number;
  readonly architectures: readonly (typeof GPU_ARCHITECTURES)[number][];
  /** Reference values of driver and VBIOS must have been shown and have matched. */
  readonly rims: 'required' | 'reported';
  readonly ocsp: 'required' | 'reported';
}

export type HardwarePolicy = TdxPolicy | SnpPolicy | TpmTestPolicy;

const KNOWN_WEAK = 'known-weak-generation';

/**
 * Checks a policy for hardware that was read from JSON. Total and closed at every level.
 *
 * @throws PolicyError `policy-malformed`
 */
export function parseHardwarePolicy(value: unknown): HardwarePolicy {
  const fields = new ClosedObject(value);
  const kind = fields.word('kind', HARDWARE_KINDS);
  // EV-59: the same words may mean something else in a later version.
  if (fields.value('version') !== 1) throw malformedPolicy('The policy is not of a known version.', 'EV-59');
  const age = readAge(fields.value('maxAgeSeconds'));
  const policy: HardwarePolicy =
    kind === 'tpm-test'
      ? { kind, version: 1, ...age, ...readTpm(fields) }
      : kind === 'tdx'
        ? { kind, version: 1, ...age, ...readCommon(fields), ...readTdx(fields) }
        : { kind, version: 1, ...age, ...readCommon(fields), ...readSnp(fields) };
  fields.close();
  return policy;
}

function readAge(value: unknown): { maxAgeSeconds?: number } {
  if (value === undefined) return {};
  // EV-58: the same bounds as for a development machine.
  if (!isMaxAge(value)) throw malformedPolicy('The maximum age is not 60 to 86,400 whole seconds.', 'EV-58');
  return { maxAgeSeconds: value };
}

function readCommon(fields: ClosedObject): Omit<CommonDemands, 'version' | 'maxAgeSeconds'> {
  return {
    ...(fields.has('knownMachines') && { knownMachines: fields.list('knownMachines', (id) => readHex(id, 32)) }),
    ...(fields.has('independentRoots') && { independentRoots: readRootCount(fields) }),
    ...(fields.has('gpus') && { gpus: readGpus(fields.object('gpus')) }),
  };
}

function readRootCount(fields: ClosedObject): number {
  const count = fields.integer('independentRoots', ROOTS.length);
  // EV-406: with no root needed, nobody vouches.
  if (count === 0) throw malformedPolicy('At least one root must vouch.', 'EV-406');
  return count;
}

function readTdx(fields: ClosedObject): Pick<TdxPolicy, 'measurements' | 'tcb'> {
  const measurements = fields.list('measurements', (entry) =>
    readEntry(entry, (object) => {
      const rtmrs = object.list('rtmrs', (value) => readHex(value, DIGEST_48), { mayRepeat: true });
      // EV-407: the program is in the registers 0 to 2; a policy that leaves one out leaves a part of the program open.
      if (rtmrs.length !== 3) throw malformedPolicy('A TDX measurement names rtmrs 0, 1 and 2.', 'EV-407');
      return { mrtd: object.hex('mrtd', DIGEST_48), rtmrs };
    }),
  );
  const tcb = fields.object('tcb');
  const read = {
    statuses: tcb.list('statuses', (status) => readWord(status, TDX_STATUSES)),
    acceptedAdvisories: tcb.has('acceptedAdvisories')
      ? tcb.list('acceptedAdvisories', readAdvisory, { mayBeEmpty: true })
      : [],
    minimumEvaluation: tcb.integer('minimumEvaluation', 0xffff_ffff),
  };
  tcb.close();
  return { measurements, tcb: read };
}

function readAdvisory(value: unknown): string {
  const isAdvisory = typeof value === 'string' && /^INTEL-SA-\d{5}$/.test(value);
  // EV-408: an advisory that no list of Intel's can ever hold is a typing error.
  if (!isAdvisory) throw malformedPolicy('An advisory is written INTEL-SA- and five digits.', 'EV-408');
  return value;
}

function readSnp(fields: ClosedObject): Omit<SnpPolicy, 'kind' | keyof CommonDemands> {
  const generations = fields.object('generations');
  const read: Partial<Record<SnpProduct, { minimumTcb: SnpTcb }>> = {};
  for (const product of SNP_PRODUCTS) {
    if (generations.has(product)) read[product] = readGeneration(product, generations.object(product));
  }
  generations.close();
  // EV-409: a policy that names no generation would refuse all, or all but the banned ones, depending on who reads it.
  if (Object.keys(read).length === 0) throw malformedPolicy('The policy names no generation.', 'EV-409');
  return {
    measurements: fields.list('measurements', (entry) =>
      readEntry(entry, (object) => ({ measurement: object.hex('measurement', DIGEST_48) })),
    ),
    generations: read,
    smt: fields.word('smt', ['allowed', 'refused']),
    ciphertextHiding: fields.word('ciphertextHiding', ['required', 'reported']),
    aliasCheck: fields.word('aliasCheck', ['required', 'reported']),
    revocation: fields.word('revocation', ['required', 'reported']),
  };
}

function readGeneration(product: SnpProduct, object: ClosedObject): { minimumTcb: SnpTcb } {
  const floor = object.object('minimumTcb');
  const minimumTcb = {
    bootLoader: floor.integer('bootLoader', 255),
    tee: floor.integer('tee', 255),
    snp: floor.integer('snp', 255),
    microcode: floor.integer('microcode', 255),
    ...(product === 'Turin' && { fmc: floor.integer('fmc', 255) }),
  };
  floor.close();
  if (product === 'Milan') {
    const accepted = object.value('accepted');
    // EV-410: keys were taken out of such processors; nobody should accept them by copying a list of names.
    if (accepted !== KNOWN_WEAK) {
      throw malformedPolicy('Milan is refused unless its entry says "accepted": "known-weak-generation".', 'EV-410');
    }
  }
  object.close();
  return { minimumTcb };
}

function readGpus(object: ClosedObject): GpuDemands {
  const gpus = {
    count: object.integer('count', 16),
    architectures: object.list('architectures', (name) => readWord(name, GPU_ARCHITECTURES)),
    rims: object.word('rims', ['required', 'reported']),
    ocsp: object.word('ocsp', ['required', 'reported']),
  };
  object.close();
  return gpus;
}

function readTpm(fields: ClosedObject): Pick<TpmTestPolicy, 'attestationKeys' | 'measurements'> {
  return {
    attestationKeys: fields.list('attestationKeys', (fingerprint) => readHex(fingerprint, 32)),
    measurements: fields.list('measurements', (entry) =>
      readEntry(entry, (object) => {
        const registers: Record<string, string> = {};
        for (let index = 0; index < 24; index++) {
          const name = String(index);
          if (object.has(name)) registers[name] = object.hex(name, 32);
        }
        // EV-411: a set that names no register is met by every machine.
        if (Object.keys(registers).length === 0) throw malformedPolicy('A measurement names no register.', 'EV-411');
        return registers;
      }),
    ),
  };
}

function readEntry<T>(value: unknown, read: (object: ClosedObject) => T): T {
  const object = new ClosedObject(value);
  const entry = read(object);
  object.close();
  return entry;
}
