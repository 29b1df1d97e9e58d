/**
 * The JSON bodies of the server's HTTP API (spec/server.md) and of a node's loopback listing. spec/wire.md §json.
 * Requests come from browsers, answers from a server that may be hostile: both are checked by whoever receives them.
 */
import type { ErrorAction } from '@sotto/bytes';
import {
  answerShape,
  base64Shape,
  base64UrlShape,
  booleanShape,
  hexShape,
  integerShape,
  listShape,
  nullableShape,
  oneOfShape,
  opaqueObjectShape,
  requestShape,
  type Shape,
  type ShapeOf,
  textShape,
} from './shape.ts';

/** Largest sealed envelope (spec/vault.md): the 64 KiB bucket and its header. */
export const ENVELOPE_LIMIT_BYTES = 128 * 1024;
/** Largest lock blob. */
export const LOCK_LIMIT_BYTES = 4 * 1024;
/** Largest evidence bundle (spec/evidence.md). */
export const EVIDENCE_LIMIT_BYTES = 1024 * 1024;
/** Largest answer of a vendor: a revocation list. */
export const COLLATERAL_LIMIT_BYTES = 1024 * 1024;

const id = hexShape(16);
const digest = hexShape(32);
const sequence = integerShape(0, Number.MAX_SAFE_INTEGER);
const kebab = textShape(64, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
const lockKind = oneOfShape('passkey-prf', 'recovery-code', 'recovery-phrase');
const lockBlob = base64Shape(1, LOCK_LIMIT_BYTES);
const credentialId = base64UrlShape(1, 1023);

/** One node as the directory lists it. Nothing in it is trusted before the node was verified. */
export const parseNodeListing = answerShape({
  nodeId: id,
  suites: listShape(kebab, 8),
  evidenceDigest: digest,
  epochId: id,
});
export type NodeListing = ShapeOf<typeof parseNodeListing>;

/** `GET /api/nodes` */
export const parseNodesAnswer = answerShape({ nodes: listShape(parseNodeListing, 64) });
export type NodesAnswer = ShapeOf<typeof parseNodesAnswer>;

/** `GET /api/collateral/…`: what a vendor published, as the server has it. Verified by the client, whoever handed it over. */
export const parseCollateralAnswer = answerShape(
  { body: base64Shape(1, COLLATERAL_LIMIT_BYTES), fetchedAtMs: sequence },
  { issuerChainPem: textShape(16 * 1024) },
);
export type CollateralAnswer = ShapeOf<typeof parseCollateralAnswer>;

/** `POST /api/guest` */
export const parseGuestAnswer = answerShape({ guestId: id });
export type GuestAnswer = ShapeOf<typeof parseGuestAnswer>;

/** `POST /api/accounts` */
export const parseCreateAccountRequest = requestShape({
  accountId: id,
  device: requestShape({ publicKey: base64Shape(32, 32), record: base64Shape(1, LOCK_LIMIT_BYTES) }),
  recovery: requestShape({ lookupId: base64Shape(16, 16), verifier: base64Shape(32, 32) }),
  lock: lockBlob,
});
export type CreateAccountRequest = ShapeOf<typeof parseCreateAccountRequest>;

/** The answer to everything that starts a session of an account. */
export const parseAccountAnswer = answerShape({ accountId: id });
export type AccountAnswer = ShapeOf<typeof parseAccountAnswer>;

/** Options for the authenticator, defined by WebAuthn; handed on as they are. */
export const parsePasskeyOptions: Shape<Readonly<Record<string, unknown>>> = opaqueObjectShape;

/** `POST /api/passkeys/register` */
export const parsePasskeyAnswer = answerShape({ credentialId });
export type PasskeyAnswer = ShapeOf<typeof parsePasskeyAnswer>;

/** `PUT /api/locks/:lockId` */
export const parseLockRequest = requestShape({ kind: lockKind, lock: lockBlob }, { credentialId });
export type LockRequest = ShapeOf<typeof parseLockRequest>;

/** `GET /api/locks` */
export const parseLocksAnswer = answerShape({
  accountId: id,
  locks: listShape(answerShape({ lockId: id, kind: lockKind, lock: lockBlob }, { credentialId }), 64),
});
export type LocksAnswer = ShapeOf<typeof parseLocksAnswer>;

/** `POST /api/sign-in/recovery` */
export const parseRecoverySignInRequest = requestShape({
  lookupId: base64Shape(16, 16),
  authenticator: base64Shape(32, 32),
});
export type RecoverySignInRequest = ShapeOf<typeof parseRecoverySignInRequest>;

/** `POST /api/account/remove`: proof that one of the account's locks is at hand, a recovery code's or a passkey's answer. */
export const parseRemoveAccountRequest = requestShape(
  {},
  { recovery: parseRecoverySignInRequest, passkey: opaqueObjectShape },
);
export type RemoveAccountRequest = ShapeOf<typeof parseRemoveAccountRequest>;

/** `GET /api/records?after=N` */
export const parseRecordsAnswer = answerShape({
  records: listShape(
    answerShape({ recordId: id, sequence, envelope: nullableShape(base64Shape(1, ENVELOPE_LIMIT_BYTES)) }),
    1000,
  ),
  nextSequence: sequence,
  more: booleanShape,
});
export type RecordsAnswer = ShapeOf<typeof parseRecordsAnswer>;

/** `PUT` and `DELETE /api/records/:recordId` */
export const parseSequenceAnswer = answerShape({ sequence });
export type SequenceAnswer = ShapeOf<typeof parseSequenceAnswer>;

/** `POST /api/records/batch`: the first writes were stored, in order; the one after them was refused, and the rest was not tried. */
export const parseBatchAnswer = answerShape(
  { sequences: listShape(sequence, 256) },
  { refused: oneOfShape('record-conflict', 'store-full', 'epoch-stale') },
);
export type BatchAnswer = ShapeOf<typeof parseBatchAnswer>;

/** Any refusal, of the server and of the node: the code is stable, the message is for people. */
export const parseErrorAnswer = answerShape({
  error: answerShape(
    {
      code: kebab,
      message: textShape(1024),
      action: oneOfShape<ErrorAction>('fix-input', 'retry', 'update', 'stop'),
    },
    { rule: textShape(8, /^[A-Z]{2}-[0-9]{2,3}$/) },
  ),
});
export type ErrorAnswer = ShapeOf<typeof parseErrorAnswer>;
