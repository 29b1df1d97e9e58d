/**
 * How long a history of years takes to open, against its budgets:
 *
 *     node --expose-gc bench/vault/main.ts [messages]
 */
import { createNodeRandom } from '@sotto/adapters-node';
import { createMemorySealedStore, createRealClock } from '@sotto/testkit';
import { judge } from './budgets.ts';
import { FULL_HISTORY } from './made-history.ts';
import { measureOpening } from './opening.ts';

const { gc } = globalThis as { gc?: () => void };
const messages = Number(process.argv[2] ?? FULL_HISTORY.messages);
const conversations = Math.ceil((FULL_HISTORY.conversations * messages) / FULL_HISTORY.messages);

const figures = await measureOpening(
  {
    sealed: createMemorySealedStore(),
    random: createNodeRandom(),
    clock: createRealClock(),
    now: () => performance.now(),
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    heapBytes: () => {
      gc?.();
      return process.memoryUsage().heapUsed;
    },
    log: (line) => console.log(`  ${line}`),
  },
  { ...FULL_HISTORY, messages, conversations },
);
for (const line of judge('Node', figures)) console.log(line);
