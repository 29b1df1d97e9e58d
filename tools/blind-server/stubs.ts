/**
 * Preloaded into a server's process (`node --import …/stubs.ts apps/server/main.ts`): every primitive that decrypts, opens or
 * agrees on a key is replaced by one that leaves a mark and throws, and every module that the process loads is written down.
 * What still works then works without any of them. Both lists go to files in SOTTO_BLIND_DIR, at once, so that a killed
 * process has left them too.
 */
import crypto from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import path from 'node:path';

const folder = process.env.SOTTO_BLIND_DIR;
if (folder === undefined) throw new Error('SOTTO_BLIND_DIR is not set: nobody would see what the stubs saw');
const append = (name: string, line: string): void =>
  appendFileSync(path.join(folder, `${name}-${process.pid}.txt`), `${line}\n`);

const stubbed: string[] = [];

/** Replaces `owner[method]`; a primitive that this Node does not have is no fault, one that cannot be replaced is. */
function stub(label: string, owner: object | undefined, method: string): void {
  if (owner === undefined || !(method in owner)) return;
  const name = `${label}.${method}`;
  const value = function blind(): never {
    append('called', `${name} ${new Error(name).stack?.split('\n').slice(2, 6).join(' <-').trim() ?? ''}`);
    throw new Error(`${name} was called in a process that must not be able to open anything`);
  };
  Object.defineProperty(owner, method, { value, configurable: false, writable: false });
  stubbed.push(name);
}

const OPENING =
  `createDecipheriv createDecipher Decipheriv Decipher privateDecrypt publicDecrypt diffieHellman decapsulate
  createECDH createDiffieHellman createDiffieHellmanGroup getDiffieHellman`.split(/\s+/);
stub('ECDH', crypto.ECDH?.prototype, 'computeSecret');
stub('DiffieHellman', crypto.DiffieHellman?.prototype, 'computeSecret');
stub('DiffieHellmanGroup', crypto.DiffieHellmanGroup?.prototype, 'computeSecret');
for (const method of OPENING) stub('crypto', crypto, method);
const subtle = Object.getPrototypeOf(crypto.webcrypto.subtle) as object;
for (const method of ['decrypt', 'unwrapKey', 'deriveBits', 'deriveKey', 'decapsulateBits', 'decapsulateKey']) {
  stub('subtle', subtle, method);
}
// What was imported by name sees the stubs too.
syncBuiltinESMExports();
append('stubs', stubbed.join('\n'));

registerHooks({
  load(url, context, next) {
    if (!url.startsWith('node:')) append('modules', url);
    return next(url, context);
  },
});
