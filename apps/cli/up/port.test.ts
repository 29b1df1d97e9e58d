import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { EXIT, PlainError } from '../plain-error.ts';
import { assertPortFree, freePort, parsePort } from './port.ts';

test('a taken port is named, with what to do', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const error = (await assertPortFree(port).catch((caught: unknown) => caught)) as PlainError;
  assert.ok(error instanceof PlainError);
  assert.match(error.message, new RegExp(`Port ${port} is taken`));
  assert.match(error.advice, /npm start -- --port \d+/);
  assert.equal(error.exitCode, EXIT.unavailable);
  await assertPortFree(await freePort());
});

test('ports are numbers from 1 to 65535', () => {
  assert.equal(parsePort('7070'), 7070);
  for (const bad of ['0', '65536', 'http', '-1', '7070x', '']) assert.throws(() => parsePort(bad), PlainError);
});
