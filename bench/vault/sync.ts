/**
 * `node bench/vault/sync.ts [--messages 100000] [--runs 3] [--json FILE]`: how fast an account's history comes to a new device, and how
 * long two devices that were apart take to have each other's edits. The server is a process of its own, over loopback, with its real
 * database; the device keeps everything sealed in a store that stands for the browser's. Each run is the same pages fetched and
 * parsed alone, then a new device's first sync of them, opened, kept and compared with the heads: the ratio of the two says what
 * the machine does not. Prints each figure with its budget; exit code 1 when one is missed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CookieJar, createNodeClock, createNodeFetch, createNodeRandom } from '@sotto/adapters-node';
import { type History, openHistory, ServerApi } from '@sotto/client';
import { createRecoveryCode, Keeper, openAccountHistory, unlockWithRecoveryCode } from '@sotto/client/accounts';
import type { Fetch } from '@sotto/ports';
import { createMemoryDeviceStore, createMemoryRecordStore, createMemorySealedStore } from '@sotto/testkit';
import { createAccountKey } from '@sotto/vault';
import { startProcess } from '../../tools/harness/process.ts';
import { judge, report } from '../report.ts';
import { median, round } from '../statistics.ts';
import { cpuMsOf, ownCpuMs } from '../usage.ts';
import budgets from './budgets.json' with { type: 'json' };
import { FULL_HISTORY } from './made-history.ts';
import { writeOldHistory } from './old-device.ts';

const text = { type: 'string' } as const;
const { values: flags } = parseArgs({ options: { messages: text, runs: text, json: text } });
const messages = Number(flags.messages ?? FULL_HISTORY.messages);
const conversations = Math.ceil((FULL_HISTORY.conversations * messages) / FULL_HISTORY.messages);
const runs = Number(flags.runs ?? 3);
const jsonPath = flags.json ?? join(import.meta.dirname, '../results/vault-sync.json');
/** Of each of two devices. */
const EDITS = 1000;
/** Between what is measured: what others do on the machine comes and goes. */
const PAUSE_MS = 2000;
const TRIES = 5;

const random = createNodeRandom();
const clock = createNodeClock();
const dataDir = await mkdtemp(join(tmpdir(), 'sotto-bench-'));
const server = await startProcess<{ url: string }>(join(import.meta.dirname, 'server-process.ts'), {
  args: ['--data', dataDir],
});
const { url } = server.ready;
const serverId = server.child.pid as number;

/** A device of its own: cookies, stores, and a network that can be taken away. */
function createDevice() {
  const plain = createNodeFetch({ cookieJar: new CookieJar(), limitBytes: 64 * 1024 * 1024 });
  const network = { isThere: true };
  const fetch: Fetch = async (address, init) => {
    if (!network.isThere) throw new Error('no network');
    return plain(address, { ...init, headers: { ...init?.headers, origin: url } });
  };
  const sealed = createMemorySealedStore();
  const ports = { api: new ServerApi(fetch, url), random, clock, device: createMemoryDeviceStore(), sealed };
  return { ports, network };
}

interface Cost {
  readonly ms: number;
  /** Of this process, which is the client. */
  readonly clientCpuMs: number;
  readonly serverCpuMs: number;
  /** Of the minute before, when it began. */
  readonly load: number;
}

async function costOf(name: string, work: () => Promise<unknown>): Promise<Cost> {
  await clock.sleep(PAUSE_MS);
  const load = round(loadavg()[0] as number, 1);
  const [clientBefore, serverBefore] = [ownCpuMs(), cpuMsOf(serverId)];
  const startMs = performance.now();
  await work();
  const ms = round(performance.now() - startMs, 0);
  const cost = {
    ...{ ms, load },
    clientCpuMs: round(ownCpuMs() - clientBefore, 0),
    serverCpuMs: round(cpuMsOf(serverId) - serverBefore, 0),
  };
  const { clientCpuMs, serverCpuMs } = cost;
  process.stdout.write(`${name}: ${ms} ms; CPU ${clientCpuMs} ms client, ${serverCpuMs} ms server; load ${load}\n`);
  return cost;
}

/** Every page, parsed and let go of. */
async function fetchPages(api: ServerApi): Promise<void> {
  for (let [after, more] = [0, true]; more; ) {
    const page = await api.recordPage(after);
    after = page.records.at(-1)?.sequence ?? page.newest;
    more = page.more;
  }
}

/** As many edits as the budget says, over fifty chats: each first message rewritten, the rest are answers to it. */
async function edit(by: History, name: string): Promise<void> {
  const chats = by.conversations().slice(0, 50);
  for (const { conversationId } of chats) {
    await by.load(conversationId);
    const [first] = by.thread(conversationId);
    if (first === undefined) continue;
    const turn = { conversationId, role: 'user', status: 'complete' } as const;
    const about = { ...turn, messageId: first.messageId, parentId: first.parentId };
    await by.saveMessage({ ...about, text: `${name} rewrote it` });
    const replies = Array.from({ length: EDITS / chats.length - 1 }, (_, i) =>
      by.saveMessage({ ...turn, parentId: first.messageId, text: `${name} says ${i}` }),
    );
    await Promise.all(replies);
  }
}

