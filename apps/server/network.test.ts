/** Whom a limit by address counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestServer } from './fixture-for-testing.ts';
import { networkOf } from './network.ts';

test('SV-137 an IPv4 address counts by itself, however it is spelled, and an IPv6 address by its first 64 bits', async (t) => {
  for (const [address, expected] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['2001:db8::', '2001:db8:0:0'],
    ['2001::2:3:4:5:6', '2001:0:0:2'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::192.0.2.7', '0:0:0:0'],
    ['local', 'local'],
  ] as const)
    assert.equal(networkOf(address), expected, address);
  const server = await createTestServer(t, { limits: { guests: { burst: 1, perSecond: 0 } } });
  const status = async (address: string) => (await server.browser(address).call('POST', '/api/guest', {})).status;
  const tries = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::1', '2001:db8:1:3::1', '192.0.2.7', '::ffff:192.0.2.7'];
  assert.deepEqual(await Promise.all(tries.map(status)), [201, 429, 201, 201, 429]);
});
