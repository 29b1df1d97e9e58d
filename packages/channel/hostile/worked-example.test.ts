/** The worked example of the specification (spec/channel-example.md): current, and the product makes the same bytes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { type Primitives, primitives } from '@sotto/crypto/primitives';
import { encapsulateFromSeed } from '@sotto/crypto/seeded-kem';
import { exampleJson, exampleText, NODE_ID, RENEWAL_SEEDS, SEEDS } from '../../../vectors/channel/worked-example.ts';
import { encodeRenewalPrologue } from '../suite.ts';
import { computeHandshake, encodePrologue, openRecords, SUITE } from '../transcript.ts';

interface Section {
  readonly title: string;
  readonly values: readonly { readonly name: string; readonly hex: string }[];
}

const { sections } = JSON.parse(exampleJson()) as { sections: Section[] };
const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

function value(title: string, name: string): Uint8Array<ArrayBuffer> {
  const found = sections.find((one) => one.title === title)?.values.findLast((one) => one.name === name);
  assert.ok(found, `${title}: ${name}`);
  return parseHex(found.hex);
}

test('the worked example is current', () => {
  assert.equal(read('vectors/channel/worked-example.json'), exampleJson());
  assert.equal(read('spec/channel-example.md'), exampleText());
});

const HANDSHAKES = [
  { where: '', seeds: SEEDS, prologue: () => encodePrologue([SUITE], NODE_ID) },
  {
    where: 'Renewal: ',
    seeds: RENEWAL_SEEDS,
    prologue: () => encodeRenewalPrologue([SUITE], NODE_ID, value('Message 2', 'h')),
  },
];

test('CH-07 the product makes every byte of the worked example’s handshakes', async () => {
  assert.deepEqual(encodePrologue([SUITE], NODE_ID), value('Prologue', 'prologue'));
  for (const { where, seeds, prologue } of HANDSHAKES) {
    const seeded: Primitives = { ...primitives, encapsulate: encapsulateFromSeed(seeds.encapsulation) };
    const { messages, handshakeHash, fromInitiator, fromResponder } = await computeHandshake({
      seeds,
      prologue: prologue(),
      evidenceDigest: sha256(seeds.evidence),
      epochId: seeds.epochId,
      primitives: seeded,
    });
    const expected = [
      value(`${where}Message 1`, 'message 1'),
      value(`${where}Message 2`, 'message 2'),
      value(`${where}Message 2`, 'h'),
      value(`${where}Keys`, 'client → node'),
      value(`${where}Keys`, 'node → client'),
    ];
    const made = [...messages, handshakeHash, fromInitiator, fromResponder];
    assert.deepEqual(made.map(encodeHex), expected.map(encodeHex));
  }
});

test('CH-60 the product opens the records of the worked example, to the frames that it names', async () => {
  for (const [where, from, word, key] of [
    ['', 'initiator', 'Client', 'client → node'],
    ['', 'responder', 'Node', 'node → client'],
    ['Renewal: ', 'initiator', 'Client', 'client → node'],
  ] as const) {
    const chosen = sections.filter(({ title }) => title.startsWith(`${where}${word} record`));
    const named = chosen.map(({ values }) =>
      values.map(({ name }) => name).filter((name) => !/^(plaintext|nonce|record|next key.*)$/.test(name)),
    );
    const opened = await openRecords({
      key: value(`${where}Keys`, key),
      from,
      counter: 0,
      records: chosen.map(({ title }) => value(title, 'record')),
    });
    assert.deepEqual(
      opened.map((frames) => frames.map(({ kind }) => kind)),
      named,
    );
  }
});
