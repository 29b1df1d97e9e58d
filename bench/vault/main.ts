/** `node --expose-gc bench/vault/main.ts [messages]`: how long a history of years takes to open, against its budgets. */

import { createNodeRandom } from '@sotto/adapters-node';
import { createMemorySealedStore, createRealClock } from '@sotto/testkit';
import { FULL_HISTORY } from './made-history.ts';
import { measureOpening } from './opening.ts';

const gc = (globalThis as { gc?: () => void }).gc;
const share = Number(process.argv[2] ?? FULL_HISTORY.messages) / FULL_HISTORY.messages;
const options =
  share === 1
    ? FULL_HISTORY
    : { ...FULL_HISTORY, messages: FULL_HISTORY.messages * share, conversations: FULL_HISTORY.conversations * share };
const figures = await measureOpening(
  {
    sealed: createMemorySealedStore(),
    random: createNodeRandom(),
    clock: createRealClock(),
    now: () => performance.now(),
    heapBytes: () => {
      gc?.();
      return process.memoryUsage().heapUsed;
    },
    log: (line) => console.log(line),
  },
  options,
);
console.log(figures);
