/**
 * The person under attack: a process of its own with the real client in it, so that one rule can be switched off in it and in
 * nothing else. Reads a task from its arguments, prints what the person saw as one JSON line.
 */
import {
  CookieJar,
  createNodeClock,
  createNodeConnectSocket,
  createNodeFetch,
  createNodeRandom,
} from '@sotto/adapters-node';
import { SottoError } from '@sotto/bytes';
import { type ClientPorts, type History, openHistory, openNodeSession, ServerApi } from '@sotto/client';
import { Keeper, openAccountHistory } from '@sotto/client/accounts';
import type { RecordStore } from '@sotto/ports';
import { createMemoryDeviceStore } from '@sotto/testkit';
import { createAccountKey, createRecoveryCode } from '@sotto/vault';
import { acceptPin, devPolicy } from '@sotto/verify';
import type { LinkTask } from './link-devices.ts';
import type { Forged, RemovalTask } from './removal.ts';
import type { SeveralDevicesTask } from './several-devices.ts';

export interface VictimTask {
  readonly kind:
    | 'ask'
    | 'read-history'
    | 'sign-in-again'
    | 'steal-answer'
    | 'judge-hardware'
    | 'open-file'
    | 'open-shared'
    | 'read-kept-history'
    | LinkTask
    | RemovalTask
    | SeveralDevicesTask;
  readonly url: string;
  /** The fingerprint that this person pinned earlier. */
  readonly pinned: string;
  /** The fingerprint in the link they opened now. */
  readonly offered: string;
  readonly words: string;
  /** What was shown instead of a good machine's evidence. */
  readonly evidence?: string;
}

export interface Outcome {
  readonly kind: 'answered' | 'refused';
  readonly code: string;
  readonly rule: string;
  /** What the person saw: the answer, the error's sentence, or the chats. */
  readonly saw: string;
}

const task = JSON.parse(process.argv[2] ?? '') as VictimTask;
const cookieJar = new CookieJar();
const plain = createNodeFetch({ cookieJar });
const ports: ClientPorts = {
  clock: createNodeClock(),
  random: createNodeRandom(),
  connect: createNodeConnectSocket({ cookieJar }),
  fetch: (url, init) => plain(url, { ...init, headers: { ...init?.headers, origin: task.url } }),
  distrust: { isDistrusted: () => false, subscribe: () => () => {} },
};

let outcome: Outcome;
try {
  const tasks = {
    ask,
    'read-history': readHistory,
    'sign-in-again': signInAgain,
    'read-after-removal': removeDevice,
    'look-at-locks': removeDevice,
    'unlock-again': removeDevice,
    'steal-answer': loseAnswer,
    'judge-hardware': judgeHardware,
    'open-file': openFileAgain,
    'open-shared': openLink,
    'read-kept-history': keptHistory,
    'read-on-tablet': severalDevices,
    'read-second-history': severalDevices,
    'read-after-deleting': severalDevices,
    'link-by-secret': linkDevices,
    'link-by-digits': linkDevices,
  } as const;
  const saw = await tasks[task.kind]();
  outcome = { kind: 'answered', code: '', rule: '', saw };
} catch (error) {
  if (!(error instanceof SottoError)) throw error;
  outcome = { kind: 'refused', code: error.code, rule: error.rule ?? '', saw: error.message };
}
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));

async function keptHistory(): Promise<string> {
  const { readKeptHistory } = await import('./kept-history.ts');
  return readKeptHistory(ports, task.url, task.words, () => signal('written'));
}

/** Here the node is under attack: it has the rule, and runs in this process too. */
async function loseAnswer(): Promise<string> {
  const { claimForeignAnswer } = await import('./steal-answer.ts');
  const { status, bytes } = await claimForeignAnswer(ports);
  if (status === 200)
    return `the answer of somebody else went to the attacker, sealed: ${bytes} bytes; its person cannot fetch it`;
  throw new SottoError('answer-refused', 'To the attacker: no such answer. The person fetches it.', {
    action: 'stop',
    rule: 'CH-100',
  });
}

/** Here the attacker has one of the person's devices as well, which they have removed. */
async function removeDevice(): Promise<string> {
  const { afterRemoval } = await import('./removal.ts');
  return afterRemoval(task.kind as RemovalTask, task.url, signal);
}

