/**
 * Writes the vectors of folders, arrangement and settings: `node vectors/vault/generate-order.ts`. Contents and what they must
 * come to are both written by hand here; no code under test is asked. Records may arrive in any order.
 */
import { writeFileSync } from 'node:fs';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const id = (n: number): string => n.toString(16).padStart(32, '0');
/** RFC 8785 for what is used here: names sorted, no white space. */
const canonical = (value: Json): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join()}}`;
};

const [A, B] = [id(0xa), id(0xb)];
let counter = 0;
const record = (n: number, deviceId: string, content: Json) => ({
  recordId: id(n),
  deviceId,
  deviceCounter: ++counter,
  content: canonical(content),
});
type Said = readonly [value: Json, clock: number, deviceId?: string];
const registers = (said: Readonly<Record<string, Said>>): Json =>
  Object.fromEntries(
    Object.entries(said).map(([name, [value, clock, deviceId = A]]) => [name, { value, clock, deviceId }]),
  );
const folder = (
  n: number,
  clock: number,
  said: Readonly<Record<string, Said>>,
  more: Readonly<Record<string, Json>> = {},
): Json => ({
  type: 'folder',
  clock,
  folderId: id(n),
  createdAtMs: 1000 + n,
  registers: registers(said),
  ...more,
});
const shown = (n: number, more: Readonly<Record<string, Json>> = {}) => ({
  folderId: id(n),
  name: '',
  instructions: '',
  files: [],
  createdAtMs: 1000 + n,
  ...more,
});
const chat = (clock: number, said: Readonly<Record<string, Said>>): Json => ({
  type: 'conversation',
  clock,
  conversationId: id(0xc),
  createdAtMs: 1,
  registers: registers(said),
});
const setting = (clock: number, name: Json, value?: Json): Json => ({
  type: 'setting',
  clock,
  name,
  ...(value === undefined ? {} : { value }),
});

const vectors = [
  {
    id: 'folder',
    rule: 'VA-63',
    note: 'a project with everything',
    records: [
      record(
        1,
        A,
        folder(1, 9, {
          name: ['Taxes', 3],
          instructions: ['Answer in one line.', 4],
          colour: ['green', 5],
          icon: ['book', 6],
          order: ['V', 7],
          [`file:${id(0xf)}`]: [{ name: 'a.pdf' }, 8],
          [`file:${id(0xe)}`]: [false, 9],
        }),
      ),
    ],
    folders: [
      shown(1, {
        name: 'Taxes',
        instructions: 'Answer in one line.',
        colour: 'green',
        icon: 'book',
        files: [[id(0xf), { name: 'a.pdf' }]],
        order: 'V',
      }),
    ],
  },
  {
    id: 'folder-two-devices',
    rule: 'VA-63',
    note: 'two devices at once: the name of one, the instructions of the other, the earlier time',
    records: [
      record(1, A, folder(1, 9, { name: ['Old', 3], instructions: ['New rules', 9] })),
      record(2, B, folder(1, 8, { name: ['New', 8, B], instructions: ['Old rules', 2, B] }, { createdAtMs: 7 })),
    ],
    folders: [shown(1, { name: 'New', instructions: 'New rules', createdAtMs: 7 })],
  },
  {
    id: 'setting-two-devices',
    rule: 'VA-63',
    note: 'the later write of a name wins, on equal clocks the greater device; null is no longer set',
    records: [
      record(1, A, setting(5, 'retention', 30)),
      record(2, B, setting(6, 'retention', null)),
      record(3, A, setting(7, `lock-name:${id(1)}`, 'Phone')),
      record(4, B, setting(7, `lock-name:${id(1)}`, 'Tablet')),
    ],
    settings: { retention: null, [`lock-name:${id(1)}`]: 'Tablet' },
  },
  {
    id: 'folder-deleted',
    rule: 'VA-64',
    note: 'a removal holds against a later name, and a child of the removed one stands on its own',
    records: [
      record(1, A, folder(1, 5, {}, { deleted: true })),
      record(2, B, folder(1, 9, { name: ['Back', 9, B] })),
      record(3, A, folder(2, 6, { name: ['Child', 6], parent: [id(1), 6] })),
    ],
    folders: [shown(2, { name: 'Child' })],
  },
  {
    id: 'folder-odd',
    rule: 'CL-294',
    note: 'a name that is no text, an id that is none, a missing time: each left out alone',
    records: [
      record(1, A, folder(1, 5, { name: [7, 5] })),
      record(2, A, folder(2, 5, { instructions: [['x'], 5] })),
      record(3, A, folder(3, 5, {}, { folderId: 'x' })),
      record(4, A, folder(4, 5, {}, { createdAtMs: 'soon' })),
      record(5, A, folder(5, 5, {}, { deleted: false })),
      record(6, A, folder(6, 5, { name: ['Whole', 5] })),
    ],
    folders: [shown(6, { name: 'Whole' })],
  },
  {
    id: 'folder-later-version',
    rule: 'CL-294',
    note: 'fields, registers and words of a later version are no reason to hide a folder',
    records: [
      record(
        1,
        A,
        folder(1, 5, { name: ['Later', 5], icon: ['Not A Word', 5], mood: [{ deep: [1] }, 5] }, { shape: 'round' }),
      ),
    ],
    folders: [shown(1, { name: 'Later' })],
  },
  {
    id: 'folder-name-wins-by-form',
    rule: 'VA-22',
    note: 'instructions that are no text are sent to no model',
    records: [
      record(1, A, folder(1, 5, { instructions: ['Be kind.', 5] })),
      record(2, B, folder(1, 9, { instructions: [{ text: 'x' }, 9, B] })),
    ],
    folders: [shown(1, { instructions: 'Be kind.' })],
  },
  {
    id: 'setting-odd',
    rule: 'VA-22',
    note: 'names of another form, and a setting without a value',
    records: [
      record(1, A, setting(5, 'Retention', 1)),
      record(2, A, setting(5, 7, 1)),
      record(3, A, setting(5, 'retention:X', 1)),
      record(4, A, setting(5, 'theme')),
      record(5, A, setting(5, 'retention', 90)),
    ],
    settings: { retention: 90 },
  },
  {
    id: 'order',
    rule: 'CL-295',
    note: 'by key, equal keys by id; a key of another form counts as none, and those stand at the end by id',
    records: [
      record(1, A, folder(1, 5, { order: ['V', 5] })),
      record(2, A, folder(2, 5, { order: ['B', 5] })),
      record(3, A, folder(3, 5, { order: ['V', 5] })),
      record(4, A, folder(4, 5, { order: ['A0', 5] })),
      record(5, A, folder(5, 5, { order: [5, 5] })),
      record(6, A, folder(6, 5, { order: ['A'.repeat(513), 5] })),
    ],
    folders: [
      shown(2, { order: 'B' }),
      shown(1, { order: 'V' }),
      shown(3, { order: 'V' }),
      shown(4),
      shown(5),
      shown(6),
    ],
  },
  {
    id: 'pin',
    rule: 'CL-295',
    note: 'a pin is an order key',
    records: [record(1, A, chat(5, { pin: ['a0', 5], folder: ['here', 5] }))],
    conversations: [{ archived: false, tags: [] }],
  },
  {
    id: 'folders-circle',
    rule: 'CL-296',
    note: 'two devices put two folders into each other; the least of the circle stands on its own, what hangs on it stays',
    records: [
      record(1, A, folder(2, 5, { parent: [id(3), 5] })),
      record(2, B, folder(3, 5, { parent: [id(2), 5, B] })),
      record(3, B, folder(1, 5, { parent: [id(3), 5, B] })),
      record(4, B, folder(4, 5, { parent: [id(4), 5, B] })),
    ],
    folders: [shown(1, { parentId: id(3) }), shown(2), shown(3, { parentId: id(2) }), shown(4)],
  },
  {
    id: 'tags-two-devices',
    rule: 'CL-300',
    note: 'two devices tag one chat at once, and one takes a tag away that the other leaves alone',
    records: [
      record(1, A, chat(9, { 'tag:home': [true, 3], 'tag:work': [true, 9] })),
      record(2, B, chat(8, { 'tag:home': [false, 8, B], 'tag:later': [true, 8, B], 'tag:UPPER': [true, 8, B] })),
    ],
    conversations: [{ archived: false, tags: ['later', 'work'] }],
  },
  {
    id: 'arrangement',
    rule: 'CL-301',
    note: 'everything that a chat can say of its place',
    records: [
      record(
        1,
        A,
        chat(9, {
          title: ['Chat', 1],
          folder: [id(1), 9],
          pin: ['V', 9],
          archived: [true, 9],
          'tag:work': [true, 9],
          retention: [30, 9],
          removing: [7, 9],
          imported: [8, 9],
        }),
      ),
    ],
    conversations: [
      {
        folderId: id(1),
        pin: 'V',
        archived: true,
        tags: ['work'],
        retention: { days: 30, setAtMs: 9 },
        removingSinceMs: 7,
        importedAtMs: 8,
      },
    ],
  },
  ...[-1, 'x', 36_501, null].map((value) => ({
    id: `retention-${value}`,
    rule: 'CL-301',
    note: 'not a number of days',
    records: [
      record(1, A, chat(9, { retention: [value, 9], archived: [1, 9], removing: ['now', 9], imported: [0, 9] })),
    ],
    conversations: [{ archived: false, tags: [] }],
  })),
];

writeFileSync(new URL('order.json', import.meta.url), `${JSON.stringify(vectors, undefined, 1)}\n`);
