/** Choosing files: what is sealed, refused, taken back and sent; a picture goes redrawn or is said not to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attachments, LOCAL_LIMITS, parseAttachments } from '@sotto/client/attachments';
import { createManualClock, createMemorySealedStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey, type JsonValue } from '@sotto/vault';
import type { Files } from './files.ts';
import { createAttachModel } from './model.ts';
import { lookAtRoom } from './usage.ts';
import { sizeWords, w } from './words.ts';

const random = createSeededRandom('attach model');

function rig(redrawn?: Blob) {
  const sealed = createMemorySealedStore();
  const attachments = new Attachments({
    sealed,
    owner: { accountId: random.bytes(16), key: createAccountKey(random) },
    clock: createManualClock(),
    random,
    takingTurns: (_, work) => work(),
    limits: { ...LOCAL_LIMITS, queueBytes: 20_000 },
  });
  let wakes = 0;
  const files = async () => ({ attachments, wake: () => wakes++ }) as unknown as Files;
  const thumbnail = { mediaType: 'image/jpeg', data: random.bytes(100) };
  const redraw = async () => (redrawn === undefined ? undefined : { blob: redrawn, thumbnail });
  const model = createAttachModel({ files, redraw });
  return {
    model,
    sealed,
    attachments,
    files,
    wakes: () => wakes,
    steps: () => model.state.get().chips.map(({ step }) => step),
  };
}

const file = (name: string, content: string, type = 'text/plain') => new File([content], name, { type });

test('files are sealed one after the other, go with one message, and are sent in the background', async () => {
  const { model, attachments, wakes, steps } = rig();
  await model.add([file('a.txt', 'hello'), file('b.bin', 'x', 'application/octet-stream')]);
  assert.deepEqual(steps(), ['ready', 'ready']);
  assert.deepEqual(
    model.state.get().chips.map(({ notes }) => notes),
    [[w('note.text')], [w('note.other')]],
  );
  const kept = parseAttachments((await model.keep('c', 5)) as JsonValue);
  assert.deepEqual(
    kept.map(({ name, bytes }) => [name, bytes]),
    [
      ['a.txt', 5],
      ['b.bin', 1],
    ],
  );
  model.sent();
  await Promise.resolve();
  assert.deepEqual(steps(), []);
  assert.equal(await model.keep('c', 5), undefined);
  assert.equal(new TextDecoder().decode(await attachments.read(kept[0] as (typeof kept)[0], 'c')), 'hello');
  assert.equal(wakes(), 1);
});

test('what fails is said and can be tried again, what is taken back leaves nothing, and ten are enough', async () => {
  const { model, sealed, steps } = rig();
  await model.add([file('empty.txt', ''), file('large.txt', 'x'.repeat(30_000)), file('c.txt', 'c')]);
  assert.deepEqual(steps(), ['failed', 'failed', 'ready']);
  const [empty, large, good] = model.state.get().chips;
  assert.deepEqual(empty?.notes, [w('error.empty')]);
  assert.match(large?.notes[0] ?? '', /Too many files wait/);
  await model.remove(good?.id ?? 0);
  assert.deepEqual(sealed.names(), []);
  await model.retry(large?.id ?? 0);
  assert.equal(steps()[1], 'failed');
  await model.add(Array.from({ length: 12 }, (_, i) => file(`${i}.txt`, 'x'.repeat(9))));
  assert.equal(steps().length, 10);
  assert.equal(model.state.get().problem, w('error.too-many', { limit: 10 }));
  model.sent();
  assert.deepEqual([...new Set(steps())], ['failed']);
  await model.clear();
  assert.deepEqual(steps(), []);
  model.refuseTemporary();
  assert.equal(model.state.get().problem, w('error.temporary'));
});

test('a picture is kept as it was redrawn; one that cannot be redrawn says what stays in it', async () => {
  const drawn = rig(new Blob(['redrawn'], { type: 'image/jpeg' }));
  await drawn.model.add([file('photo.jpg', 'with its place', 'image/jpeg')]);
  const [chip] = drawn.model.state.get().chips;
  assert.deepEqual(chip?.notes, [w('note.location'), w('note.image')]);
  assert.ok(chip?.attachment?.thumbnail);
  assert.equal(new TextDecoder().decode(await drawn.attachments.read(chip.attachment, 'c')), 'redrawn');
  const plain = rig();
  await plain.model.add([file('photo.gif', 'GIF', 'image/gif')]);
  assert.deepEqual(plain.model.state.get().chips[0]?.notes, [w('note.unchanged'), w('note.image')]);
});

test('the room that files take is told by chat, and nothing is collected where messages may be withheld', async () => {
  const { model, files, attachments } = rig();
  await model.add([file('a.txt', 'x'.repeat(3000)), file('b.txt', 'y')]);
  const field = (await model.keep('c', 1)) as JsonValue;
  const record = { content: { type: 'message', unknownFields: { attachments: field } } };
  let collected = 0;
  attachments.collectRemote = async () => ++collected;
  const history = (findings: unknown[]) =>
    ({
      damagedCount: 0,
      findings,
      eachConversation: async function* () {
        yield { summary: { conversationId: 'a', title: 'Empty' }, records: [] };
        // The same files in two branches count once.
        yield { summary: { conversationId: 'c', title: 'Full' }, records: [record, record] };
      },
    }) as unknown as Parameters<typeof lookAtRoom>[0];
  const report = await lookAtRoom(history([]), await files());
  assert.deepEqual(report.chats, [{ conversationId: 'c', title: 'Full', bytes: 3001, files: 2 }]);
  assert.deepEqual([report.bytes, report.server], [3001, undefined]);
  await lookAtRoom(history([{}]), await files());
  assert.equal(collected, 1);
  assert.deepEqual([999, 1000, 12_345, 104_857_600, 2e9].map(sizeWords), [
    '999 bytes',
    '1.0 kB',
    '12 kB',
    '105 MB',
    '2.0 GB',
  ]);
});
