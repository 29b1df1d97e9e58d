/** One tab at a time: two tabs that start together must not both make the guest of this browser. */

/**
 * Runs `work` if no other tab of the site runs one under this name at this moment; else does nothing. Without Web Locks it
 * simply runs.
 */
export async function ifAlone<Result>(name: string, work: () => Promise<Result>): Promise<Result | undefined> {
  const locks = navigator.locks as LockManager | undefined;
  if (locks === undefined) return work();
  const options = { ifAvailable: true };
  return (await locks.request(`sotto/${name}`, options, (lock) => (lock === null ? undefined : work()))) as
    | Result
    | undefined;
}

/** Runs `work` while no other tab of the site runs one under this name. Without Web Locks it simply runs. */
export async function takingTurns<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  // Absent in old browsers and on pages that are not secure contexts, whatever the types say.
  const locks = navigator.locks as LockManager | undefined;
  return locks === undefined ? work() : ((await locks.request(`sotto/${name}`, work)) as Result);
}
