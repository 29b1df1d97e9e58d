/**
 * The receiving end of `wire.ts`, in a process of its own: what a program beside it holds would be collected with it.
 *
 *   node bench/channel/bulk-process.ts URL DOOR-PROCESS-ID
 */
import { WebSocket } from 'ws';
import { median } from '../statistics.ts';
import { cpuMsOf, ownCpuMs } from '../usage.ts';
import { ask, openChannel } from './connect.ts';

const BYTES = 128 * 2 ** 20;
const TURNS = 6;

/** By the clock, and what each process used for it. */
export interface BulkFigures {
  readonly bareMbS: number;
  readonly mbS: number;
  readonly senderMs: number;
  readonly receiverMs: number;
  readonly bytes: number;
}

const [url = '', door] = process.argv.slice(2);

/** What there is to have: the same WebSocket, without a channel. */
function pourBare(): Promise<number> {
  const webSocket = new WebSocket(`${url}/bare/${BYTES}`, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    let bytes = 0;
    webSocket.once('error', reject);
    webSocket.on('message', (data: Buffer) => {
      bytes += data.length;
      if (bytes < BYTES) return;
      webSocket.close();
      resolve(bytes);
    });
  });
}

const channel = await openChannel(url);

async function pourSealed(): Promise<number> {
  let bytes = 0;
  for await (const part of ask(channel, { bytes: BYTES, chunk: 262_144 }).body) bytes += part.length;
  if (bytes !== BYTES) throw new Error('the answer is not whole');
  return bytes;
}

const taken: Record<'bareMbS' | 'mbS' | 'senderMs' | 'receiverMs', number[]> = {
  bareMbS: [],
  mbS: [],
  senderMs: [],
  receiverMs: [],
};
for (let turn = 0; turn < TURNS; turn++) {
  const bareStartMs = performance.now();
  const bare = (await pourBare()) / (performance.now() - bareStartMs) / 1000;
  const [startMs, ownMs, doorMs] = [performance.now(), ownCpuMs(), cpuMsOf(Number(door))];
  const mbS = (await pourSealed()) / (performance.now() - startMs) / 1000;
  // The first turn compiles.
  if (turn === 0) continue;
  taken.bareMbS.push(bare);
  taken.mbS.push(mbS);
  taken.receiverMs.push(ownCpuMs() - ownMs);
  taken.senderMs.push(cpuMsOf(Number(door)) - doorMs);
}
const figures = Object.fromEntries(Object.entries(taken).map(([name, values]) => [name, median(values)]));
process.stdout.write(`${JSON.stringify({ ready: true, ...figures, bytes: BYTES })}\n`);
process.exit();