const countOf = (of: History) => of.conversations().reduce((sum, { messageCount }) => sum + messageCount, 0);

try {
  const { code } = createRecoveryCode(random);
  const before = createDevice();
  const guest = await openHistory({
    ...{ accountId: random.bytes(16), deviceId: random.bytes(16), accountKey: createAccountKey(random) },
    ...{ store: createMemoryRecordStore(), clock, random },
  });
  (await new Keeper(before.ports).keep(code, guest, async () => {})).history.close();
  const writer = await unlockWithRecoveryCode(before.ports, code);
  let sent = { chats: 0, all: 0 };
  await costOf('the history made and sent', async () => {
    sent = await writeOldHistory(before.ports.api, writer, random, { ...FULL_HISTORY, messages, conversations });
  });
  process.stdout.write(`${sent.chats} records of chats, ${sent.all} with heads\n`);

  const [pages, syncs]: [Cost[], Cost[]] = [[], []];
  const [devices, histories]: [ReturnType<typeof createDevice>[], History[]] = [[], []];
  for (let run = 1; run <= runs; run++) {
    pages.push(await costOf(`pages alone, ${run}`, () => fetchPages(before.ports.api)));
    const device = createDevice();
    const sync = await costOf(`first sync, ${run}`, async () => {
      const history = await openAccountHistory(device.ports, await unlockWithRecoveryCode(device.ports, code));
      await history.refresh();
      // As the app does: on a busy machine the server may have closed the line while a page was opened.
      for (let tries = 0; history.sync?.state.problem === 'offline' && tries < TRIES; tries++) await history.refresh();
      histories.push(history);
    });
    syncs.push(sync);
    devices.push(device);
    const history = histories.at(-1) as History;
    const [count, problem] = [countOf(history), history.sync?.state.problem ?? 'no problem'];
    const isWhole = count === messages && history.findings.length === 0;
    if (!isWhole) throw new Error(`${count} messages came, ${history.findings.length} findings, ${problem}`);
    await history.settled();
    if (histories.length > 2) (histories.shift() as History).close();
    if (devices.length > 2) devices.shift();
  }
  const perSecond = (costs: readonly Cost[]) => costs.map(({ ms }) => (sent.chats * 1000) / ms);
  const best = (values: readonly number[]) => round(Math.max(...values), 0);

  const [phone, laptop] = histories as [History, History];
  const [phoneDevice, laptopDevice] = devices as [(typeof devices)[0], (typeof devices)[0]];
  const merges: Cost[] = [];
  for (let run = 1; run <= runs; run++) {
    for (const each of [phone, laptop]) await each.settled();
    for (const { network } of devices) network.isThere = false;
    await edit(phone, 'the phone');
    await edit(laptop, 'the laptop');
    phoneDevice.network.isThere = true;
    await phone.settled();
    laptopDevice.network.isThere = true;
    merges.push(await costOf(`merging ${EDITS} edits of each, ${run}`, () => laptop.refresh()));
    const { problem } = laptop.sync?.state ?? {};
    // A refresh that the network ended early would be a fast one.
    if (problem !== undefined) throw new Error(`merging ended early: ${problem}`);
    await laptop.settled();
    await phone.settled();
    const isSame = countOf(phone) === countOf(laptop) && phone.compareCode === laptop.compareCode;
    if (!isSame || phone.findings.length + laptop.findings.length > 0) throw new Error('the devices do not agree');
  }
  for (const each of histories) each.close();

  const ratios = pages.map(({ ms }, run) => ms / (syncs[run] as Cost).ms);
  const figures = {
    'pages alone, records/s: best': best(perSecond(pages)),
    'pages alone, records/s: median': round(median(perSecond(pages)), 0),
    'first sync, records/s: best': best(perSecond(syncs)),
    'first sync, records/s: median': round(median(perSecond(syncs)), 0),
    'first sync beside pages alone, speed: median': round(median(ratios)),
    'merging, ms: best': Math.min(...merges.map(({ ms }) => ms)),
    'merging, ms: median': round(median(merges.map(({ ms }) => ms)), 0),
  };
  process.stdout.write(`${JSON.stringify(figures, null, 1)}\n`);
  const values = {
    'first sync, opened and kept, records/s': figures['first sync, records/s: best'],
    'two devices with 1,000 edits each merged, ms': figures['merging, ms: best'],
  };
  const results = { records: sent, figures, pages, syncs, merges };
  process.exitCode = report(judge(values, budgets.sync), { results, jsonPath, isPartial: false }) ? 0 : 1;
} finally {
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
}
process.exit();
