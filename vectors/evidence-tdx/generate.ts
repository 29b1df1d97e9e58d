/**
 * Writes tdx.json: a good case and what each further one changes of it. Deterministic: keys from labels, fixed times.
 *
 *   node vectors/evidence-tdx/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { encodeBase64 } from '@sotto/bytes';
import { makeTdxCase, type TdxCase } from '@sotto/testkit/evidence-tdx';
import { TDX_CASES } from './cases.ts';

type Fields = Record<string, unknown>;

/** The fields that the conformance stage `tdx` takes, but for the policy: vectors name demands and what was seen. */
function inputOf({ quote, collateral, rootPem, timeSeconds }: TdxCase): Fields {
  return {
    quote: encodeBase64(quote),
    collateral: {
      tcb_info_json: collateral.tcbInfoJson,
      tcb_info_signature_hex: collateral.tcbInfoSignatureHex,
      qe_identity_json: collateral.qeIdentityJson,
      qe_identity_signature_hex: collateral.qeIdentitySignatureHex,
      tcb_info_issuer_chain_pem: collateral.tcbInfoIssuerChainPem,
      qe_identity_issuer_chain_pem: collateral.qeIdentityIssuerChainPem,
      pck_crl: encodeBase64(collateral.pckCrl),
      pck_crl_issuer_chain_pem: collateral.pckCrlIssuerChainPem,
      root_ca_crl: encodeBase64(collateral.rootCaCrl),
      pck_certificate_chain_pem: collateral.pckCertificateChainPem,
    },
    root_ca_pem: rootPem,
    time: timeSeconds,
  };
}

/** The members of `changed` that differ from those of `base`; null stands for one that is taken away. */
function difference(base: Fields, changed: Fields): Fields {
  const names = [...new Set([...Object.keys(base), ...Object.keys(changed)])];
  return Object.fromEntries(
    names
      .filter((name) => JSON.stringify(base[name]) !== JSON.stringify(changed[name]))
      .map((name) => {
        const [before, after] = [base[name], changed[name]];
        const areObjects = typeof before === 'object' && typeof after === 'object' && before !== null && after !== null;
        return [name, areObjects ? difference(before as Fields, after as Fields) : (after ?? null)];
      }),
  );
}

/** What tdx.json holds. */
export function tdxVectors(): Fields {
  const good = inputOf(makeTdxCase());
  const vectors = TDX_CASES.map(({ id, rule, note, change, input = {}, quote, expect }) => {
    const made = makeTdxCase(change);
    const altered = quote === undefined ? made : { ...made, quote: new Uint8Array(quote(made.quote)) };
    const fields: Fields = { ...inputOf(altered), ...input };
    if (fields.root_ca_pem === 'good') fields.root_ca_pem = good.root_ca_pem;
    return { id, rule, note, change: difference(good, fields), expect };
  });
  return { description: 'verifyTdx, spec/evidence-tdx.md: each vector changes members of base', base: good, vectors };
}

if (import.meta.main) {
  writeFileSync(new URL('tdx.json', import.meta.url), `${JSON.stringify(tdxVectors(), null, 1)}\n`);
}
