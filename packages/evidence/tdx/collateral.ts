/**
 * What Intel publishes beside quotes: TCB info (which versions of a platform are good) and the identity of the quoting enclave,
 * each signed as text (Intel PCS API version 4, TCB info version 3, enclave identity version 2). Whoever hands it over is not
 * trusted: fields are read before the signature is checked, and believed after. Fields that we do not name are ignored.
 */
import { encodeUtf8, parseHex } from '@sotto/bytes';
import { refusal } from './error.ts';
import { type JsonObject, type JsonValue, parseJsonObject } from './json.ts';

/** Intel's words. */
export const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const;
export type TcbStatus = (typeof TCB_STATUSES)[number];

export interface TcbLevelStatus {
  readonly status: TcbStatus;
  /** Seconds since 1970. */
  readonly tcbDate: number;
  /** As Intel writes them, such as `INTEL-SA-00960`. */
  readonly advisoryIds: readonly string[];
}
export interface PlatformTcbLevel extends TcbLevelStatus {
  /** 16 each. */
  readonly sgxComponents: readonly number[];
  readonly tdxComponents: readonly number[];
  readonly pceSvn: number;
}
/** Of a TDX module or a quoting enclave. */
export interface SvnTcbLevel extends TcbLevelStatus {
  readonly isvSvn: number;
}
export interface TdxModuleIdentity {
  readonly mrSigner: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
}

interface Issued {
  /** Seconds since 1970. */
  readonly issueDate: number;
  readonly nextUpdate: number;
  readonly evaluationDataNumber: number;
}
export interface TcbInfo extends Issued {
  readonly fmspc: Uint8Array;
  readonly pceId: Uint8Array;
  /** The module of major version 0. */
  readonly tdxModule: TdxModuleIdentity;
  /** By id, such as `TDX_01`. */
  readonly tdxModuleIdentities: ReadonlyMap<string, TdxModuleIdentity & { readonly levels: readonly SvnTcbLevel[] }>;
  readonly levels: readonly PlatformTcbLevel[];
}
export interface QeIdentity extends Issued {
  readonly miscSelect: Uint8Array;
  readonly miscSelectMask: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly levels: readonly SvnTcbLevel[];
}

/** What was read, and what its signature covers. */
export interface Signed<Value> {
  readonly value: Value;
  readonly signedBytes: Uint8Array;
  /** r ‖ s. */
  readonly signature: Uint8Array;
}

const malformed = (rule: string, message: string, cause?: unknown) =>
  refusal('tdx-collateral-malformed', rule, message, cause);

/** @param signatureHex absent when `text` is Intel's whole answer, `{"tcbInfo": …, "signature": …}` */
export function parseTcbInfo(text: string, signatureHex?: string): Signed<TcbInfo> {
  return parseSigned(text, 'tcbInfo', signatureHex, 'EV-112', readTcbInfo);
}

/** @param signatureHex absent when `text` is Intel's whole answer, `{"enclaveIdentity": …, "signature": …}` */
export function parseQeIdentity(text: string, signatureHex?: string): Signed<QeIdentity> {
  return parseSigned(text, 'enclaveIdentity', signatureHex, 'EV-113', readQeIdentity);
}

function parseSigned<Value>(
  text: string,
  member: string,
  signatureHex: string | undefined,
  rule: string,
  read: (fields: Fields) => Value,
): Signed<Value> {
  const document = parseJsonObject(text);
  const inside = signatureHex === undefined;
  const isWhole = document.texts.has(member) && document.texts.has('signature') && document.texts.size === 2;
  // EV-114: a member beside the two would look signed, and is not.
  if (inside && !isWhole) throw malformed('EV-114', 'Intel’s answer has not exactly the two members it should have');
  const outer = new Fields(document.value, rule);
  const signature = inside ? outer.hex('signature', 64) : readSignature(signatureHex);
  return {
    value: read(inside ? outer.fields(member) : outer),
    signedBytes: encodeUtf8(inside ? (document.texts.get(member) as string) : text),
    signature,
  };
}

function readSignature(hex: string): Uint8Array {
  const isSignature = /^[0-9a-fA-F]{128}$/.test(hex);
  // EV-114: a signature of another length is none.
  if (!isSignature) throw malformed('EV-114', 'a signature of collateral has not 64 bytes');
  return parseHex(hex.toLowerCase());
}

function readTcbInfo(fields: Fields): TcbInfo {
  const isTdx = fields.text('id') === 'TDX' && fields.integer('version') === 3 && fields.integer('tcbType') === 0;
  // EV-112: TCB info for SGX enclaves judges other parts of the machine.
  if (!isTdx) throw malformed('EV-112', 'the TCB info is not one of TDX in version 3');
  const identities = fields.has('tdxModuleIdentities') ? fields.list('tdxModuleIdentities') : [];
  const byId = new Map(
    identities.map((one) => [one.text('id').toUpperCase(), { ...readModule(one), levels: readSvnLevels(one) }]),
  );
  // EV-112: of two identities of one module, two readers may take different ones.
  if (byId.size !== identities.length) throw malformed('EV-112', 'the TCB info has an identity of a module twice');
  return {
    ...readIssued(fields),
    fmspc: fields.hex('fmspc', 6),
    pceId: fields.hex('pceId', 2),
    tdxModule: readModule(fields.fields('tdxModule')),
    tdxModuleIdentities: byId,
    levels: fields.list('tcbLevels').map(readPlatformLevel),
  };
}

