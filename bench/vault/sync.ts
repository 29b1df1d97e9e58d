/**
 * `node bench/vault/sync.ts [messages]`: how fast an account's history comes to a new device over HTTP on one machine, how fast it
 * is sent, and how long two devices that were apart take to have each other's edits. Prints each figure with its budget; exit code 1
 * when one is missed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CookieJar, createNodeClock, createNodeFetch, createNodeRandom } from '@sotto/adapters-node';
import { type History, openHistory, ServerApi } from '@sotto/client';
import { createRecoveryCode, Keeper, openAccountHistory, unlockWithRecoveryCode } from '@sotto/client/accounts';
import type { Fetch } from '@sotto/ports';
import { createMemoryDeviceStore, createMemoryRecordStore, createMemorySealedStore } from '@sotto/testkit';
import { createAccountKey } from '@sotto/vault';
import { startServer } from '../../apps/server/start.ts';
import { madeHistory } from './made-history.ts';

const MESSAGES = Number(process.argv[2] ?? 20_000);
const EDITS = 1000;
const random = createNodeRandom();
const clock = createNodeClock();
const isMissed: string[] = [];
let startedMs = performance.now();
let startedCpu = process.cpuUsage();
const begin = () => {
  startedMs = performance.now();
  startedCpu = process.cpuUsage();
};

function tell(figure: string, value: number, unit: string, budget: { atLeast: number } | { atMost: number }): void {
  const isKept = 'atLeast' in budget ? value >= budget.atLeast : value <= budget.atMost;
  const words = 'atLeast' in budget ? `at least ${budget.atLeast}` : `at most ${budget.atMost}`;
  if (!isKept) isMissed.push(figure);
  const { user, system } = process.cpuUsage(startedCpu);
  const cpu = `${Math.round((user + system) / 1000)} ms of CPU, the server's too`;
  process.stdout.write(`${figure}: ${Math.round(value)} ${unit} (${words}${isKept ? '' : ', MISSED'}; ${cpu})\n`);
}

const dataDir = await mkdtemp(join(tmpdir(), 'sotto-bench-'));
const server = await startServer({
  ...{ port: 0, dataDir, webDir: '/nowhere', nodes: [], logSink: () => undefined },
  limits: { recordWrites: { burst: 1e6, perSecond: 1e6 }, recordWriteBytes: { burst: 1e10, perSecond: 1e10 } },
});

/** A device of its own: cookies, stores, and a network that can be taken away. */
function device() {
  const plain = createNodeFetch({ cookieJar: new CookieJar(), limitBytes: 64 * 1024 * 1024 });
  const network = { isThere: true };
  const fetch: Fetch = async (url, init) => {
    if (!network.isThere) throw new Error('no network');
    return plain(url, { ...init, headers: { ...init?.headers, origin: server.url } });
  };
  const sealed = createMemorySealedStore();
  const ports = { api: new ServerApi(fetch, server.url), random, clock, device: createMemoryDeviceStore(), sealed };
  return { ports, network };
}

const whenSent = async (history: History) => {
  while ((history.sync?.state.pendingCount ?? 0) > 0) await clock.sleep(5);
};

try {
  const [phone, laptop] = [device(), device()];
  const { code } = createRecoveryCode(random);
  const guest = await openHistory({
    ...{ accountId: random.bytes(16), deviceId: random.bytes(16), accountKey: createAccountKey(random) },
    ...{ store: createMemoryRecordStore(), clock, random },
  });
  const { history } = await new Keeper(phone.ports).keep(code, guest, async () => {});
  begin();
  let records = 0;
  await history.inOneChange(async () => {
    for (const made of madeHistory({ conversations: MESSAGES / 20, messages: MESSAGES, words: 60 })) {
      await Promise.all(made.records.map((record) => history.importRecord(record)));
      records += made.records.length;
    }
  });
  process.stdout.write(
    `${records} records kept on the device: ${Math.round(records / ((performance.now() - startedMs) / 1000))} a second\n`,
  );
  begin();
  await history.settled();
  await whenSent(history);
  process.stdout.write(`the rest of them sent in ${Math.round(performance.now() - startedMs)} ms\n`);

  begin();
  let [newest, count] = [0, 0];
  for (let more = true; more; ) {
    const page = await phone.ports.api.recordPage(newest);
    count += page.records.length;
    newest = page.records.at(-1)?.sequence ?? page.newest;
    more = page.more;
  }
  tell('pages alone', count / ((performance.now() - startedMs) / 1000), 'records/s', { atLeast: 5000 });

  begin();
  const account = await unlockWithRecoveryCode(laptop.ports, code);
  const other = await openAccountHistory(laptop.ports, account);
  await other.refresh();
  tell('first sync, opened and kept', records / ((performance.now() - startedMs) / 1000), 'records/s', {
    atLeast: 5000,
  });
  await other.settled();
  await history.refresh();

  const chats = other.conversations().slice(0, 50);
  const edit = async (by: History, name: string) => {
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
  };
  for (const { network } of [phone, laptop]) network.isThere = false;
  await Promise.all([edit(history, 'the phone'), edit(other, 'the laptop')]);
  phone.network.isThere = true;
  await history.settled();
  laptop.network.isThere = true;
  begin();
  await other.refresh();
  tell(`merging ${EDITS} edits of each of two devices`, performance.now() - startedMs, 'ms', { atMost: 1000 });
  await other.settled();
  await history.settled();
  for (const { conversationId } of chats) await Promise.all([history.load(conversationId), other.load(conversationId)]);
  const counts = (of: History) => of.conversations().reduce((sum, { messageCount }) => sum + messageCount, 0);
  const same = counts(history) === counts(other) && history.compareCode === other.compareCode;
  process.stdout.write(
    `${counts(other)} messages on both, findings ${other.findings.length + history.findings.length}${same ? '' : ', NOT THE SAME'}\n`,
  );
  for (const each of [history, other]) each.close();
} finally {
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
}
process.exit(isMissed.length === 0 ? 0 : 1);
