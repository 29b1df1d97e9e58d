/**
 * What a confer machine shows in its handshake: four texts, of which a third party's statement is one. Made by the machine,
 * unjudged: that it parses says nothing.
 */
import { encodeUtf8 } from '@sotto/bytes';
import { WireError } from '../error.ts';
import { answerShape, oneOfShape, parseJson, type ShapeOf, textShape } from '../shape.ts';

const EVIDENCE_LIMIT_BYTES = 65_439;

const shape = answerShape({
  platform: oneOfShape('TDX', 'SEV-SNP'),
  attestation: textShape(EVIDENCE_LIMIT_BYTES),
  manifest: textShape(EVIDENCE_LIMIT_BYTES),
  manifestBundle: textShape(EVIDENCE_LIMIT_BYTES),
});

/**
 * `attestation`: a JWT of Intel Trust Authority (TDX), or the report in base64 (SEV-SNP). `manifest`: JSON whose exact
 * bytes were signed. `manifestBundle`: a Sigstore bundle over them.
 */
export type ConferEvidence = ShapeOf<typeof shape>;

/** @throws WireError `wire-malformed`, `wire-too-large` */
export function parseConferEvidence(bytes: Uint8Array): ConferEvidence {
  const evidence = shape(parseJson(bytes, EVIDENCE_LIMIT_BYTES));
  const { attestation, manifest, manifestBundle } = evidence;
  const isEmpty = attestation === '' || manifest === '' || manifestBundle === '';
  // CO-50: a machine that has nothing to show sends the fields all the same.
  if (isEmpty) throw new WireError('wire-malformed', 'a part of the evidence is empty', 'CO-50');
  return evidence;
}

/** For machines of ours that speak the protocol. */
export function encodeConferEvidence(evidence: ConferEvidence): Uint8Array<ArrayBuffer> {
  const { attestation, manifest, manifestBundle, platform } = evidence;
  return encodeUtf8(JSON.stringify({ attestation, manifest, manifestBundle, platform }));
}
