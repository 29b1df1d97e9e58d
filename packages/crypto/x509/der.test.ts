/** DER: each way of spelling something twice, cutting it, or making it cost too much is refused by its rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, parseHex } from '@sotto/bytes';
import fc from 'fast-check';
import { parseDer } from './der.ts';
import {
  DerFields,
  explicit,
  readBitStringOctets,
  readEnumerated,
  readNamedBits,
  readObjectIdentifier,
  readSmallInteger,
  readTime,
  readUnsigned,
} from './der-values.ts';
import { CertificateError } from './error.ts';
import { refused } from './refused-for-testing.ts';

const hex = (text: string) => parseHex(text.replaceAll(' ', ''));
const parse = (text: string) => parseDer(hex(text));
const time = (tag: string, text: string) =>
  parse(`${tag}${text.length.toString(16).padStart(2, '0')}${Buffer.from(text).toString('hex')}`);

function refuses(rule: string, inputs: readonly string[]): void {
  for (const input of inputs) assert.throws(() => parse(input), refused('der-malformed', rule), input);
}

test('EV-350 a length that is indefinite, of five octets or longer than it needs is refused', () => {
  refuses('EV-350', [
    '3080 0000',
    '3085 0000000000',
    '30ff',
    '3081 00',
    `3081 7f${'00'.repeat(127)}`,
    '308200 80',
    '04830000ff',
  ]);
  assert.equal(parse(`0481 80${'00'.repeat(128)}`).content.length, 128);
  assert.equal(parse(`0482 0100${'00'.repeat(256)}`).content.length, 256);
});

test('EV-351 a tag of another form, class or type is refused', () => {
  refuses('EV-351', [
    '1f8101 00',
    '3f8101 00',
    '2400',
    '1000',
    '1100',
    '2100',
    '4000',
    '6000',
    '0000',
    '0900',
    'c000',
    'bf1f00',
  ]);
  assert.throws(() => new DerFields(parse('3100')), refused('der-malformed', 'EV-351'));
  assert.throws(() => new DerFields(parse('3003 040101')).next(2), refused('der-malformed', 'EV-351'));
});

test('EV-352 what is cut, too long, left over or missing is refused', () => {
  refuses('EV-352', [
    '',
    '30',
    '3001',
    '300100',
    '0401',
    '0481',
    '0482 01',
    '3002 0402',
    '3000 00',
    '0500 0500',
    '3003 0402 00',
  ]);
  assert.throws(() => new DerFields(parse('3000')).next(), refused('der-malformed', 'EV-352'));
  assert.throws(() => new DerFields(parse('3002 0500')).end(), refused('der-malformed', 'EV-352'));
  assert.throws(() => explicit(parse('a004 0500 0500'), 0xa0), refused('der-malformed', 'EV-352'));
});

function nested(levels: number): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array();
  for (let i = 0; i < levels; i++) {
    const { length } = bytes;
    const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
    bytes = concatBytes(Uint8Array.of(0x30, ...head), bytes);
  }
  return bytes;
}

test('EV-353 input above its limit, too many elements and levels are refused, ten thousand levels at once', () => {
  assert.throws(() => parseDer(new Uint8Array(65_537)), refused('der-malformed', 'EV-353'));
  assert.throws(() => parseDer(hex('0500'), 1), refused('der-malformed', 'EV-353'));
  parseDer(nested(17));
  assert.throws(() => parseDer(nested(18)), refused('der-malformed', 'EV-353'));
  const flat = (count: number) =>
    concatBytes(hex(`3083${(2 * count).toString(16).padStart(6, '0')}`), hex('0500'.repeat(count)));
  parseDer(flat(65_535), 200_000);
  assert.throws(() => parseDer(flat(65_536), 200_000), refused('der-malformed', 'EV-353'));
  const bomb = nested(10_000);
  const started = performance.now();
  assert.throws(() => parseDer(bomb), refused('der-malformed', 'EV-353'));
  assert.ok(performance.now() - started < 100);
});

test('EV-354 a boolean that is neither 00 nor FF is refused', () => {
  refuses('EV-354', ['0100', '010101', '0101fe', '01020000']);
});

test('EV-355 an integer that is empty, padded, negative or too large is refused', () => {
  refuses('EV-355', ['0200', '02020000', '0202007f', '0202ff80', '0a00', '0a020001']);
  assert.throws(() => readUnsigned(parse('020180')), refused('der-malformed', 'EV-355'));
  assert.throws(() => readSmallInteger(parse('02050100000000')), refused('der-malformed', 'EV-355'));
  assert.throws(() => readSmallInteger(parse('0209 010000000000000000')), refused('der-malformed', 'EV-355'));
  assert.throws(() => readSmallInteger(parse('020111'), 16), refused('der-malformed', 'EV-355'));
  assert.throws(() => readEnumerated(parse('0a0111'), 16), refused('der-malformed', 'EV-355'));
  assert.equal(readSmallInteger(parse('02050 0ffffffff'.replace(' ', ''))), 0xffff_ffff);
  assert.equal(readEnumerated(parse('0a0110'), 16), 16);
});

test('EV-356 a bit string with spare bits that are set, or where none may be, is refused', () => {
  refuses('EV-356', ['0300', '030101', '030208ff', '0302 01 01', '0302 07 40']);
  assert.throws(() => readBitStringOctets(parse('0302 01 80')), refused('der-malformed', 'EV-356'));
  assert.throws(() => readNamedBits(parse('0304 00 808080')), refused('der-malformed', 'EV-356'));
  assert.equal(readNamedBits(parse('0302 01 06')), (1 << 5) | (1 << 6));
  assert.equal(readNamedBits(parse('0303 07 0080')), 1 << 8);
  assert.equal(readNamedBits(parse('0301 00')), 0);
});

test('EV-357 an object identifier with padded, endless or huge arcs, and a null that is not empty, are refused', () => {
  refuses('EV-357', ['0600', '060180', '06022a80', '06032a8001', `0621${'01'.repeat(33)}`, '050100']);
  assert.throws(() => readObjectIdentifier(parse(`060a 2a ${'ff'.repeat(8)}7f`)), refused('der-malformed', 'EV-357'));
  assert.equal(readObjectIdentifier(parse('06092a864886f84d010d01'.replace('0609', '0609'))), '1.2.840.113741.1.13.1');
  assert.equal(readObjectIdentifier(parse('0603 883703')), '2.999.3');
});

test('EV-358 the elements of a set stand in order, and none twice', () => {
  refuses('EV-358', ['3106 020102 020101', '3106 020101 020101', '3105 0402 0101 0400'.replace('3105', '3106')]);
  parse('3106 020101 020102');
  parse('3105 0400 040101');
});

test('EV-359 a time in another form, or that is none, is refused', () => {
  const wrong = [
    '2601010000Z',
    '260101000000+0000',
    '260101000000',
    '261301000000Z',
    '260230000000Z',
    '260101240000Z',
    '260101006000Z',
    '260101000060Z',
    '2601010000 0Z',
  ];
  for (const text of wrong) assert.throws(() => readTime(time('17', text)), refused('der-malformed', 'EV-359'), text);
  for (const text of ['20260101000000.5Z', '260101000000Z']) {
    assert.throws(() => readTime(time('18', text)), refused('der-malformed', 'EV-359'), text);
  }
  assert.throws(() => readTime(parse('0500')), refused('der-malformed', 'EV-359'));
  assert.equal(readTime(time('17', '491231235959Z')), Date.UTC(2049, 11, 31, 23, 59, 59) / 1000);
  assert.equal(readTime(time('17', '500101000000Z')), Date.UTC(1950, 0, 1) / 1000);
  assert.equal(readTime(time('18', '99991231235959Z')), Date.UTC(9999, 11, 31, 23, 59, 59) / 1000);
});

test('EV-352 whatever the input is: an element that fills it, or a refusal', () => {
  const some = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.array(fc.constantFrom(0x30, 0x31, 0x02, 0x03, 0x04, 0x05, 0x06, 0x81, 0x82, 0x80, 0xa0, 0, 1, 2, 3), {
      maxLength: 40,
    }),
  );
  fc.assert(
    fc.property(some, (input) => {
      const bytes = Uint8Array.from(input);
      try {
        assert.equal(parseDer(bytes).raw.length, bytes.length);
      } catch (error) {
        assert.ok(error instanceof CertificateError && error.code === 'der-malformed');
      }
    }),
    { numRuns: 2_000 },
  );
});
