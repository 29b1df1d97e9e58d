import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startSystem } from '../harness/system.ts';
import { type BlindServer, blindServer } from './blind.ts';

const KEY = 'new Uint8Array(32)';
/** Each is a way to open something, as a server gone wrong might call it: by name, by the module, by the web's API. */
const PLANTED: Readonly<Record<string, string>> = {
  'crypto.createDecipheriv': `createDecipheriv('aes-256-gcm', ${KEY}, new Uint8Array(12))`,
  'crypto.diffieHellman': `crypto.diffieHellman({ privateKey: x.privateKey, publicKey: x.publicKey })`,
  'crypto.privateDecrypt': `crypto.privateDecrypt(x.privateKey, new Uint8Array(8))`,
  'crypto.createECDH': `crypto.createECDH('prime256v1')`,
  'subtle.deriveBits': `await globalThis.crypto.subtle.deriveBits({ name: 'X25519' }, undefined, 256)`,
  'subtle.decrypt': `await crypto.webcrypto.subtle.decrypt({ name: 'AES-GCM' }, undefined, ${KEY})`,
};

/** Runs the real server with one more preload and returns what `blind` has against it. */
async function faultsOf(blind: BlindServer, planted?: string): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-planted-'));
  const file = path.join(folder, 'planted.mjs');
  writeFileSync(file, planted ?? '');
  const extra = planted === undefined ? [] : [pathToFileURL(file).href];
  const system = await startSystem({ ...blind, serverPreload: [...blind.serverPreload, ...extra] });
  await system.stop();
  rmSync(folder, { recursive: true, force: true });
  return blind.faults();
}

test('the server starts and stops blind, with its listed closure and nothing else', async (t) => {
  const blind = blindServer();
  t.after(() => blind.remove());
  assert.deepEqual(await faultsOf(blind), []);
  const { ours, packages } = blind.loaded();
  assert.ok(ours.includes('apps/server/main.ts') && packages.includes('hono'));
});

test('a planted call of each primitive is caught, even where its error is swallowed', async (t) => {
  const blind = blindServer();
  t.after(() => blind.remove());
  const calls = Object.values(PLANTED).map((call) => `try { ${call}; } catch {}`);
  const faults = await faultsOf(
    blind,
    `import crypto, { createDecipheriv } from 'node:crypto';
     const x = crypto.generateKeyPairSync('x25519');
     ${calls.join('\n')}`,
  );
  for (const name of Object.keys(PLANTED)) {
    assert.ok(
      faults.some((fault) => fault.startsWith(`called: ${name} `)),
      `${name} in\n${faults.join('\n')}`,
    );
  }
  // The planted file itself is no part of the closure.
  assert.ok(faults.some((fault) => fault.includes('planted.mjs was loaded and is not listed')));
});

test('a process without the stubs is no proof: that nothing was replaced is a fault', (t) => {
  const blind = blindServer();
  t.after(() => blind.remove());
  const faults = blind.faults();
  assert.ok(faults.includes('crypto.createDecipheriv was not replaced'));
  assert.ok(faults.includes('our file apps/server/main.ts is listed and was not loaded'));
});
