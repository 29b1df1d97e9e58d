/** The JSON bodies about sealed files (spec/server.md "Files"). Their parts travel as bytes, one a request. */
import { answerShape, booleanShape, hexShape, integerShape, listShape, requestShape, type ShapeOf } from './shape.ts';

/** Longest part of a sealed file, prefix and tag included (spec/vault.md "Blobs"). */
export const BLOB_PART_LIMIT_BYTES = 256 * 1024 + 256;
/** A file of 256 MiB, as Padmé makes it, and a little. */
export const BLOB_PARTS_LIMIT = 1200;
/** SHA-256 of the part, as lower-case hex: what arrives otherwise is not kept. */
export const BLOB_DIGEST_HEADER = 'sotto-digest';

const count = integerShape(0, Number.MAX_SAFE_INTEGER);

/** `POST /api/blobs/:blobId/commit` */
export const parseCommitBlobRequest = requestShape({ parts: integerShape(1, BLOB_PARTS_LIMIT) });

/** `PUT /api/blobs/:blobId/:part`, and the commit: bytes of the file that are kept. */
export const parseBlobWriteAnswer = answerShape({ bytes: count });

/** `GET /api/blobs/:blobId`: which parts are kept. */
export const parseBlobAnswer = answerShape({
  committed: booleanShape,
  parts: listShape(integerShape(0, BLOB_PARTS_LIMIT), BLOB_PARTS_LIMIT),
});
export type BlobAnswer = ShapeOf<typeof parseBlobAnswer>;

/** `GET /api/blobs?after=ID`: whole files, by id, and how full the account is. */
export const parseBlobsAnswer = answerShape({
  blobs: listShape(answerShape({ blobId: hexShape(16), bytes: count, writtenAtMs: count }), 1000),
  more: booleanShape,
  usedBytes: count,
  allowedBytes: count,
});
export type BlobsAnswer = ShapeOf<typeof parseBlobsAnswer>;
