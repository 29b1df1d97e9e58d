/** Sealed files (spec/vault.md, "Blobs"). */
export { BlobKey } from '../keys.ts';
export {
  BLOB_LIMIT_BYTES,
  BLOB_PART_LIMIT_BYTES,
  type BlobOpener,
  createBlobKey,
  type ExpectedBlob,
  openBlob,
  type SealBlobInput,
  sealBlob,
  sizeOfBlob,
} from './blob.ts';
export { padme } from './padding.ts';