function readModule(fields: Fields): TdxModuleIdentity {
  return {
    mrSigner: fields.hex('mrsigner', 48),
    attributes: fields.hex('attributes', 8),
    attributesMask: fields.hex('attributesMask', 8),
  };
}

function readPlatformLevel(level: Fields): PlatformTcbLevel {
  const tcb = level.fields('tcb');
  return {
    ...readStatus(level),
    sgxComponents: readComponents(tcb, 'sgxtcbcomponents'),
    tdxComponents: readComponents(tcb, 'tdxtcbcomponents'),
    pceSvn: tcb.integer('pcesvn'),
  };
}

function readComponents(tcb: Fields, name: string): number[] {
  const components = tcb.list(name).map((component) => component.integer('svn'));
  // EV-112: a part without a version would always be good enough.
  if (components.length !== 16) throw malformed('EV-112', 'a TCB level has not 16 components');
  return components;
}

function readSvnLevels(fields: Fields): SvnTcbLevel[] {
  return fields.list('tcbLevels').map((level) => ({
    ...readStatus(level),
    isvSvn: level.fields('tcb').integer('isvsvn'),
  }));
}

function readStatus(level: Fields): TcbLevelStatus {
  const word = level.text('tcbStatus');
  const status = TCB_STATUSES.find((one) => one === word);
  // EV-115: a status that we do not know could be worse than any that we do.
  if (status === undefined) throw malformed('EV-115', 'a TCB status is not one of Intel’s words');
  return {
    status,
    tcbDate: level.time('tcbDate'),
    advisoryIds: level.has('advisoryIDs') ? level.texts('advisoryIDs') : [],
  };
}

function readQeIdentity(fields: Fields): QeIdentity {
  const isTdQe = fields.text('id') === 'TD_QE' && fields.integer('version') === 2;
  // EV-113: another enclave’s identity would let that enclave sign quotes.
  if (!isTdQe) throw malformed('EV-113', 'the enclave identity is not one of the TD quoting enclave in version 2');
  return {
    ...readIssued(fields),
    miscSelect: fields.hex('miscselect', 4),
    miscSelectMask: fields.hex('miscselectMask', 4),
    attributes: fields.hex('attributes', 16),
    attributesMask: fields.hex('attributesMask', 16),
    mrSigner: fields.hex('mrsigner', 32),
    isvProdId: fields.integer('isvprodid'),
    levels: readSvnLevels(fields),
  };
}

function readIssued(fields: Fields): Issued {
  const issueDate = fields.time('issueDate');
  const nextUpdate = fields.time('nextUpdate');
  // EV-116: what ends before it begins was never valid.
  if (issueDate > nextUpdate) throw malformed('EV-116', 'collateral ends before it begins');
  return { issueDate, nextUpdate, evaluationDataNumber: fields.integer('tcbEvaluationDataNumber') };
}

/** Typed access to one JSON object; what is missing or of another type is refused by `rule`. */
class Fields {
  readonly #object: JsonObject;
  readonly #rule: string;

  constructor(object: JsonObject, rule: string) {
    this.#object = object;
    this.#rule = rule;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  text(name: string): string {
    const value = this.#get(name);
    return typeof value === 'string' ? value : this.#refuse();
  }

  integer(name: string): number {
    const value = this.#get(name);
    return typeof value === 'number' ? value : this.#refuse();
  }

  texts(name: string): string[] {
    const value = this.#get(name);
    const isTexts = Array.isArray(value) && value.every((one) => typeof one === 'string');
    return isTexts ? (value as string[]) : this.#refuse();
  }

  /** Hex in either case: Intel has written both. */
  hex(name: string, lengthBytes: number): Uint8Array {
    const digits = this.text(name).toLowerCase();
    return digits.length === 2 * lengthBytes && /^[0-9a-f]*$/.test(digits) ? parseHex(digits) : this.#refuse();
  }

  /** `2026-02-18T10:58:51Z` as seconds since 1970. */
  time(name: string): number {
    const word = this.text(name);
    const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(word) ? Date.parse(word) : Number.NaN;
    const isReal = !Number.isNaN(moment) && new Date(moment).toISOString() === word.replace('Z', '.000Z');
    // EV-116: a time that can be read in two ways is early for one and late for another.
    if (!isReal) throw malformed('EV-116', 'a time in the collateral is not in its one form');
    return moment / 1000;
  }

  fields(name: string): Fields {
    return this.#wrap(this.#get(name));
  }

  list(name: string): Fields[] {
    const value = this.#get(name);
    return Array.isArray(value) ? value.map((one: JsonValue) => this.#wrap(one)) : this.#refuse();
  }

  #get(name: string): JsonValue | undefined {
    return this.has(name) ? this.#object[name] : undefined;
  }

  #wrap(value: JsonValue | undefined): Fields {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? new Fields(value as JsonObject, this.#rule) : this.#refuse();
  }

  #refuse(): never {
    throw malformed(this.#rule, 'a field of the collateral is missing or of another type');
  }
}
