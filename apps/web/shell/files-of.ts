/** The files of whoever is open: what is behind it is loaded when somebody attaches, opens or removes one. */
import type { History as ClientHistory } from '@sotto/client';
import type { Clock, Fetch, Random, SealedStore } from '@sotto/ports';
import type { LocalOwner } from '@sotto/vault';
import type { Files } from '../features/attachments/files.ts';

export interface FilesPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly sealed: SealedStore;
  readonly takingTurns: <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;
  /** The way to the server, where an account's files are kept. */
  readonly api: { readonly origin: string; readonly fetch: Fetch };
}

export interface FilesOf {
  /** Of the history that is followed. @throws Error when none is */
  files(): Promise<Files>;
  /**
   * @param owner seals what is kept on this device
   * @param place where files go: an account's to the server as well
   */
  follow(history: ClientHistory, owner: () => Promise<LocalOwner>, place: 'device' | 'server'): void;
  /** Copies a guest's files to an account that is about to take its chats over. */
  moveTo(owner: () => Promise<LocalOwner>): Promise<void>;
  /** Nobody is open any more. */
  leave(): void;
}

/** What waits to be sent is sent a little after the chats are there. */
const FIRST_MS = 4000;

export function createFilesOf(ports: FilesPorts): FilesOf {
  let open: (() => Promise<Files>) | undefined;
  let leave = () => {};

  const load = () => Promise.all([import('../features/attachments/files.ts'), import('@sotto/client/attachments')]);
  const follow: FilesOf['follow'] = (history, owner, place) => {
    leave();
    let loading: Promise<Files> | undefined;
    const start = async () => {
      const [{ openFiles }, { remoteBlobs }] = await load();
      const remote = place === 'server' ? { remote: remoteBlobs(ports.api.fetch, ports.api.origin) } : {};
      return openFiles({ ...ports, owner: await owner(), ...remote }, () => history);
    };
    const mine = () => {
      loading ??= start();
      loading.catch(() => {
        loading = undefined;
      });
      return loading;
    };
    const wake = () =>
      void mine().then(
        (files) => files.wake(),
        () => undefined,
      );
    history.beforeRemoval = async (conversationId, messages) => {
      const hasFiles = messages.some(
        ({ content }) => content.type === 'message' && content.unknownFields?.attachments !== undefined,
      );
      if (hasFiles) await (await mine()).willRemove(conversationId, messages);
    };
    const unfollow = history.onRecords((changes) => {
      const isRemoval = changes.some(({ record }) => record?.content.type === 'conversation' && record.content.deleted);
      if (isRemoval && (place === 'server' || loading !== undefined)) wake();
    });
    // The line is back: what waits does not wait for its time.
    const onOnline = () => loading !== undefined && wake();
    if (place === 'server') globalThis.addEventListener?.('online', onOnline);
    open = mine;
    leave = () => {
      unfollow();
      if (place === 'server') globalThis.removeEventListener?.('online', onOnline);
      history.beforeRemoval = undefined;
      void loading?.then(
        (files) => files.stop(),
        () => undefined,
      );
      open = undefined;
      leave = () => {};
    };
    if (place === 'server') void ports.clock.sleep(FIRST_MS).then(() => open === mine && wake());
  };
  const files = () => {
    if (open === undefined) throw new Error('nobody is open');
    return open();
  };
  return {
    files: async () => files(),
    follow,
    moveTo: async (owner) => {
      const [, { Attachments }] = await load();
      const from = await files();
      await from.attachments.moveTo(new Attachments({ ...ports, owner: await owner() }));
    },
    leave: () => leave(),
  };
}
