/**
 * How long a history of years takes to open, against its budgets:
 *
 *     npm run bench:vault [-- messages]
 */
import { createNodeRandom } from '@sotto/adapters-node';
import { createMemorySealedStore, createRealClock } from '@sotto/testkit';
import { measureInBrowser } from './browser.ts';
import { judge } from './budgets.ts';
import { FULL_HISTORY } from './made-history.ts';
import { measureOpening } from './opening.ts';

const log = (line: string) => console.log(`  ${line}`);
const { gc } = globalThis as { gc?: () => void };
const messages = Number(process.argv[2] ?? FULL_HISTORY.messages);
const conversations = Math.ceil((FULL_HISTORY.conversations * messages) / FULL_HISTORY.messages);

const options = { ...FULL_HISTORY, messages, conversations };

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
    log,
  },
  options,
);
for (const line of judge('Node', figures)) console.log(line);
for (const line of judge('Chromium', await measureInBrowser(options, log))) console.log(line);
