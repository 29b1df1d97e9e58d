/** Stage `nvidia`: GPUs and switches that answered to one nonce (spec/evidence-nvidia.md). */
import { encodeHex, equalBytes } from '@sotto/bytes';
import { parseCertificate, parsePem } from '@sotto/crypto/x509';
import { type NvidiaDeviceClaims, type NvidiaRoots, productionRoots, verifyNvidia } from '@sotto/evidence/nvidia';
import { reportNvidia } from '@sotto/verify/files';
import { base64, count, hex, list, optional, refused, required, struct, text } from './input.ts';
import type { JsonObject } from './outcome.ts';
import { assertAccepted, policyFor } from './policy.ts';

const INPUT = struct({
  report: optional(base64()),
  cert_chain_pem: optional(text),
  devices: optional(list(struct({ report: base64(), cert_chain_pem: text }))),
  nonce_hex: hex(32),
  rims_xml: optional(list(text)),
  root_pem: optional(text),
  ocsp: optional(list(base64())),
  time: count,
  policy: policyFor('tdx', 'sev-snp'),
});

export async function judgeNvidia(value: unknown): Promise<JsonObject> {
  const input = INPUT(value, '');
  if (input.devices !== undefined) {
    refused(input.report, 'report');
    refused(input.cert_chain_pem, 'cert_chain_pem');
  }
  const given = input.devices ?? [
    { report: required(input.report, 'report'), cert_chain_pem: required(input.cert_chain_pem, 'cert_chain_pem') },
  ];
  const evidence = {
    devices: given.map(({ report, cert_chain_pem }) => ({
      report,
      certificates: parsePem(cert_chain_pem, 'CERTIFICATE'),
    })),
    expectedNonce: input.nonce_hex,
    rims: input.rims_xml ?? [],
    ocsp: input.ocsp ?? [],
    roots: rootsOf(input.root_pem),
  };
  const timeSeconds = Number(input.time);
  if (input.policy !== undefined) await assertAccepted(reportNvidia(evidence, timeSeconds, input.policy));
  const { devices } = await verifyNvidia({ ...evidence, timeSeconds });
  const outputs = devices.map(outputOf);
  return input.devices === undefined ? (outputs[0] as JsonObject) : { devices: outputs };
}

/**
 * A root that is given stands above devices, and above manifests beside the pinned one. The pinned root of devices never stands
 * above manifests: every device holds a certificate under it.
 */
function rootsOf(pem: string | undefined): NvidiaRoots {
  const pinned = productionRoots();
  if (pem === undefined) return pinned;
  const given = parsePem(pem, 'CERTIFICATE').map(parseCertificate);
  const others = given.filter((one) => !pinned.device.some(({ raw }) => equalBytes(raw, one.raw)));
  return { device: given, rim: [...pinned.rim, ...others] };
}

function outputOf(claims: NvidiaDeviceClaims): JsonObject {
  return {
    arch: claims.arch,
    fwid_hex: encodeHex(claims.fwid),
    driver_version: claims.driverVersion,
    vbios_version: claims.vbiosVersion,
    measurements: claims.measurements.map(({ index, digest }) => ({ index, digest_hex: encodeHex(digest) })),
    rim: claims.matchedRims.length > 0 ? 'match' : 'absent',
    bound_to_cvm: claims.boundToCvm,
  };
}
