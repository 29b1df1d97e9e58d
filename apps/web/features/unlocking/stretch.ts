/** Argon2id in its worker, loaded when somebody uses a passphrase. */
import { createStretchPassphrase } from '@sotto/adapters-browser';
import workerAddress from './argon2-worker.ts?worker&url';

export const stretchPassphrase = createStretchPassphrase(workerAddress);
