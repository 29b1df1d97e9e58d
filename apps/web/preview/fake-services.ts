/**
 * The app's services without a server or a machine: for the preview page and for the models' tests. Never part of the
 * built app: only `preview.html` imports it.
 */
import type { DeviceView, LockView } from '@sotto/client/epochs';
import type { Clock, DeviceStore } from '@sotto/ports';
import { createLocalKey } from '@sotto/vault';
import type { LocksSession } from '../features/locks/types.ts';
import type { SearchSession } from '../features/search/search-session.ts';
import type {
  Accounts,
  ChatEvent,
  ChatSession,
  ConversationSummary,
  DeviceUnlocking,
  History,
  MessageToSave,
  ModelInfo,
  OpenSession,
  Page,
  Preferences,
  Services,
  ThreadMessage,
  VerificationReport,
} from '../shell/services.ts';

export const FAKE_FINGERPRINT = '9f3c'.padEnd(64, '0');

export interface FakeHistory extends History {
  /** Every write, in order. */
  readonly writes: MessageToSave[];
  /** When set, the next writes reject with it. */
  failure: unknown;
}

/** A history in memory with the tree of the real one. */
export function fakeHistory(clock: Clock): FakeHistory {
  type Kept = MessageToSave & { messageId: string; createdAtMs: number };
  const conversations = new Map<string, ConversationSummary>();
  const messages = new Map<string, Kept>();
  const listeners = new Set<() => void>();
  let count = 0;
  const nextId = () => (++count).toString(16).padStart(32, '0');
  const changed = () => {
    for (const listener of listeners) listener();
  };
  const children = (conversationId: string, parentId: string | undefined) =>
    [...messages.values()].filter((one) => one.conversationId === conversationId && one.parentId === parentId);

  const history: FakeHistory = {
    findings: [],
    compareCode: undefined,
    devices: () => [],
    acceptAsItIs: async () => {},
    putBack: async () => {},
    restorableCount: 0,
    sync: undefined,
    deviceId: ''.padEnd(32, '0'),
    deriveImportedId: nextId,
    importRecord: async () => {},
    inOneChange: (work) => work(),
    settled: async () => {},
    writes: [],
    failure: undefined,
    damagedCount: 0,
    isLoaded: () => true,
    load: async () => {},
    eachConversation: async function* () {},
    wholeConversation: async (conversationId) => {
      const summary = history.conversations().find((one) => one.conversationId === conversationId);
      const own = [...messages.values()].filter((one) => one.conversationId === conversationId);
      return summary && { summary, records: own.map((message) => recordOf(message)) };
    },
    hasRecord: () => false,
    conversationState: (conversationId) => (conversations.has(conversationId) ? 'here' : undefined),
    recordsOfType: () => [],
    onRecords: () => () => {},
    nextClock: () => clock.nowMs(),
    writeRecord: async () => nextId(),
    removeRecord: async () => {},
    removeRecords: async () => {},
    pendingAnswers: async () =>
      [...messages.values()].flatMap(({ conversationId, messageId, recovery }) =>
        history
          .thread(conversationId)
          .filter((message) => recovery !== undefined && message.messageId === messageId)
          .map((message) => ({ conversationId, message })),
      ),
    conversations: () =>
      [...conversations.values()]
        .map((one) => {
          const own = [...messages.values()].filter(({ conversationId }) => conversationId === one.conversationId);
          return { ...one, messageCount: own.length };
        })
        .toSorted((a, b) => b.updatedAtMs - a.updatedAtMs),
    thread: (conversationId, throughId) => {
      const wanted = new Set<string>();
      for (let id = throughId; id !== undefined; id = messages.get(id)?.parentId) wanted.add(id);
      const path: ThreadMessage[] = [];
      for (let parentId: string | undefined; ; ) {
        const siblings = children(conversationId, parentId);
        const next = siblings.find((one) => wanted.has(one.messageId)) ?? siblings.at(-1);
        if (next === undefined) return path;
        path.push({ ...next, model: next.model, siblings: siblings.map((one) => one.messageId) });
        parentId = next.messageId;
      }
    },
    createConversation: async (title) => {
      if (history.failure !== undefined) throw history.failure;
      const conversationId = nextId();
      const now = clock.nowMs();
      const times = { createdAtMs: now, updatedAtMs: now };
      conversations.set(conversationId, { conversationId, title, ...times, messageCount: 0, clock: 0, registers: {} });
      changed();
      return conversationId;
    },
    saveMessage: async (message) => {
      if (history.failure !== undefined) throw history.failure;
      history.writes.push(message);
      const messageId = message.messageId ?? nextId();
      const createdAtMs = messages.get(messageId)?.createdAtMs ?? clock.nowMs();
      messages.set(messageId, { ...message, messageId, createdAtMs });
      changed();
      return messageId;
    },
    rename: async (conversationId, title) => {
      const found = conversations.get(conversationId);
      if (found !== undefined) conversations.set(conversationId, { ...found, title });
      changed();
    },
    setRegisters: async (conversationId, values) => {
      const found = conversations.get(conversationId);
      const said = Object.entries(values).map(([name, value]) => [name, { value, clock: clock.nowMs(), deviceId: '' }]);
      const registers = { ...found?.registers, ...Object.fromEntries(said) };
      if (found !== undefined) conversations.set(conversationId, { ...found, registers });
      changed();
    },
    removeConversation: async (conversationId) => {
      conversations.delete(conversationId);
      changed();
    },
    refresh: async () => {},
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return history;
}

function recordOf({
  messageId,
  parentId,
  createdAtMs,
  ...message
}: MessageToSave & { messageId: string; createdAtMs: number }) {
  const { conversationId, role, text, status } = message;
  const parents = parentId === undefined ? [] : [parentId];
  const content = {
    type: 'message',
    clock: createdAtMs,
    conversationId,
    parents,
    role,
    text,
    status,
    createdAtMs,
  } as const;
  return { recordId: messageId, deviceId: ''.padEnd(32, '0'), deviceCounter: 1, epoch: 1, content };
}

/** The real index, in this thread and in memory. */
async function fakeSearch(clock: Clock, source: History): Promise<SearchSession> {
  const { createMemoryStore, openSearchIndex, SearchFeed } = await import('@sotto/client/search');
  const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
  const owner = { accountId: random.bytes(16), key: createLocalKey(random) };
  const index = await openSearchIndex({ owner, store: createMemoryStore(), random, clock });
  const feed = new SearchFeed({ source, index, clock, takingTurns: (_, work) => work(), turnName: '' });
  void feed.run();
  return {
    query: (request, signal) => feed.query(request, signal),
    get progress() {
      return feed.progress;
    },
    subscribe: (listener) => feed.subscribe(listener),
    close: () => feed.stop(),
  };
}

export const FAKE_MODEL: ModelInfo = {
  id: 'starter',
  label: 'Starter (135M)',
  parameters: 135_000_000,
  contextTokens: 2048,
  starter: true,
};

export const FAKE_REPORT: VerificationReport = {
  trust: 'development',
  checkedAtMs: Date.UTC(2026, 10, 21, 11, 30),
  checks: [
    check('EV-01', 'The evidence has the right form'),
    check('EV-08', 'Signed by the machine key you pinned'),
    check('EV-12', 'The channel key belongs to this machine'),
    check('EV-15', 'The evidence is fresh'),
    {
      ...check('EV-21', 'Genuine hardware'),
      status: 'not-applicable',
      observed: 'none',
      why: 'A development machine has no hardware that could prove itself.',
    },
  ],
};

function check(rule: string, title: string) {
  const why = 'Without it another machine could take the place of this one.';
  return { rule, title, status: 'passed', observed: '9f3c0000', expected: '9f3c0000', why } as const;
}

/** A session that answers with what `answer` yields. */
export function fakeSession(answer: ChatSession['chat'], models: readonly ModelInfo[] = [FAKE_MODEL]): ChatSession {
  return {
    report: FAKE_REPORT,
    bundle: new Uint8Array(96).map((_, index) => index * 7),
    models: async () => models,
    chat: answer,
    resume: async function* () {},
    proveLive: async () => FAKE_REPORT,
    closed: new Promise(() => {}),
    isOpen: true,
    onRenewed: undefined,
    close: () => {},
  };
}

export function fakeDevice(): DeviceStore {
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
  };
}

