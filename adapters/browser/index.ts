export { browserClock, browserRandom } from './clock.ts';
export { type Database, openDatabase } from './database.ts';
export { createBrowserDeviceStore } from './device-store.ts';
export { BrowserError, type BrowserErrorCode } from './error.ts';
export { browserFetch } from './fetch.ts';
export { type BrowserPasskeys, browserPasskeys, type PasskeyResponse, type PasskeyResult } from './passkey.ts';
export { type BrowserRecordStore, createBrowserRecordStore } from './record-store.ts';
export { connectBrowserSocket } from './socket.ts';