async function severalDevices(): Promise<string> {
  const { onSeveralDevices } = await import('./several-devices.ts');
  return onSeveralDevices(task.kind as SeveralDevicesTask, task.url, signal);
}

async function judgeHardware(): Promise<string> {
  const { judgeShown } = await import('./judge-hardware.ts');
  return judgeShown(task.evidence ?? '');
}

async function openFileAgain(): Promise<string> {
  const { openFile } = await import('./open-file.ts');
  return openFile(ports, task.url);
}

async function openLink(): Promise<string> {
  const { openSharedChat } = await import('./open-shared.ts');
  return openSharedChat(ports, task.url);
}

/** A second device is let in. */
async function linkDevices(): Promise<string> {
  const { linkDevices: link } = await import('./link-devices.ts');
  return link(task.kind as LinkTask, ports, task.url);
}

async function ask(): Promise<string> {
  acceptPin(task.pinned, task.offered);
  const session = await openNodeSession(ports, { baseUrl: task.url, policy: devPolicy(task.offered) });
  let text = '';
  const messages = [{ role: 'user' as const, content: task.words }];
  for await (const event of session.chat({ model: 'scripted', messages })) {
    if (event.kind === 'text-delta') text += event.text;
  }
  session.close();
  return text;
}

/** Keeps two chats, lets the operator do its worst, and reads them again as another device would. */
async function readHistory(): Promise<string> {
  const { random, clock } = ports;
  const device = createMemoryDeviceStore();
  const accountPorts = { api: new ServerApi(ports.fetch, task.url), random, clock, device };
  const nothing: RecordStore = {
    list: async () => ({ records: [], nextSequence: 0, more: false }),
    put: async () => ({ sequence: 1 }),
    remove: async () => ({ sequence: 1 }),
  };
  const draft = { accountId: random.bytes(16), deviceId: random.bytes(16), accountKey: createAccountKey(random) };
  const guest = await openHistory({ ...draft, store: nothing, clock, random });
  const { account, history } = await new Keeper(accountPorts).keep(
    createRecoveryCode(random).code,
    guest,
    async () => {},
  );
  const [medical, bakery] = [await chat(history, 'medical'), await chat(history, 'bakery')];
  await history.settled();
  await history.saveMessage({ ...medical, text: `${task.words} corrected` });
  await history.settled();
  await signal('written');
  const read = await openAccountHistory(accountPorts, account);
  await read.settled();
  const [damage] = read.damaged.values();
  if (damage !== undefined) {
    // What the app shows: how many records would not open; and the rule that refused the first of them.
    const words = `${read.damagedCount} messages could not be opened and are left out.`;
    throw new SottoError(damage.code, words, {
      action: 'stop',
      ...(damage.rule === undefined ? {} : { rule: damage.rule }),
    });
  }
  const [found] = read.findings;
  if (found !== undefined) throw new SottoError(found.code, found.message, { action: 'stop', rule: found.rule });
  return `${read.thread(medical.conversationId)[0]?.text} / ${read.thread(bakery.conversationId)[0]?.text}`;
}

/** Makes an account, and comes back to it by its device's key. */
async function signInAgain(): Promise<string> {
  const { draftAccount, registerAccount, signingInLater } = await import('@sotto/client/accounts');
  const { random, clock } = ports;
  const api = new ServerApi(ports.fetch, task.url);
  const accountPorts = { api, random, clock, device: createMemoryDeviceStore() };
  const account = await registerAccount(accountPorts, await draftAccount(createRecoveryCode(random).code, random));
  signingInLater(accountPorts, account);
  await api.signInAgain();
  return 'what is written next would go into an account of the attacker’s choice';
}

async function chat(history: History, title: string) {
  const conversationId = await history.createConversation(title);
  const message = { conversationId, parentId: undefined, role: 'user' as const, status: 'complete' as const };
  const messageId = await history.saveMessage({ ...message, text: title });
  return { ...message, messageId };
}

/** Tells the stage that it is the operator's turn, and waits until it had it. */
function signal(told: string | Forged): Promise<void> {
  return new Promise((resolve) => {
    process.once('message', () => resolve());
    process.send?.(told);
  });
}