export function fakeAccounts(clock: Clock, history: History): Accounts {
  return {
    resume: async () => ({ kind: 'guest', history }),
    startAsGuest: async () => history,
    passkeysAvailable: () => true,
    createRecoveryCode: async () => 'F7KQ-2M9D-XW4H-B3TN-6ZRC-PY8G-JV5A',
    keep: async () => {
      await clock.sleep(800);
      return history;
    },
    addPasskey: async () => {
      await clock.sleep(800);
      return 'opens-chats';
    },
    unlockWithRecoveryCode: async () => history,
    unlockWithPasskey: async () => history,
    locks: async () => fakeLocks(clock),
    unlocking: async () => fakeUnlocking(clock, history),
    drop: () => {},
    letIn: async ({ agree }) => {
      await clock.sleep(3000);
      await agree(undefined);
      await clock.sleep(500);
    },
    join: async ({ meeting, compare }) => {
      await clock.sleep(3000);
      if (meeting.way === 'digits') await compare('274051');
      await clock.sleep(500);
      return history;
    },
    files: () => Promise.reject(new Error('the preview keeps no files')),
    openSearch: (searched) => fakeSearch(clock, searched),
    removeAccount: async () => {},
    sharing: () => Promise.reject(new Error('the preview shares nothing')),
    lock: async () => {},
    signOut: async () => {},
  };
}

