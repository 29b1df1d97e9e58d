/** @sotto/crypto/der: a strict, bounded, total reader of DER (spec/evidence-certificates.md §DER). */
export { DER_LIMIT_BYTES, type Der, parseDer, SEQUENCE, SET } from './der.ts';
export {
  BIT_STRING,
  BOOLEAN,
  ENUMERATED,
  GENERALIZED_TIME,
  INTEGER,
  NULL,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  UTC_TIME,
} from './der-primitives.ts';
export {
  DerFields,
  expectTag,
  explicit,
  readBitStringOctets,
  readBoolean,
  readEnumerated,
  readInteger,
  readNamedBits,
  readObjectIdentifier,
  readOctetString,
  readSmallInteger,
  readTime,
  readUnsigned,
} from './der-values.ts';
export { CertificateError } from './error.ts';
