/** The same verdicts on what a browser has: WebCrypto and noble in place of node:crypto. */
import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

test('every vector of TDX comes to the same on WebCrypto', async (t) => {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: context.conditions.filter((condition) => condition !== 'node') }),
  });
  const { subtle } = globalThis.crypto;
  const verify = subtle.verify;
  let verified = 0;
  subtle.verify = (...args) => {
    verified++;
    return verify.apply(subtle, args);
  };
  try {
    const { holdAll } = (await import('./vectors-for-testing.ts')) as typeof import('./vectors-for-testing.ts');
    const count = await holdAll();
    t.diagnostic(`${count} vectors, ${verified} signatures on WebCrypto`);
    assert.ok(verified > count);
  } finally {
    subtle.verify = verify;
    hooks.deregister();
  }
});
