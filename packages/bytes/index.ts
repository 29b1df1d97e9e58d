export { concatBytes, equalBytes } from './compare.ts';
export { BytesError, type BytesErrorCode, type ErrorAction, type ErrorDetails, SottoError } from './error.ts';
export { ByteReader } from './reader.ts';
export {
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  encodeUtf8,
  parseBase64,
  parseBase64Url,
  parseHex,
  parseUtf8,
} from './text.ts';
export { ByteWriter } from './writer.ts';
