import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Preferences } from '../../shell/services.ts';
import { createSettingsModel, profileOf } from './model.ts';

function kept(values: Record<string, string | undefined>): Preferences {
  return {
    get: (name) => values[name],
    set: (name, value) => {
      values[name] = value;
    },
  };
}

test('what the line hides is balanced until somebody chooses, and remembered then', () => {
  const values: Record<string, string | undefined> = {};
  const preferences = kept(values);
  assert.equal(profileOf(preferences), 'balanced');
  const settings = createSettingsModel({ page: { setTheme: () => undefined } as never, preferences });
  settings.setProfile('strict');
  assert.equal(settings.state.get().profile, 'strict');
  assert.equal(profileOf(preferences), 'strict');
  settings.setProfile('balanced');
  assert.deepEqual(values, { profile: undefined });
  assert.equal(profileOf(kept({ profile: 'loud' })), 'balanced');
});
