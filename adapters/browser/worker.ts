/**
 * Starts this server's own workers. The page's policy makes a worker's address a trusted type, and allows the one policy below
 * (spec/server.md SV-04): nothing else in the page can start a script from a text.
 */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(address: string): string },
  ): { createScriptURL(address: string): string };
}

/** As the build names them. */
const OWN_WORKER = /^\/assets\/[\w-]+-worker-[\w-]{8}\.js$/;

let policy: { createScriptURL(address: string): string } | undefined;

/** @param address path of the built worker, from an import that ends in `?worker&url` */
export function startWorker(address: string): Worker {
  const trustedTypes = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  const rules = { createScriptURL: ownAddress };
  // A page may make a policy of this name once.
  policy ??= trustedTypes?.createPolicy('sotto-worker', rules) ?? rules;
  return new Worker(policy.createScriptURL(address), { type: 'module' });
}

function ownAddress(address: string): string {
  if (!OWN_WORKER.test(address)) throw new TypeError('not a worker of this server');
  return address;
}
