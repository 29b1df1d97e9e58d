/** @sotto/crypto/x509: certificates, revocation lists and chains (spec/evidence-certificates.md). */
export { CERTIFICATE_LIMIT_BYTES, type Certificate, parseCertificate, type Validity } from './certificate.ts';
export { assertValidAt, type ChainInput, verifyChain } from './chain.ts';
export { assertCrlValidAt, assertNotRevoked, CRL_LIMIT_BYTES, type Crl, parseCrl, verifyCrl } from './crl.ts';
export { CertificateError, type CertificateErrorCode, type CertificateFailureClass } from './error.ts';
export {
  CRL_SIGN,
  DIGITAL_SIGNATURE,
  type Extension,
  type Extensions,
  KEY_CERT_SIGN,
  readExtensions,
} from './extensions.ts';
export { commonName } from './name.ts';
export { parsePem } from './pem.ts';
export {
  type Curve,
  curveBytes,
  ecPublicKey,
  type PublicKey,
  parsePublicKey,
  readPublicKey,
  readSignatureScheme,
  type SignatureScheme,
} from './public-key.ts';
