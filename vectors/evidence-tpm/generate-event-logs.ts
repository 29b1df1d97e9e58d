/**
 * Writes event-logs.json: one failure each (spec/evidence-tpm.md §event logs). Deterministic.
 *
 *   node vectors/evidence-tpm/generate-event-logs.ts
 */
import { writeFileSync } from 'node:fs';
import { concatBytes, encodeBase64, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256, sha384, unsafeSha1 } from '@sotto/crypto/hash';
import {
  encodeLogEntry,
  encodeTcgLog,
  type LogEntryFake,
  littleEndian,
  type TpmHash,
} from '@sotto/testkit/evidence-tpm';

const SEPARATOR = 4;
const NO_ACTION = 3;
const empty = new Uint8Array();
const one = encodeUtf8('first event');
const two = encodeUtf8('second event');

const both: readonly TpmHash[] = ['sha256', 'sha384'];
const event = (index: number, data: Uint8Array, eventType = SEPARATOR): LogEntryFake => ({
  index,
  eventType,
  digests: { sha1: unsafeSha1(data), sha256: sha256(data), sha384: sha384(data) },
  data,
});
const tcg2 = (entries: readonly LogEntryFake[], padding = empty, banks = both) =>
  encodeTcgLog({ banks, entries, padding });
const ccel = (entries: readonly LogEntryFake[], padding = empty) => tcg2(entries, padding, ['sha384']);
const good = [event(0, one), event(7, two), event(0, two)];
const goodLog = tcg2(good);
const locality = (last: number, index = 0) => ({
  ...event(index, concatBytes(encodeUtf8('StartupLocality\0'), Uint8Array.of(last)), NO_ACTION),
});
const extend = (start: Uint8Array, ...data: Uint8Array[]) =>
  data.reduce((value: Uint8Array, bytes) => sha256(value, sha256(bytes)), start);
const extend384 = (start: Uint8Array, ...data: Uint8Array[]) =>
  data.reduce((value: Uint8Array, bytes) => sha384(value, sha384(bytes)), start);
const zeros = new Uint8Array(32);
const zeros48 = new Uint8Array(48);
/** The header is 69 bytes long in a log of two banks: its Spec ID begins at 32. */
const HEADER_BYTES = 69;
const changed = (bytes: Uint8Array, at: number, ...values: number[]) => {
  const copy = Uint8Array.from(bytes);
  copy.set(values, at);
  return copy;
};
const json = (value: unknown) => encodeUtf8(JSON.stringify(value));

const runtimeDigest = sha384(concatBytes(littleEndian(0x08000001, 4), encodeUtf8(':app-id:'), Uint8Array.of(1, 2)));
const dstackRuntime = {
  imr: 3,
  event_type: 0x08000001,
  digest: encodeHex(runtimeDigest),
  event: 'app-id',
  event_payload: '0102',
};
const dstackBoot = { imr: 0, event_type: 4, digest: encodeHex(sha384(one)), event: '', event_payload: '' };
const dstack = (change: object, base: object = dstackBoot) => json([{ ...base, ...change }]);
const cel = (recnum: number, pcr: number, data: Uint8Array) => ({
  recnum,
  pcr,
  digests: [
    { hashAlg: pcr === 7 ? 'SHA-256' : 'sha256', digest: encodeHex(sha256(data)) },
    { hashAlg: '0x000C', digest: encodeHex(sha384(data)).toUpperCase() },
  ],
  content_type: 'pcclient_std',
  content: { event_type: 'EV_SEPARATOR', event_data: encodeHex(data) },
});
const celLog = [cel(0, 0, one), cel(1, 7, two), cel(2, 0, two)];

const malformed = { class: 'format', code: 'event-log-malformed' };
const mismatch = { class: 'binding', code: 'register-mismatch' };
type Row = [
  id: string,
  rule: string,
  format: string,
  log: Uint8Array,
  expect: object,
  expected?: Record<string, Uint8Array>,
];
const accept = (registers: Record<string, Uint8Array>) => ({ registers_hex: hexOf(registers) });
const pcr = { pcr0: extend(zeros, one, two), pcr7: extend(zeros, two), pcr1: zeros };

