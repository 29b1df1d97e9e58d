/**
 * Writes the example of this folder: a TDX quote with its collateral, under a root that this repository made up. Anybody has its
 * key. Deterministic: the keys come from their labels.
 *
 *   node examples/evidence/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { encodeHex } from '@sotto/bytes';
import { makeTdxCase } from '@sotto/testkit/evidence-tdx';

const { quote, collateral, rootPem } = makeTdxCase();

/** As tools write collateral into a file. */
export const FILES = {
  'quote.hex': `${encodeHex(quote).replace(/.{1,128}/g, '$&\n')}`,
  'collateral.json': `${JSON.stringify(
    {
      tcb_info: collateral.tcbInfoJson,
      tcb_info_signature: collateral.tcbInfoSignatureHex,
      qe_identity: collateral.qeIdentityJson,
      qe_identity_signature: collateral.qeIdentitySignatureHex,
      tcb_info_issuer_chain: collateral.tcbInfoIssuerChainPem,
      qe_identity_issuer_chain: collateral.qeIdentityIssuerChainPem,
      pck_crl: encodeHex(collateral.pckCrl),
      pck_crl_issuer_chain: collateral.pckCrlIssuerChainPem,
      root_ca_crl: encodeHex(collateral.rootCaCrl),
    },
    null,
    2,
  )}\n`,
  'NOT-INTEL-test-root.pem': rootPem,
} as const;

if (import.meta.main) {
  for (const [name, text] of Object.entries(FILES)) writeFileSync(new URL(name, import.meta.url), text);
}
