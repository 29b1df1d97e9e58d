export {
  type ChannelPair,
  type ChannelPairOptions,
  createChannelPair,
  echoRequest,
  openChannelPair,
  PAIR_NODE_ID,
  readBody,
  startChannelPair,
} from './channel-pair.ts';
export { createManualClock, createRealClock, type ManualClock, settle } from './clock.ts';
export { createMemoryDeviceStore } from './device-store.ts';
export { createSeededRandom } from './random.ts';
export {
  createMemoryRecordStore,
  type MemoryRecordStore,
  type MemoryRecordStoreOptions,
  StoreError,
  type WriteFault,
} from './record-store.ts';
export { recordStoreContract, type StoreUnderTest } from './record-store-contract.ts';
export { MARKDOWN_SAMPLE, type ScriptedEngine, type ScriptedEngineOptions, scriptedEngine } from './scripted-engine.ts';
export {
  createMemorySealedStore,
  type MemorySealedStore,
  type MemorySealedStoreOptions,
  type SealedFault,
} from './sealed-store.ts';
export { type SealedStoreUnderTest, sealedStoreContract } from './sealed-store-contract.ts';
export { createSelfSignedCertificate } from './self-signed-certificate.ts';
export {
  createSocketPair,
  type Intercept,
  type PassingMessage,
  type SocketPair,
  type SocketSide,
} from './socket-pair.ts';
export {
  createSoftwareAuthenticator,
  type SoftwareAuthenticator,
  type SoftwareAuthenticatorOptions,
  type SoftwarePasskeyResult,
} from './software-authenticator.ts';
