/** A `DeviceStore` in memory: a device that keeps what it is given until the test ends. Tests only. */
import type { DeviceStore } from '@sotto/ports';

export function createMemoryDeviceStore(): DeviceStore {
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
  };
}