/** A browser without a passphrase; the one that is set is the one that opens. */
export function fakeUnlocking(clock: Clock, history: History): DeviceUnlocking {
  let set: string | undefined;
  let staysUnlocked = false;
  return {
    standing: async () => ({ passphrase: set !== undefined, notBeforeMs: 0, staysUnlocked }),
    unlockWithPassphrase: async () => {
      await clock.sleep(800);
      return history;
    },
    setPassphrase: async (passphrase) => {
      await clock.sleep(800);
      set = passphrase;
    },
    removePassphrase: async () => {
      set = undefined;
    },
    setStaysUnlocked: async (stays) => {
      staysUnlocked = stays;
    },
    forget: async () => {},
  };
}

/** Three locks and two devices; what is removed is gone. */
function fakeLocks(clock: Clock): LocksSession {
  const day = 24 * 60 * 60 * 1000;
  const lock = { name: undefined, lastUsedAtMs: undefined, isInUse: false, mayVanish: false, canBeCarried: true };
  let locks: LockView[] = [
    { ...lock, lockId: '11'.repeat(16), kind: 'recovery-code', madeAtMs: clock.nowMs() - 40 * day },
    { ...lock, lockId: '22'.repeat(16), kind: 'passkey', name: 'Blue key', madeAtMs: clock.nowMs(), mayVanish: true },
    { ...lock, lockId: '33'.repeat(16), kind: 'recovery-phrase', madeAtMs: clock.nowMs(), isInUse: true },
  ];
  let devices: DeviceView[] = [
    { deviceId: '44'.repeat(16), name: 'Firefox on Linux', lastWroteAtMs: clock.nowMs(), isThis: true },
    { deviceId: '55'.repeat(16), name: undefined, lastWroteAtMs: clock.nowMs() - 9 * day, isThis: false },
  ];
  let epoch = 1;
  return {
    read: async () => ({ locks, devices, epoch, findings: [], olderCount: epoch > 1 ? 12 : 0 }),
    addPasskey: async () => 'opens-chats',
    draftRecovery: async (kind) =>
      kind === 'recovery-code'
        ? 'F7KQ-2M9D-XW4H-B3TN-6ZRC-PY8G-JV5A'
        : 'able barn candle dance eagle forest garden hammer island jungle kitchen ladder magnet nectar',
    addRecovery: async () => {},
    renameLock: async (lockId, name) => {
      locks = locks.map((each) => (each.lockId === lockId ? { ...each, name } : each));
    },
    renameDevice: async (deviceId, name) => {
      devices = devices.map((each) => (each.deviceId === deviceId ? { ...each, name } : each));
    },
    rotate: async ({ removeLocks, removeDevices }) => {
      await clock.sleep(800);
      locks = locks.filter(({ lockId }) => !removeLocks?.has(lockId));
      devices = devices.filter(({ deviceId }) => !removeDevices?.has(deviceId));
      epoch += 1;
    },
  };
}

