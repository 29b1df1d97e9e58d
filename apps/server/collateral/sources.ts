/**
 * Where vendors publish what evidence is judged with, and the only addresses that this server asks (spec/server.md §collateral).
 * A caller names a thing by an id in its one form; nothing else of a request reaches a vendor.
 */
import { encodeBase64, parseBase64Url } from '@sotto/bytes';

/** Who is asked. A test names its own. */
export interface CollateralOrigins {
  readonly intel: string;
  readonly intelCertificates: string;
  readonly amd: string;
  readonly nvidiaRim: string;
  readonly nvidiaOcsp: string;
}

export const VENDOR_ORIGINS: CollateralOrigins = {
  intel: 'https://api.trustedservices.intel.com',
  intelCertificates: 'https://certificates.trustedservices.intel.com',
  amd: 'https://kdsintf.amd.com',
  nvidiaRim: 'https://rim.attestation.nvidia.com',
  nvidiaOcsp: 'https://ocsp.ndis.nvidia.com',
};

/** One question to a vendor. */
export interface CollateralQuestion {
  /** Names it in the cache, and as a file below a folder: made from checked parts only. */
  readonly key: string;
  readonly url: string;
  /** An OCSP question; the others are fetched by address. */
  readonly body?: Uint8Array<ArrayBuffer>;
  /** The header in which the vendor puts the chain of its signer, as percent-encoded PEM. */
  readonly issuerChainHeader?: string;
  /** How long an answer is handed out before it is asked for again. */
  readonly freshMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OCSP_LIMIT_BYTES = 512;

interface Source {
  readonly path: RegExp;
  readonly question: (
    parts: readonly string[],
    origins: CollateralOrigins,
  ) => Omit<CollateralQuestion, 'key'> | undefined;
}

const SOURCES: readonly Source[] = [
  {
    path: /^intel\/tcb\/([0-9a-f]{12})$/,
    question: ([fmspc], { intel }) => ({
      url: `${intel}/tdx/certification/v4/tcb?fmspc=${fmspc}`,
      issuerChainHeader: 'tcb-info-issuer-chain',
      freshMs: HOUR_MS,
    }),
  },
  {
    path: /^intel\/qe-identity$/,
    question: (_, { intel }) => ({
      url: `${intel}/tdx/certification/v4/qe/identity`,
      issuerChainHeader: 'sgx-enclave-identity-issuer-chain',
      freshMs: HOUR_MS,
    }),
  },
  {
    path: /^intel\/pck-crl\/(platform|processor)$/,
    question: ([ca], { intel }) => ({
      url: `${intel}/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`,
      issuerChainHeader: 'sgx-pck-crl-issuer-chain',
      freshMs: HOUR_MS,
    }),
  },
  {
    path: /^intel\/root-crl$/,
    question: (_, origins) => ({ url: `${origins.intelCertificates}/IntelSGXRootCA.der`, freshMs: HOUR_MS }),
  },
  {
    path: /^amd\/vcek\/(Milan|Genoa|Turin)\/((?:[0-9a-f]{16}){1,8})\/(\d{1,3}(?:-\d{1,3}){3,4})$/,
    question: ([product, chipId, levels = ''], { amd }) => {
      const tcb = levels.split('-').map(Number);
      const isTurin = product === 'Turin';
      const isWhole = chipId?.length === (isTurin ? 16 : 128) && tcb.length === (isTurin ? 5 : 4);
      if (!isWhole || tcb.some((level) => level > 255)) return undefined;
      const names = ['blSPL', 'teeSPL', 'snpSPL', 'ucodeSPL', 'fmcSPL'];
      const query = tcb.map((level, i) => `${names[i]}=${level}`).join('&');
      return { url: `${amd}/vcek/v1/${product}/${chipId}?${query}`, freshMs: 30 * DAY_MS };
    },
  },
  {
    path: /^amd\/(vcek|vlek)-chain\/(Milan|Genoa|Turin)$/,
    question: ([kind, product], { amd }) => ({ url: `${amd}/${kind}/v1/${product}/cert_chain`, freshMs: 30 * DAY_MS }),
  },
  {
    path: /^amd\/(vcek|vlek)-crl\/(Milan|Genoa|Turin)$/,
    question: ([kind, product], { amd }) => ({ url: `${amd}/${kind}/v1/${product}/crl`, freshMs: HOUR_MS }),
  },
  {
    path: /^nvidia\/rim\/([A-Z][A-Za-z0-9_]{2,80}(?:\.[A-Za-z0-9]{1,12}){0,4})$/,
    question: ([id], { nvidiaRim }) => ({ url: `${nvidiaRim}/v1/rim/${id}`, freshMs: DAY_MS }),
  },
  {
    path: /^nvidia\/ocsp\/([A-Za-z0-9_-]{40,700})$/,
    question: ([question = ''], { nvidiaOcsp }) => {
      const body = canonicalBytes(question);
      if (body === undefined || body.length > OCSP_LIMIT_BYTES) return undefined;
      return { url: `${nvidiaOcsp}/`, body, freshMs: HOUR_MS };
    },
  },
];

/** @param path below `/api/collateral/`; undefined when it is not a question that vendors are asked */
export function questionOf(path: string, origins: CollateralOrigins): CollateralQuestion | undefined {
  for (const source of SOURCES) {
    const match = source.path.exec(path);
    const question = match === null ? undefined : source.question(match.slice(1), origins);
    if (question !== undefined) return { key: path, ...question };
  }
  return undefined;
}

function canonicalBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return parseBase64Url(text);
  } catch {
    return undefined;
  }
}

/** Turns a vendor's answer into the body of ours. */
export function encodeCollateral(body: Uint8Array, issuerChainPem: string | undefined, fetchedAtMs: number): string {
  return JSON.stringify({
    body: encodeBase64(body),
    fetchedAtMs,
    ...(issuerChainPem === undefined ? {} : { issuerChainPem }),
  });
}
