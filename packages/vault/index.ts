/** The vault (spec/vault.md): account key and locks, record envelopes, their content, and the merge of histories. */
export { isJsonObject, type JsonObject, type JsonValue } from './canonical-json.ts';
export {
  type ConversationContent,
  type DeviceKeyContent,
  encodeRecordContent,
  type MessageContent,
  type MessageRole,
  type MessageStatus,
  parseRecordContent,
  type RecordContent,
  type UnknownContent,
} from './content.ts';
export {
  createDeviceKeys,
  type DeviceKeys,
  deriveDeviceId,
  loadDeviceKeys,
  signDeviceRecord,
  unsafeRevealDeviceKey,
  type VerifiedDevice,
  verifyDeviceRecord,
} from './device.ts';
export {
  bucketFor,
  type OpenEnvelopeInput,
  openEnvelope,
  parseVisibleHeader,
  type RecordHeader,
  type SealEnvelopeInput,
  sealEnvelope,
  type VisibleHeader,
} from './envelope.ts';
export { VaultError, type VaultErrorCode } from './error.ts';
export { deriveImportedId } from './imported-id.ts';
export {
  AccountKey,
  createAccountKey,
  createLocalKey,
  deriveEpochKey,
  EpochKey,
  LocalKey,
  LockSecret,
  unsafeRevealSecret,
} from './keys.ts';
export { CONTENT_LIMIT_BYTES, LARGEST_BUCKET_BYTES, SMALLEST_BUCKET_BYTES } from './limits.ts';
export { type LocalOwner, openLocal, sealLocal } from './local.ts';
export {
  type LockHeader,
  type LockKind,
  PASSKEY_PRF_INPUT,
  parseLockHeader,
  passkeyLockSecret,
  type UnwrapInput,
  unwrapAccountKey,
  type WrapInput,
  wrapAccountKey,
} from './lock.ts';
export {
  createPassphraseParameters,
  encodePassphraseParameters,
  type PassphraseParameters,
  parsePassphraseParameters,
  passphraseBytes,
  passphraseLockSecret,
} from './passphrase.ts';
export {
  type OpenedRecord,
  type OpenRecordInput,
  openRecord,
  openRecordWithBytes,
  type SealRecordInput,
  sealRecord,
} from './record.ts';
export {
  createRecoveryCode,
  deriveRecovery,
  looksLikePhrase,
  parseRecoveryCode,
  type Recovery,
  type RecoveryCode,
  type RecoverySecret,
  recoveryVerifier,
} from './recovery-code.ts';
export { compareRegisters, mergeRegisters, nextClock, type Register, type Registers } from './registers.ts';
export {
  LOCK_PUBLIC_KEY_BYTES,
  lockPublicKey,
  type OpenSealedLockInput,
  openSealedLock,
  type SealToLockInput,
  sealToLock,
} from './sealed-lock.ts';
export { encodeSetting, SETTING_TYPE, settingName, settingsOf } from './settings.ts';
export {
  buildConversations,
  type Conversation,
  compareVersions,
  conversationOf,
  greatestClock,
  listConversations,
  type MessageNode,
  newestLeaf,
  newestVersions,
  type ThreadEntry,
  thread,
} from './tree.ts';
