import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAKE_MODEL } from '../../preview/fake-services.ts';
import { createComposerModel } from './model.ts';

function createRig(send: () => Promise<boolean>) {
  const sent: string[] = [];
  const composer = createComposerModel({
    model: () => FAKE_MODEL,
    busy: () => false,
    send: (text) => {
      sent.push(text);
      return send();
    },
    sendEdit: (_, text) => {
      sent.push(`edit ${text}`);
      return send();
    },
  });
  return { composer, sent };
}

test('what was sent leaves the box; what was not comes back before what was typed meanwhile', async () => {
  let settle = (_: boolean) => {};
  const { composer, sent } = createRig(() => new Promise((resolve) => (settle = resolve)));
  composer.setText('Hello');
  const done = composer.submit();
  assert.equal(composer.state.get().text, '');
  composer.setText('and more');
  settle(false);
  await done;
  assert.equal(composer.state.get().text, 'Hello\nand more');
  assert.deepEqual(sent, ['Hello']);
});

test('a text over the limit is not sent and stays', async () => {
  const { composer, sent } = createRig(async () => true);
  const text = 'word '.repeat(20_000);
  composer.setText(text);
  await composer.submit();
  assert.equal(sent.length, 0);
  assert.equal(composer.state.get().text, text);
  assert.equal(composer.state.get().verdict.kind, 'too-long');
});

test('a draft survives the editing of an older message', async () => {
  const { composer, sent } = createRig(async () => true);
  composer.setText('my draft');
  composer.edit('1', 'old words');
  composer.setText('new words');
  await composer.submit();
  assert.deepEqual(sent, ['edit new words']);
  assert.equal(composer.state.get().text, 'my draft');
  composer.edit('1', 'old words');
  composer.cancelEdit();
  assert.equal(composer.state.get().text, 'my draft');
});

test('blank text is not sent', async () => {
  const { composer, sent } = createRig(async () => true);
  composer.setText(' \n ');
  await composer.submit();
  assert.equal(sent.length, 0);
});
