/** Runs our own vectors, vectors/evidence-tdx/tdx.json: inputs under a test root, and what each comes to. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseBase64 } from '@sotto/bytes';
import { CertificateError, parseCertificate, parsePem } from '@sotto/crypto/x509';
import { JudgementError } from '@sotto/evidence/judgement';
import { PRODUCTION_DEMANDS, type TcbStatus, type TdxCollateral, verifyTdx } from './index.ts';

type Fields = Record<string, unknown>;
interface Vector {
  id: string;
  rule: string;
  note: string;
  change: Fields;
  expect: { accept: { tcb_status: string; advisory_ids: string[] } } | { code: string };
}

const file = new URL('../../../vectors/evidence-tdx/tdx.json', import.meta.url);
export const { base, vectors } = JSON.parse(readFileSync(file, 'utf8')) as { base: Fields; vectors: Vector[] };

function merge(fields: Fields, change: Fields): Fields {
  const merged = { ...fields };
  for (const [name, value] of Object.entries(change)) {
    const old = merged[name];
    const areObjects = typeof old === 'object' && typeof value === 'object' && old !== null && value !== null;
    if (value === null) delete merged[name];
    else merged[name] = areObjects ? merge(old as Fields, value as Fields) : value;
  }
  return merged;
}

const text = (fields: Fields, name: string) => fields[name] as string;

export function collateralOf(fields: Fields): TdxCollateral {
  const optional = (from: string, to: string) => (fields[from] === undefined ? {} : { [to]: fields[from] });
  return {
    tcbInfoJson: text(fields, 'tcb_info_json'),
    ...optional('tcb_info_signature_hex', 'tcbInfoSignatureHex'),
    qeIdentityJson: text(fields, 'qe_identity_json'),
    ...optional('qe_identity_signature_hex', 'qeIdentitySignatureHex'),
    tcbInfoIssuerChainPem: text(fields, 'tcb_info_issuer_chain_pem'),
    qeIdentityIssuerChainPem: text(fields, 'qe_identity_issuer_chain_pem'),
    pckCrl: parseBase64(text(fields, 'pck_crl')),
    pckCrlIssuerChainPem: text(fields, 'pck_crl_issuer_chain_pem'),
    rootCaCrl: parseBase64(text(fields, 'root_ca_crl')),
    ...optional('pck_certificate_chain_pem', 'pckCertificateChainPem'),
  };
}

async function judge(input: Fields): Promise<unknown> {
  const demands = (input.demands ?? {}) as Fields;
  const seen = (input.seen ?? {}) as Record<string, number>;
  const number = (name: string, as: string) => (seen[name] === undefined ? {} : { [as]: BigInt(seen[name]) });
  try {
    const { tcb } = await verifyTdx({
      quote: parseBase64(text(input, 'quote')),
      ...(input.collateral === undefined ? {} : { collateral: collateralOf(input.collateral as Fields) }),
      timeSeconds: input.time as number,
      roots: parsePem(text(input, 'root_ca_pem'), 'CERTIFICATE').map((der) => parseCertificate(der)),
      demands: {
        collateral: (demands.collateral as 'required' | undefined) ?? PRODUCTION_DEMANDS.collateral,
        tcbStatuses: (demands.tcb_statuses as TcbStatus[] | undefined) ?? PRODUCTION_DEMANDS.tcbStatuses,
        guest: (demands.guest as 'any' | undefined) ?? PRODUCTION_DEMANDS.guest,
        ...(typeof demands.max_collateral_age_seconds === 'number' && {
          maxCollateralAgeSeconds: demands.max_collateral_age_seconds,
        }),
      },
      seen: {
        ...(seen.evaluation_data_number !== undefined && { evaluationDataNumber: seen.evaluation_data_number }),
        ...number('pck_crl_number', 'pckCrlNumber'),
        ...number('root_ca_crl_number', 'rootCaCrlNumber'),
      },
    });
    return { accept: { tcb_status: tcb?.status, advisory_ids: tcb?.advisoryIds } };
  } catch (error) {
    // Of our own checks the very one must refuse; those of certificates are named by the vectors of their own rules.
    if (error instanceof JudgementError) return { code: error.code, rule: error.rule };
    if (error instanceof CertificateError) return { code: error.code };
    throw error;
  }
}

/** Runs every vector. @returns how many there are */
export async function holdAll(): Promise<number> {
  for (const rule of new Set(vectors.map((vector) => vector.rule))) await holds(rule);
  return vectors.length;
}

/** Runs the vectors of a rule; there must be some. */
export async function holds(rule: string): Promise<void> {
  const ours = vectors.filter((vector) => vector.rule === rule);
  assert.ok(ours.length > 0, `no vector names ${rule}`);
  for (const { id, change, expect } of ours) {
    const isOurs = 'code' in expect && expect.code.startsWith('tdx-');
    assert.deepEqual(await judge(merge(base, change)), isOurs ? { ...expect, rule } : expect, id);
  }
}