const rows: Row[] = [
  ['tcg2', 'EV-307', 'tcg2', goodLog, accept(pcr)],
  [
    'tcg2-no-action-in-between',
    'EV-307',
    'tcg2',
    tcg2([good[0] as never, event(0, one, NO_ACTION), good[2] as never]),
    accept({ pcr0: pcr.pcr0 }),
  ],
  [
    'canonical-no-action',
    'EV-307',
    'canonical-json',
    json([{ ...cel(0, 0, one), content: { event_type: 3 } }]),
    accept({ pcr0: zeros }),
  ],
  [
    'canonical-no-action-by-name',
    'EV-307',
    'canonical-json',
    json([{ ...cel(0, 0, one), content: { event_type: 'EV_NO_ACTION' } }]),
    accept({ pcr0: zeros }),
  ],
  [
    'canonical-about-the-log',
    'EV-307',
    'canonical-json',
    json([{ pcr: 0, digests: [], content_type: 'cel', content: { type: 'cel_version' } }, cel(0, 7, two)]),
    accept({ pcr0: zeros, pcr7: pcr.pcr7 }),
  ],
  ['dstack-no-action', 'EV-307', 'dstack-json', dstack({ event_type: 3 }), accept({ rtmr0: zeros48 })],
  [
    'starts',
    'EV-308',
    'tcg2',
    tcg2([]),
    accept({
      pcr0: zeros,
      pcr16: zeros,
      pcr17: new Uint8Array(32).fill(255),
      pcr22: new Uint8Array(32).fill(255),
      pcr23: zeros,
    }),
  ],
  [
    'starts-rtmr',
    'EV-308',
    'ccel',
    ccel([]),
    accept({ rtmr0: zeros48, rtmr1: zeros48, rtmr2: zeros48, rtmr3: zeros48 }),
  ],
  [
    'locality-3',
    'EV-309',
    'tcg2',
    tcg2([locality(3), ...good]),
    accept({ pcr0: extend(changed(zeros, 31, 3), one, two) }),
  ],
  ['locality-twice', 'EV-309', 'tcg2', tcg2([locality(3), locality(3)]), malformed],
  ['locality-late', 'EV-309', 'tcg2', tcg2([...good, locality(3)]), malformed],
  ['locality-1', 'EV-309', 'tcg2', tcg2([locality(1)]), malformed],
  ['locality-other-register', 'EV-309', 'tcg2', tcg2([locality(3, 1)]), malformed],
  [
    'ccel',
    'EV-305',
    'ccel',
    ccel([event(1, one), event(2, two), event(4, two)]),
    accept({
      rtmr0: extend384(zeros48, one),
      rtmr1: extend384(zeros48, two),
      rtmr3: extend384(zeros48, two),
      rtmr2: zeros48,
    }),
  ],
  ['ccel-mrtd', 'EV-305', 'ccel', ccel([event(0, one)]), malformed],
  ['ccel-index-5', 'EV-305', 'ccel', ccel([event(5, one)]), malformed],
  ['tcg2-pcr-24', 'EV-305', 'tcg2', tcg2([event(24, one)]), malformed],
  ['tcg2-pcr-minus-1', 'EV-305', 'tcg2', tcg2([event(0xffffffff, one)]), malformed],
  ['empty', 'EV-303', 'tcg2', empty, malformed],
  ['cut', 'EV-303', 'tcg2', goodLog.slice(0, -1), malformed],
  [
    'data-beyond-end',
    'EV-303',
    'tcg2',
    changed(goodLog, goodLog.length - two.length - 4, 0xff, 0xff, 0xff, 0x7f),
    malformed,
  ],
  ['header-type', 'EV-301', 'tcg2', changed(goodLog, 4, 4), malformed],
  ['header-digest', 'EV-301', 'tcg2', changed(goodLog, 8, 1), malformed],
  ['older-format', 'EV-301', 'tcg2', changed(goodLog, 46, 0x32), malformed],
  ['bank-unknown', 'EV-302', 'tcg2', changed(goodLog, 60, 0x30), malformed],
  ['bank-length', 'EV-302', 'tcg2', changed(goodLog, 62, 31), malformed],
  ['bank-twice', 'EV-302', 'tcg2', tcg2([], empty, ['sha256', 'sha256']), malformed],
  ['no-bank', 'EV-302', 'tcg2', tcg2([], empty, []), malformed],
  [
    'header-too-long',
    'EV-302',
    'tcg2',
    concatBytes(changed(goodLog, 28, 38).slice(0, HEADER_BYTES), Uint8Array.of(0)),
    malformed,
  ],
  ['digest-missing', 'EV-304', 'tcg2', concatBytes(goodLog, encodeLogEntry(['sha256'], event(0, one))), malformed],
  [
    'digest-of-other-bank',
    'EV-304',
    'tcg2',
    concatBytes(goodLog, encodeLogEntry(['sha256', 'sha1'], event(0, one))),
    malformed,
  ],
  [
    'digest-twice',
    'EV-304',
    'tcg2',
    concatBytes(goodLog, encodeLogEntry(['sha256', 'sha256'], event(0, one))),
    malformed,
  ],
  ['padding-ones', 'EV-306', 'tcg2', tcg2(good, new Uint8Array(100).fill(255)), accept(pcr)],
  ['padding-zeros', 'EV-306', 'tcg2', tcg2(good, new Uint8Array(3)), accept(pcr)],
  ['behind-padding', 'EV-306', 'tcg2', tcg2(good, concatBytes(new Uint8Array(12), Uint8Array.of(1))), malformed],
  [
    'behind-padding-ones',
    'EV-306',
    'tcg2',
    tcg2(good, concatBytes(new Uint8Array(12).fill(255), Uint8Array.of(0))),
    malformed,
  ],
  [
    'dstack',
    'EV-310',
    'dstack-json',
    json([dstackBoot, dstackRuntime]),
    accept({ rtmr0: extend384(zeros48, one), rtmr3: sha384(zeros48, runtimeDigest) }),
  ],
  ['dstack-not-json', 'EV-310', 'dstack-json', encodeUtf8('[{]'), malformed],
  ['dstack-not-utf8', 'EV-310', 'dstack-json', Uint8Array.of(0xff), malformed],
  ['dstack-not-a-list', 'EV-310', 'dstack-json', json(dstackBoot), malformed],
  ['dstack-not-entries', 'EV-310', 'dstack-json', json([null]), malformed],
  ['dstack-imr-4', 'EV-310', 'dstack-json', dstack({ imr: 4 }), malformed],
  ['dstack-imr-text', 'EV-310', 'dstack-json', dstack({ imr: '0' }), malformed],
  ['dstack-type', 'EV-310', 'dstack-json', dstack({ event_type: -1 }), malformed],
  ['dstack-no-event', 'EV-310', 'dstack-json', dstack({ event: null }), malformed],
  ['dstack-payload', 'EV-310', 'dstack-json', dstack({ event_payload: 'xy' }), malformed],
  ['dstack-short-digest', 'EV-310', 'dstack-json', dstack({ digest: '00'.repeat(32) }), malformed],
  ['dstack-no-digest', 'EV-310', 'dstack-json', dstack({ digest: '' }), malformed],
  [
    'dstack-runtime-no-digest',
    'EV-311',
    'dstack-json',
    dstack({ digest: '' }, dstackRuntime),
    accept({ rtmr3: sha384(zeros48, runtimeDigest) }),
  ],
  [
    'dstack-runtime-other',
    'EV-311',
    'dstack-json',
    dstack({ event_payload: '0103' }, dstackRuntime),
    { class: 'binding', code: 'event-digest-mismatch' },
  ],
  ['canonical', 'EV-312', 'canonical-json', json(celLog), accept(pcr)],
  [
    'canonical-sequence',
    'EV-312',
    'canonical-json',
    encodeUtf8(celLog.map((entry) => `\x1e${JSON.stringify(entry)}\n`).join('')),
    accept(pcr),
  ],
  ['canonical-not-json', 'EV-312', 'canonical-json', encodeUtf8('\x1e{}\x1e{'), malformed],
  ['canonical-not-a-list', 'EV-312', 'canonical-json', json({ pcr: 0 }), malformed],
  [
    'canonical-no-register',
    'EV-312',
    'canonical-json',
    json([{ ...cel(0, 0, one), pcr: undefined, nv_index: 1 }]),
    malformed,
  ],
  ['canonical-pcr-24', 'EV-312', 'canonical-json', json([cel(0, 24, one)]), malformed],
  ['canonical-no-digests', 'EV-312', 'canonical-json', json([{ ...cel(0, 0, one), digests: undefined }]), malformed],
  [
    'canonical-unknown-hash',
    'EV-312',
    'canonical-json',
    json([{ ...cel(0, 0, one), digests: [{ hashAlg: 'md5', digest: '00' }] }]),
    malformed,
  ],
  // Found by the fuzzer: JavaScript takes a list of one number for that number, and a deep list for a full stack.
  [
    'canonical-hash-in-a-list',
    'EV-312',
    'canonical-json',
    json([{ ...cel(0, 0, one), digests: [{ hashAlg: [11], digest: encodeHex(sha256(one)) }] }]),
    malformed,
  ],
  [
    'canonical-hash-in-a-list',
    'EV-312',
    'canonical-json',
    json([{ ...cel(0, 0, one), digests: [{ hashAlg: [11], digest: encodeHex(sha256(one)) }] }]),
    malformed,
  ],
  [
    'canonical-short-digest',
    'EV-312',
    'canonical-json',
    json([{ ...cel(0, 0, one), digests: [{ hashAlg: 'sha256', digest: '00' }] }]),
    malformed,
  ],
  [
    'canonical-digest-twice',
    'EV-312',
    'canonical-json',
    json([{ ...cel(0, 0, one), digests: [...cel(0, 0, one).digests, ...cel(0, 0, one).digests] }]),
    malformed,
  ],
  ['records-out-of-order', 'EV-313', 'canonical-json', json([celLog[2], celLog[0]]), malformed],
  ['record-twice', 'EV-313', 'canonical-json', json([celLog[0], celLog[0]]), malformed],
  ['record-not-a-number', 'EV-313', 'canonical-json', json([{ ...celLog[0], recnum: '0' }]), malformed],
  ['expected', 'EV-314', 'tcg2', goodLog, accept(pcr), { pcr0: pcr.pcr0, pcr7: extend384(zeros48, two), pcr5: zeros }],
  ['expected-other', 'EV-314', 'tcg2', goodLog, mismatch, { pcr0: pcr.pcr7 }],
  ['expected-no-register', 'EV-314', 'tcg2', goodLog, mismatch, { rtmr0: zeros }],
  ['expected-other-order', 'EV-314', 'tcg2', tcg2(good.toReversed()), mismatch, pcr],
  [
    'expected-absent-bank',
    'EV-315',
    'tcg2',
    goodLog,
    { class: 'format', code: 'bank-absent' },
    { pcr0: new Uint8Array(20) },
  ],
  [
    'bank-in-one-entry-alone',
    'EV-315',
    'canonical-json',
    json([cel(0, 0, one), { pcr: 0, digests: [{ hashAlg: 'sha1', digest: '00'.repeat(20) }] }]),
    { class: 'format', code: 'bank-absent' },
  ],
  [
    'sha1-where-nothing-else',
    'EV-315',
    'tcg2',
    tcg2([event(0, one)], empty, ['sha1']),
    accept({ pcr0: unsafeSha1(new Uint8Array(20), unsafeSha1(one)) }),
  ],
];

const vectors = rows.map(([id, rule, format, log, expect, expected]) => ({
  id,
  rule,
  format,
  log: encodeBase64(log),
  ...(expected && { expected_hex: hexOf(expected) }),
  expect,
}));
const file = new URL('event-logs.json', import.meta.url);
writeFileSync(file, `${JSON.stringify({ note: 'spec/evidence-tpm.md, event logs', vectors }, null, 2)}\n`);

function hexOf(registers: Record<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, encodeHex(value)]));
}
