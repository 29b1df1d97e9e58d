import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { judge, plantsFor, tableOf } from './control.ts';
import { ENCODINGS } from './encodings.ts';
import { Places } from './places.ts';

test('every form of a text and of a key is found under its own name, amid other bytes or as a whole', () => {
  const plants = plantsFor('memory', 'here', { whole: true });
  const places = new Places();
  for (const { form } of plants) {
    places.add('here', form.whole ? form.bytes : Buffer.concat([randomBytes(50), form.bytes, randomBytes(50)]));
  }
  const missed = judge(places, plants).filter(({ isFound }) => !isFound);
  assert.deepEqual(
    missed.map(({ needle }) => needle.name),
    [],
  );
});

test('the control plants every encoding that the search knows', () => {
  const expected = new Set(plantsFor('memory', 'here', {}).map(({ form }) => form.expect));
  for (const { name } of ENCODINGS) assert.ok(expected.has(name), name);
});

test('planted: what was not leaked, or only in another form, is missed, and the table says where', () => {
  const plants = plantsFor('memory', 'here', { whole: true });
  const places = new Places();
  for (const { needle, form } of plants) {
    const isLeft = form.name === 'hex' && needle.kind === 'text';
    const isOther = form.name === 'gzip' && needle.kind === 'key';
    if (!isLeft) places.add('here', isOther ? needle.bytes : form.bytes);
  }
  const verdicts = judge(places, plants);
  assert.deepEqual(
    verdicts.filter(({ isFound }) => !isFound).map(({ needle }) => needle.name),
    ['memory: text as hex', 'memory: key as gzip'],
  );
  assert.equal(tableOf(verdicts).at(-1)?.match(/!1/g)?.length, 2);
});

test('a place that holds nothing is known to be empty', () => {
  const places = new Places();
  places.add('log', '');
  assert.equal(places.bytes('log'), 0);
  assert.equal(judge(places, plantsFor('log', 'log', {})).filter(({ isFound }) => isFound).length, 0);
});
