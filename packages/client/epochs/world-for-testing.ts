/** Browsers of one person, against the real server in this process: for the tests of rotation. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { CookieJar, createNodeFetch } from '@sotto/adapters-node';
import { encodeHex } from '@sotto/bytes';
import type { DeviceStore, SealedStore } from '@sotto/ports';
import {
  createMemoryDeviceStore,
  createMemorySealedStore,
  createRealClock,
  createSeededRandom,
  createSoftwareAuthenticator,
} from '@sotto/testkit';
import { createRecoveryCode } from '@sotto/vault';
import { type RunningServer, startServer } from '../../../apps/server/start.ts';
import { draftAccount, registerAccount } from '../account.ts';
import type { AccountPorts, OpenAccount, PasskeyAuthenticator } from '../account-types.ts';
import { openAccountHistory } from '../archive/open-history.ts';
import type { History } from '../history.ts';
import { ServerApi } from '../server-api.ts';
import { unlockWithRecoveryCode } from '../unlock.ts';
import { createTurns } from '../watch/turns.ts';
import type { AccountEpochs } from './account-epochs.ts';
import { stateLocks } from './lock-book.ts';
import { type RotationPlan, rotate } from './rotate.ts';

let server: RunningServer;
let dataDir: string;
let seed = 0;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sotto-rotation-'));
  const often = { burst: 1000, perSecond: 1000 };
  const limits = { accounts: often, passkeys: often, recoveries: often, rotations: often };
  server = await startServer({ port: 0, dataDir, nodes: [], webDir: dataDir, limits });
});

after(async () => {
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** What a browser keeps between visits. */
export interface Profile {
  readonly device: DeviceStore;
  readonly sealed?: SealedStore;
}

/** Every second browser keeps the history itself, and the others read it from the server. */
export function newProfile(): Profile {
  return { device: createMemoryDeviceStore(), ...(seed++ % 2 === 0 && { sealed: createMemorySealedStore() }) };
}

export function freshBrowser(profile = newProfile()): AccountPorts {
  const plain = createNodeFetch({ cookieJar: new CookieJar() });
  const fetch: typeof plain = (url, init) => plain(url, { ...init, headers: { ...init?.headers, origin: server.url } });
  const random = createSeededRandom(`rotation ${seed++}`);
  return {
    api: new ServerApi(fetch, server.url),
    random,
    clock: createRealClock(),
    takingTurns: createTurns(),
    ...profile,
  };
}

export interface Opened {
  readonly ports: AccountPorts;
  readonly account: OpenAccount & { readonly epochs: AccountEpochs };
  readonly history: History;
}

export async function opened(ports: AccountPorts, account: OpenAccount): Promise<Opened> {
  const history = await openAccountHistory(ports, account);
  await history.settled();
  await stateLocks(account, history, ports.clock);
  await history.settled();
  return { ports, account: account as Opened['account'], history };
}

export async function newAccount(ports = freshBrowser()): Promise<Opened & { readonly code: string }> {
  const { code } = createRecoveryCode(ports.random);
  const account = await registerAccount(ports, await draftAccount(code, ports.random));
  return { ...(await opened(ports, account)), code };
}

export async function unlocked(code: string, ports = freshBrowser()): Promise<Opened> {
  return opened(ports, await unlockWithRecoveryCode(ports, code));
}

export async function say({ history }: Opened, text: string): Promise<string> {
  const conversationId = await history.createConversation(text);
  const turn = { conversationId, status: 'complete', role: 'user', parentId: undefined } as const;
  const messageId = await history.saveMessage({ ...turn, text });
  await history.settled();
  return messageId;
}

export async function synced({ history }: Opened): Promise<string[]> {
  await history.refresh();
  await history.settled();
  return history.findings.map(({ rule, code }) => `${rule} ${code}`);
}

export const titles = ({ history }: Opened) =>
  history
    .conversations()
    .map(({ title }) => title)
    .sort();
export const deviceIdOf = ({ account }: Opened) => encodeHex(account.device.deviceId);
export const run = ({ ports, account, history }: Opened, plan: RotationPlan = {}) =>
  rotate(ports, account, history, plan);
export const codeOf = (code: string) => (error: { code?: string }) => error.code === code;

export function authenticator(): PasskeyAuthenticator {
  const software = createSoftwareAuthenticator({ origin: server.url, random: createSeededRandom(`passkey ${seed++}`) });
  return { isAvailable: () => true, create: software.create, get: software.get };
}
