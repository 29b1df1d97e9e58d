/** The real services: the client library over the browser's own storage, network and passkeys. */
import {
  browserClock,
  browserFetch,
  browserOnlineHints,
  browserPasskeys,
  browserRandom,
  connectBrowserSocket,
  createBrowserDeviceStore,
  createBrowserRecordStore,
  createBrowserSealedStore,
  createErasableStore,
  createTabChannel,
  ifAlone,
  openDatabase,
  takingTurns,
} from '@sotto/adapters-browser';
import { NodeCache, type NodeSession, openNodeSession, ServerApi } from '@sotto/client';
import type { DistrustSource } from '@sotto/ports';
import { devPolicy } from '@sotto/verify';
import { profileOf } from '../features/settings/model.ts';
import { createAccounts } from './accounts.ts';
import { browserPage, browserPreferences } from './page.ts';
import type { ChatSession, Json, ModelInfo, Services } from './services.ts';

/** Nothing is withdrawn until the public log exists (DESIGN §6). */
const NO_DISTRUST: DistrustSource = { isDistrusted: () => false, subscribe: () => () => {} };

/** What a model that does not say so is taken to read at once. */
const ASSUMED_CONTEXT_TOKENS = 4096;

/** @throws BrowserError `store-unavailable` where the browser keeps nothing for the site */
export async function createBrowserServices(): Promise<Services> {
  const clock = browserClock;
  const random = browserRandom;
  const database = await openDatabase();
  const device = createBrowserDeviceStore(database);
  const sealed = createBrowserSealedStore(database);
  const baseUrl = location.origin;
  const api = new ServerApi(browserFetch, baseUrl);
  const ports = { clock, random, connect: connectBrowserSocket, fetch: browserFetch, distrust: NO_DISTRUST };
  const cache = new NodeCache();

  return {
    clock,
    random,
    device,
    openSession: async ({ fingerprint, onPhase, signal }) => {
      const policy = devPolicy(fingerprint);
      const profile = profileOf(browserPreferences);
      const options = { baseUrl, policy, cache, profile, onPhase, ...(signal && { signal }) };
      return sessionOf(await openNodeSession(ports, options));
    },
    accounts: createAccounts({
      api,
      fetch: browserFetch,
      connect: connectBrowserSocket,
      hints: browserOnlineHints,
      clock,
      random,
      device,
      erasable: await createErasableStore(device),
      sealed,
      takingTurns,
      records: createBrowserRecordStore(sealed),
      passkeys: browserPasskeys,
      preferences: browserPreferences,
    }),
    ifAlone,
    tabs: createTabChannel('account'),
    network: { ports, baseUrl },
    operatorView: async () => (await api.operatorView()) as Json,
    preferences: browserPreferences,
    page: browserPage,
  };
}

function sessionOf(session: NodeSession): ChatSession {
  let models: Promise<readonly ModelInfo[]> | undefined;
  return {
    get report() {
      return session.report;
    },
    get bundle() {
      return session.bundle;
    },
    get onRenewed() {
      return session.onRenewed;
    },
    set onRenewed(listener) {
      session.onRenewed = listener;
    },
    closed: session.closed,
    get isOpen() {
      return session.isOpen;
    },
    close: () => session.close(),
    models: () => {
      // An engine may be started later: only an answer with a model is remembered.
      models ??= listModels(session).then(
        (list) => {
          if (list.length === 0) models = undefined;
          return list;
        },
        (cause: unknown) => {
          models = undefined;
          throw cause;
        },
      );
      return models;
    },
    proveLive: () => session.proveLive(),
    chat: ({ model, messages }, options) => session.chat({ model, messages: [...messages] }, options),
    resume: (ticket, options) => session.resume(ticket, options),
  };
}

async function listModels(session: NodeSession): Promise<readonly ModelInfo[]> {
  return (await session.models()).map((model) => ({
    id: model.id,
    label: model.label ?? model.id,
    parameters: model.parameters ?? 0,
    contextTokens: model.context_tokens ?? ASSUMED_CONTEXT_TOKENS,
    starter: model.starter ?? false,
  }));
}
