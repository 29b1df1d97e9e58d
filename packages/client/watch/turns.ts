/** Work on one name, one after the other: what several tabs of a browser do with Web Locks, within one program. */

export type TakingTurns = <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;

/** For programs that are alone on their device. */
export function createTurns(): TakingTurns {
  const last = new Map<string, Promise<unknown>>();
  return (name, work) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
    last.set(name, turn);
    return turn;
  };
}
