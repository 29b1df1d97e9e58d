/**
 * The JSON bodies of locks that are added and removed, and of a rotation (spec/server.md "Rotation"). Requests come from
 * clients, who may be anybody; answers from a server that may be hostile.
 */
import { ENVELOPE_LIMIT_BYTES, LOCK_LIMIT_BYTES } from './api.ts';
import {
  answerShape,
  base64Shape,
  base64UrlShape,
  hexShape,
  integerShape,
  listShape,
  oneOfShape,
  requestShape,
  type ShapeOf,
} from './shape.ts';

const id = hexShape(16);
const moment = integerShape(0, Number.MAX_SAFE_INTEGER);
const epoch = integerShape(1, 0xffff_ffff);
const credentialId = base64UrlShape(1, 1023);
const lock = base64Shape(1, LOCK_LIMIT_BYTES);
const kind = oneOfShape('passkey-prf', 'recovery-code', 'recovery-phrase');

/** Most locks of one account, and most devices of one rotation. */
export const LOCK_LIMIT_COUNT = 32;
export const DEVICE_LIMIT_COUNT = 64;
/** Records that are written together with a rotation. */
export const ROTATION_RECORD_LIMIT_COUNT = 512;
export const ROTATION_LIMIT_BYTES = 8 * 1024 * 1024;

/** `POST /api/rotation`: all of it, or nothing. */
export const parseRotationRequest = requestShape({
  /** The epoch that begins. */
  epoch,
  /** The newest sequence that the rotating device has seen. */
  baseSequence: moment,
  /** The record among `records` that holds the epoch's statement. */
  epochRecordId: id,
  /** Every lock that remains, wrapped anew. */
  locks: listShape(requestShape({ lockId: id, kind, lock }, { credentialId }), LOCK_LIMIT_COUNT),
  /** Every passkey that may still sign in. */
  credentials: listShape(credentialId, LOCK_LIMIT_COUNT),
  /** Public keys of every device that may still sign in. */
  devices: listShape(base64Shape(32, 32), DEVICE_LIMIT_COUNT),
  records: listShape(
    requestShape({ recordId: id, envelope: base64Shape(1, ENVELOPE_LIMIT_BYTES) }),
    ROTATION_RECORD_LIMIT_COUNT,
  ),
});
export type RotationRequest = ShapeOf<typeof parseRotationRequest>;

/** `POST /api/rotation` and `GET /api/epoch`: the newest epoch, and the record that holds its statement where it is not the first. */
export const parseEpochAnswer = answerShape(
  { epoch },
  { statement: answerShape({ recordId: id, envelope: base64Shape(1, ENVELOPE_LIMIT_BYTES) }) },
);
export type EpochAnswer = ShapeOf<typeof parseEpochAnswer>;

/** `POST /api/recoveries`: another recovery code or phrase of the account. */
export const parseRecoveryRequest = requestShape({
  kind: oneOfShape('recovery-code', 'recovery-phrase'),
  lookupId: base64Shape(16, 16),
  verifier: base64Shape(32, 32),
  lock,
});
export type RecoveryRequest = ShapeOf<typeof parseRecoveryRequest>;

/** `GET /api/passkeys`: those that sign in to this account, whether they open it or not. */
export const parsePasskeysAnswer = answerShape({
  passkeys: listShape(answerShape({ credentialId, createdAtMs: moment }, { lastUsedAtMs: moment }), LOCK_LIMIT_COUNT),
});
export type PasskeysAnswer = ShapeOf<typeof parsePasskeysAnswer>;
