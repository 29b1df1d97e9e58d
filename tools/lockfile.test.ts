import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareManifests, type LockEntry, type Lockfile, platformOf, repair } from './lockfile.ts';

const lock = (packages: Record<string, LockEntry>): Lockfile => ({ packages });

test('the platform is read from the words of a name', () => {
  assert.deepEqual(platformOf('@biomejs/cli-linux-arm64-musl'), { os: ['linux'], cpu: ['arm64'], libc: ['musl'] });
  assert.deepEqual(platformOf('@node-llama-cpp/mac-arm64-metal'), { os: ['darwin'], cpu: ['arm64'] });
  assert.deepEqual(platformOf('@node-llama-cpp/win-x64-cuda'), { os: ['win32'], cpu: ['x64'] });
  assert.deepEqual(platformOf('@rolldown/binding-wasm32-wasi'), { cpu: ['wasm32'] });
  assert.deepEqual(platformOf('left-pad'), {});
});

test('a complete lockfile needs nothing', () => {
  const whole = lock({
    '': {},
    'node_modules/a': { version: '1.0.0', optionalDependencies: { 'a-win32-x64': '1.0.0' } },
  });
  whole.packages['node_modules/a-win32-x64'] = { version: '1.0.0', optional: true };
  assert.deepEqual(repair(whole), { repairs: [], faults: [], searched: 3 });
});

test('planted: a foreign package is missing, and is added once as its parent is marked', () => {
  const holed = lock({
    '': {},
    'node_modules/a': { version: '1.0.0', dev: true, optionalDependencies: { 'a-darwin-arm64': '1.0.0' } },
  });
  assert.equal(repair(holed).repairs.length, 1);
  assert.deepEqual(holed.packages['node_modules/a-darwin-arm64'], {
    version: '1.0.0',
    cpu: ['arm64'],
    dev: true,
    optional: true,
    os: ['darwin'],
  });
  assert.deepEqual(repair(holed).repairs, []);
});

test('an optional package beside an ancestor counts as present', () => {
  const nested = lock({
    'node_modules/b': { version: '1.0.0' },
    'node_modules/b/node_modules/a': { version: '1.0.0', optionalDependencies: { 'a-win32-x64': '1.0.0' } },
    'node_modules/b/node_modules/a-win32-x64': { version: '1.0.0' },
  });
  assert.deepEqual(repair(nested).repairs, []);
});

const faulty: [name: string, packages: Record<string, LockEntry>, expected: RegExp][] = [
  [
    'the package of this platform is missing',
    { 'node_modules/a': { version: '1.0.0', optionalDependencies: { 'a-linux-x64': '1.0.0' } } },
    /needed on linux x64/,
  ],
  [
    'the package of linux arm64 with glibc is missing',
    { 'node_modules/a': { version: '1.0.0', optionalDependencies: { 'a-linux-arm64-gnu': '1.0.0' } } },
    /needed on linux arm64/,
  ],
  [
    'a missing package has a range for a version',
    { 'node_modules/a': { version: '1.0.0', optionalDependencies: { 'a-win32-x64': '^1.0.0' } } },
    /not exact/,
  ],
  [
    'a missing package tells no platform',
    { 'node_modules/a': { version: '1.0.0', optionalDependencies: { faster: '1.0.0' } } },
    /tells no platform/,
  ],
  [
    'a download address',
    { 'node_modules/a': { version: '1.0.0', resolved: 'https://registry.example/a.tgz' } },
    /carries a download address/,
  ],
  ['an entry without a version', { 'node_modules/a': {} }, /no version/],
];
for (const [name, packages, expected] of faulty) {
  test(`planted: ${name}`, () => assert.match(repair(lock(packages)).faults.join('\n'), expected));
}

test('planted: a graphics variant of the engine would be installed', () => {
  const wide = lock({ 'node_modules/@node-llama-cpp/linux-x64-cuda': { version: '3.22.1', os: ['linux'] } });
  assert.equal(repair(wide).repairs.length, 1);
  assert.deepEqual(wide.packages['node_modules/@node-llama-cpp/linux-x64-cuda']?.os, ['none']);
});

test('planted: a workspace asks for what the lockfile does not know, and a workspace is not in it', () => {
  const whole = lock({ '': {}, 'packages/x': { dependencies: { ws: '8.23.0', hono: '4.13.19' } } });
  const same = new Map([['packages/x', { dependencies: { hono: '4.13.19', ws: '8.23.0' } }]]);
  assert.deepEqual(compareManifests(whole, same), []);
  const more = new Map([['packages/x', { dependencies: { ws: '8.24.0', hono: '4.13.19' } }]]);
  assert.match(compareManifests(whole, more).join(), /packages\/x\/package\.json: its dependencies/);
  assert.match(compareManifests(whole, new Map([['packages/y', {}]])).join(), /packages\/y\/package\.json: not in/);
});
