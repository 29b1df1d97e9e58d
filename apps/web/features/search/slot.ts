/** The search of whoever is here: begun when there is a history to read, ended with it. Its code is fetched then. */
import type { History, Services } from '../../shell/services.ts';
import type { SearchModelPorts } from './model.ts';
import type { SearchSession } from './search-session.ts';

/** What unlocking and the list need comes first. */
const BEGIN_AFTER_MS = 3000;

export interface SearchSlot {
  /** The session over the open history, begun at the first call. */
  open(): Promise<SearchSession>;
  ports(): Omit<SearchModelPorts, 'session'>;
  /** Another history is open. @param isKept its index is kept: it is brought up to date whether somebody searches or not */
  follow(isKept: boolean): void;
  close(): void;
}

export function createSearchSlot(
  services: Pick<Services, 'accounts' | 'clock'>,
  history: () => History,
  openChat: () => string | undefined,
): SearchSlot {
  const { accounts, clock } = services;
  let session: Promise<SearchSession> | undefined;
  /** Of the history that is followed. */
  let turn = 0;
  const open = () => {
    if (session !== undefined) return session;
    const opening = accounts.openSearch(history());
    session = opening;
    // Another try may work.
    opening.catch(() => {
      if (session === opening) session = undefined;
    });
    return opening;
  };
  const close = () => {
    turn++;
    const ending = session;
    session = undefined;
    ending?.then(
      (one) => one.close(),
      () => {},
    );
  };
  return {
    open,
    close,
    ports: () => ({ history: history(), clock, openChat: openChat() }),
    follow: (isKept) => {
      close();
      if (!isKept) return;
      const own = turn;
      void clock.sleep(BEGIN_AFTER_MS).then(() => {
        if (own === turn) open().catch(() => {});
      });
    },
  };
}
