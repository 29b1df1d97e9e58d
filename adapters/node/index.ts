/** The ports of `@sotto/ports` on Node. A program that must stay small imports the subpaths instead. */
export { BlobStoreError, createFileBlobStore } from './blob-store.ts';
export { createNodeClock } from './clock.ts';
export { CookieJar } from './cookie-jar.ts';
export { createFileDeviceStore, DeviceStoreError } from './device-store.ts';
export { createNodeFetch } from './fetch.ts';
export { NetworkError } from './network-error.ts';
export { createNodeRandom } from './random.ts';
export { createNodeConnectSocket, type NodeSocketOptions } from './socket.ts';
