/** Stage `tpm`: a TPM's quote over its registers (spec/evidence-tpm.md). */
import { encodeHex } from '@sotto/bytes';
import { parseCertificate, parsePem, parsePublicKey } from '@sotto/crypto/x509';
import { type AttestationKey, verifyTpmQuote } from '@sotto/evidence/tpm';
import { reportTpm } from '@sotto/verify/tpm';
import { base64, digest, hex, optional, record, refused, required, struct, text } from './input.ts';
import { type JsonObject, Malformed } from './outcome.ts';
import { assertAccepted, policyFor } from './policy.ts';

const REGISTERS = 24;

const INPUT = struct({
  quote: base64(),
  signature: base64(),
  ak_cert_chain_pem: optional(text),
  ak_public_pem: optional(text),
  nonce_hex: hex(),
  event_log: optional(base64()),
  pcrs: record(digest),
  policy: policyFor('tpm-test'),
});

export async function judgeTpm(value: unknown): Promise<JsonObject> {
  const input = INPUT(value, '');
  if (input.ak_public_pem !== undefined) refused(input.ak_cert_chain_pem, 'ak_cert_chain_pem');
  const evidence = {
    quote: input.quote,
    signature: input.signature,
    attestationKey: attestationKeyOf(input.ak_public_pem, input.ak_cert_chain_pem),
    expectedNonce: input.nonce_hex,
    registers: registersOf(input.pcrs),
    eventLog: input.event_log,
  };
  if (input.policy !== undefined) await assertAccepted(reportTpm(evidence, input.policy, 0));
  const verdict = await verifyTpmQuote(evidence);
  const { registers, events, quote, bank } = verdict;
  return {
    pcr_hex: Object.fromEntries([...registers].map(([index, bytes]) => [String(index), encodeHex(bytes)])),
    events: events.map((event) => ({
      pcr: event.register === undefined ? undefined : Number(event.register.slice('pcr'.length)),
      type: event.eventType,
      digest_hex: encodeHex(event.digests.get(bank) ?? new Uint8Array()),
    })),
    firmware_version: exact(quote.firmwareVersion),
  };
}

/** The stage has neither roots nor time: a chain must hold together up to its last certificate, and whose that is, is not judged. */
function attestationKeyOf(publicPem: string | undefined, chainPem: string | undefined): AttestationKey {
  if (publicPem !== undefined) {
    return { kind: 'key', publicKey: parsePublicKey(parsePem(publicPem, 'PUBLIC KEY', 1)[0] as Uint8Array) };
  }
  const chain = parsePem(required(chainPem, 'ak_cert_chain_pem'), 'CERTIFICATE').map(parseCertificate);
  return { kind: 'chain', chain, roots: chain.slice(-1), timeSeconds: undefined };
}

function registersOf(pcrs: Readonly<Record<string, Uint8Array>>): Map<number, Uint8Array> {
  return new Map(
    Object.entries(pcrs).map(([name, value]) => {
      const isNumber = /^(?:0|[1-9]\d?)$/.test(name) && Number(name) < REGISTERS;
      // CF-03: a register of another name is not one.
      if (!isNumber) throw new Malformed('input-malformed', 'CF-03', 'expected numbers from 0 to 23', 'pcrs');
      return [Number(name), value];
    }),
  );
}

function exact(value: bigint): number | string {
  return value > Number.MAX_SAFE_INTEGER ? String(value) : Number(value);
}
