import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPipSettings, parsePipConfiguration } from './pip-settings.ts';

const files = (map: Record<string, string>) => (path: string) => map[path];

test('pip.conf: sections, both separators, comments, continued values and quotes', () => {
  const settings = parsePipConfiguration(
    '# top\n[global]\nindex-url = https://one.example/simple\n; no\nextra-index-url =\n  https://two.example/a\n  https://two.example/b\n[freeze]\nindex-url = https://wrong.example\n[download]\nindex_url: "https://three.example/simple"\n',
  );
  assert.equal(settings.get('index-url'), 'https://three.example/simple');
  assert.equal(settings.get('extra-index-url'), 'https://two.example/a https://two.example/b');
});

test('pip settings: environment over user file over machine file, and pip’s default without any', () => {
  const machine = { '/etc/pip.conf': '[global]\nindex-url = https://machine.example/simple\ncert = /ca.pem\n' };
  const both = { ...machine, '/home/p/.config/pip/pip.conf': '[global]\nindex-url = https://user.example/simple\n' };
  const first = (env: NodeJS.ProcessEnv, map: Record<string, string>) =>
    loadPipSettings(env, '/home/p', files(map)).indexUrls[0];
  assert.equal(first({}, {}), 'https://pypi.org/simple');
  assert.equal(first({}, machine), 'https://machine.example/simple');
  assert.equal(first({}, both), 'https://user.example/simple');
  assert.equal(first({ PIP_INDEX_URL: 'https://env.example/simple' }, both), 'https://env.example/simple');
  assert.equal(loadPipSettings({}, '/home/p', files(machine)).certificateFile, '/ca.pem');
});

test('pip settings: PIP_CONFIG_FILE, its /dev/null, extra indexes and no-index', () => {
  const map = {
    '/my.conf': '[global]\nextra-index-url = https://extra.example/simple\n',
    '/etc/pip.conf': '[global]\nindex-url=https://m.example/\n',
  };
  assert.deepEqual(loadPipSettings({ PIP_CONFIG_FILE: '/my.conf' }, '/h', files(map)).indexUrls, [
    'https://m.example/',
    'https://extra.example/simple',
  ]);
  assert.deepEqual(loadPipSettings({ PIP_CONFIG_FILE: '/dev/null' }, '/h', files(map)).indexUrls, [
    'https://pypi.org/simple',
  ]);
  assert.deepEqual(
    loadPipSettings({ PIP_NO_INDEX: '1', PIP_CONFIG_FILE: '/dev/null' }, '/h', files(map)).indexUrls,
    [],
  );
});

test('pip settings: what is no http address is left out', () => {
  assert.deepEqual(
    loadPipSettings({ PIP_INDEX_URL: 'file:///wheels', PIP_EXTRA_INDEX_URL: 'not a url' }, '/h', files({})).indexUrls,
    [],
  );
});
