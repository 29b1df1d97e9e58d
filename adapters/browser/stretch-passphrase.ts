/**
 * Argon2id in a worker that lives for one call: half a second of work does not freeze the page, and 64 MiB with what was typed
 * in them are gone with the worker. The page's own policy allows no WebAssembly (spec/server.md SV-114).
 */
import type { StretchPassphrase } from '@sotto/ports';
import { BrowserError } from './error.ts';
import { startWorker } from './worker.ts';

/** @param workerAddress of the built worker, which answers one message `StretchRequest` with 32 bytes */
export function createStretchPassphrase(workerAddress: string): StretchPassphrase {
  return (request) =>
    new Promise((resolve, reject) => {
      const worker = startWorker(workerAddress);
      const end = (finish: () => void) => {
        worker.terminate();
        finish();
      };
      const failed = () => end(() => reject(new BrowserError('passphrase-failed')));
      worker.onerror = failed;
      worker.onmessageerror = failed;
      worker.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (!(data instanceof Uint8Array) || data.length !== 32) return failed();
        end(() => resolve(data as Uint8Array<ArrayBuffer>));
      };
      worker.postMessage(request);
    });
}
