/**
 * The system under every end-to-end test: real server and real enclave, the server blind (tools/blind-server). `stop` fails
 * when the server called anything that decrypts, or loaded anything but its listed closure.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { buildWebIfStale } from '../apps/cli/up/web-build.ts';
import { blindServer } from '../tools/blind-server/blind.ts';
import { type System, type SystemOptions, startSystem } from '../tools/harness/system.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

export async function startForBrowser(options: SystemOptions = {}): Promise<System> {
  await buildWebIfStale(ROOT, new AbortController().signal, () => {});
  const blind = blindServer();
  const system = await startSystem({
    ...options,
    serverPreload: [...blind.serverPreload, ...(options.serverPreload ?? [])],
    serverEnv: { ...blind.serverEnv, ...options.serverEnv },
  });
  const stopAll = system.stop;
  const stop = async (): Promise<void> => {
    await stopAll();
    try {
      assert.deepEqual(blind.faults(), [], 'the server must be blind');
    } finally {
      blind.remove();
    }
  };
  // The getters of `system` must stay getters: its processes change.
  return Object.defineProperty(system, 'stop', { value: stop });
}