/** Words of `text` one after another, as a model would give them; `from` is what was said of it before. */
export async function* spoken(
  text: string,
  clock: Clock,
  signal: AbortSignal,
  wordMs = 30,
  from = '',
): AsyncGenerator<ChatEvent, void, undefined> {
  for (const word of text.slice(from.length).match(/\s*\S+/g) ?? []) {
    await clock.sleep(wordMs, signal);
    yield { kind: 'text-delta', text: word };
  }
  yield { kind: 'finish', reason: 'stop', usage: undefined };
}

export function fakeOpenSession(clock: Clock, answerText: string, wordMs?: number): OpenSession {
  return async ({ onPhase }) => {
    onPhase('checking');
    await clock.sleep(400);
    return fakeSession((_, { signal }) => spoken(answerText, clock, signal, wordMs));
  };
}

/** A page without a browser: frames come every 16 ms of `clock`. */
export function fakePage(
  clock: Clock,
  fragment = '',
): Page & { readonly copied: string[]; navigate(to: string): void } {
  let hash = fragment;
  let chat: string | undefined;
  const copied: string[] = [];
  return {
    copied,
    navigate: (to) => {
      hash = to;
    },
    fragment: () => hash,
    clearFragment: () => {
      hash = '';
    },
    openChat: () => chat,
    setOpenChat: (conversationId) => {
      chat = conversationId;
    },
    copy: async (text) => void copied.push(text),
    download: () => {},
    print: () => {},
    nextFrame: (callback) => {
      const stop = new AbortController();
      clock.sleep(16, stop.signal).then(callback, () => {});
      return () => stop.abort();
    },
    setTheme: () => {},
  };
}

export function fakePreferences(): Preferences {
  const values = new Map<string, string>();
  return {
    get: (name) => values.get(name),
    set: (name, value) => void (value === undefined ? values.delete(name) : values.set(name, value)),
  };
}

/** A network without anybody in it. */
export function fakeNetwork(clock: Clock): Services['network'] {
  const nobody = () => Promise.reject(new Error('no network here'));
  const random = { bytes: (length: number) => new Uint8Array(length) };
  const distrust = { isDistrusted: () => false, subscribe: () => () => {} };
  return { baseUrl: 'http://localhost', ports: { clock, random, fetch: nobody, connect: nobody, distrust } };
}

/** Everything an app needs, on fakes; `changes` replace parts. */
export function fakeServices(clock: Clock, changes: Partial<Services> = {}): Services {
  return {
    clock,
    random: { bytes: (length) => new Uint8Array(length) },
    device: fakeDevice(),
    openSession: fakeOpenSession(clock, 'An answer.'),
    accounts: fakeAccounts(clock, fakeHistory(clock)),
    ifAlone: (_, work) => work(),
    tabs: { post: () => {}, subscribe: () => () => {} },
    network: fakeNetwork(clock),
    operatorView: async () => ({}),
    preferences: fakePreferences(),
    page: fakePage(clock, `dev=${FAKE_FINGERPRINT}`),
    ...changes,
  };
}
