/** The worked example of the specification (spec/channel-example.md): current, and the product makes the same bytes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { type Primitives, primitives } from '@sotto/crypto/primitives';
import { encapsulateFromSeed } from '@sotto/crypto/seeded-kem';
import { exampleJson, exampleText, SEEDS } from '../../../vectors/channel/worked-example.ts';
import { computeHandshake, encodePrologue, type HandshakeRole, openRecords, SUITE } from '../transcript.ts';

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

test('CH-07 the product makes every byte of the worked example’s handshake', async () => {
  const prologue = encodePrologue([SUITE], SEEDS.nodeId);
  assert.deepEqual(prologue, value('Prologue', 'prologue'));
  const seeded: Primitives = { ...primitives, encapsulate: encapsulateFromSeed(SEEDS.encapsulation) };
  const transcript = await computeHandshake({
    seeds: SEEDS,
    prologue,
    evidenceDigest: sha256(SEEDS.evidence),
    epochId: SEEDS.epochId,
    primitives: seeded,
  });
  const expected = [
    value('Message 1', 'message 1'),
    value('Message 2', 'message 2'),
    value('Message 2', 'h'),
    value('Keys', 'client → node'),
    value('Keys', 'node → client'),
  ];
  const { messages, handshakeHash, fromInitiator, fromResponder } = transcript;
  const made = [...messages, handshakeHash, fromInitiator, fromResponder];
  assert.deepEqual(made.map(encodeHex), expected.map(encodeHex));
});

test('CH-24 the product opens the records of the worked example, to the frames that it names', async () => {
  const kinds = (from: HandshakeRole, word: string, key: string) => {
    const records = sections
      .filter(({ title }) => title.startsWith(`${word} record`))
      .map(({ title }) => value(title, 'record'));
    return openRecords({ key: value('Keys', key), from, counter: 0, records });
  };
  for (const [from, word, key] of [
    ['initiator', 'Client', 'client → node'],
    ['responder', 'Node', 'node → client'],
  ] as const) {
    const named = sections
      .filter(({ title }) => title.startsWith(`${word} record`))
      .map(({ values }) => values.map(({ name }) => name).filter((name) => !/^(plaintext|nonce|record)$/.test(name)));
    const opened = await kinds(from, word, key);
    assert.deepEqual(
      opened.map((frames) => frames.map(({ kind }) => kind)),
      named,
    );
  }
});
