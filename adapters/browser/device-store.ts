/** Small values of this device (pins, a sealed device key). They lie in clear bytes in the browser's profile, also for a while after they were deleted. */
import type { DeviceStore } from '@sotto/ports';
import { type Database, settled } from './database.ts';

export function createBrowserDeviceStore(database: Database): DeviceStore {
  return {
    get: (key) =>
      database.transact('readonly', async (objects) => {
        const value: unknown = await settled(objects.get(key));
        return value instanceof Uint8Array ? (value as Uint8Array<ArrayBuffer>) : undefined;
      }),
    set: async (key, value) => {
      await database.transact('readwrite', (objects) => settled(objects.put(value, key)));
    },
    delete: async (key) => {
      await database.transact('readwrite', (objects) => settled(objects.delete(key)));
    },
  };
}
