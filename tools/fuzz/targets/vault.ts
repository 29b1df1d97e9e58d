/** The vault: what a hostile server may give back for an envelope, a lock, a device record, and what a person types. */
import { deepStrictEqual } from 'node:assert/strict';
import { encodeUtf8, equalBytes, parseBase64, parseHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import {
  AccountKey,
  buildConversations,
  deriveEpochKey,
  deriveRecovery,
  encodeRecordContent,
  type LockKind,
  LockSecret,
  listConversations,
  type OpenedRecord,
  openRecord,
  parseLockHeader,
  parseRecordContent,
  parseRecoveryCode,
  parseVisibleHeader,
  sealEnvelope,
  thread,
  unwrapAccountKey,
  VaultError,
  verifyDeviceRecord,
} from '@sotto/vault';
import { fill, loadVectors, lossyText } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

type Bytes = Uint8Array<ArrayBuffer>;

interface EnvelopeVector {
  readonly accountKey: string;
  readonly expectedAccountId: string;
  readonly expectedRecordId: string;
  readonly epoch: number;
  readonly envelope: string;
  readonly content?: string;
  readonly expect: unknown;
}
const envelopes = loadVectors<EnvelopeVector[]>('vault/envelopes.json');
const first = envelopes[0] as EnvelopeVector;
const accountId = parseHex(first.expectedAccountId);
const recordId = parseHex(first.expectedRecordId);
const epochKey = deriveEpochKey(new AccountKey(parseHex(first.accountKey)), accountId, first.epoch);
const opening = { epochKey, expectedAccountId: accountId, expectedRecordId: recordId, expectedEpoch: first.epoch };
const KNOWN_ENVELOPES = new Set(envelopes.map(({ envelope }) => envelope));
const contents = (): Input[] =>
  envelopes.flatMap(({ content }) => (content === undefined ? [] : [[encodeUtf8(content)] as Input]));

interface LockVector {
  readonly expectedKind: LockKind;
  readonly expectedAccountId: string;
  readonly expectedLockId: string;
  readonly credentialId?: string;
  readonly minimumEpoch: number;
  readonly secret: string;
  readonly lock: string;
}
const locks = loadVectors<LockVector[]>('vault/locks.json');
const KNOWN_LOCKS = new Set(locks.map(({ lock }) => lock));
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

const devices = loadVectors<{ expectedAccountId: string; record: string }[]>('vault/devices.json');
const KNOWN_DEVICES = new Set(devices.map(({ record }) => record));

export const vaultTargets: readonly Target[] = [
  {
    name: 'vault/envelope',
    errors: [VaultError],
    corpus: () => envelopes.map(({ envelope }) => [parseBase64(envelope)]),
    async run([part = new Uint8Array(0)]) {
      try {
        parseVisibleHeader(part);
      } catch (error) {
        if (!(error instanceof VaultError)) throw error;
      }
      await openRecord({ ...opening, envelope: part });
      insist(KNOWN_ENVELOPES.has(base64(part)), 'an envelope that nobody sealed was opened');
    },
  },
  {
    name: 'vault/content',
    errors: [VaultError],
    corpus: contents,
    run([part = new Uint8Array(0)]) {
      insist(equalBytes(encodeRecordContent(parseRecordContent(part)), part), 'two spellings of the same content');
    },
  },
  {
    // A device of the account's own that went wrong: sealed as it should be, with any content.
    name: 'vault/sealed-content',
    errors: [VaultError],
    corpus: contents,
    async run([part = new Uint8Array(0)]) {
      const header = { accountId, recordId, epoch: first.epoch, deviceId: fill(16, 5), deviceCounter: 9 };
      const envelope = await sealEnvelope({ ...header, epochKey, content: part, random: createSeededRandom('fuzz') });
      const { content } = await openRecord({ ...opening, envelope });
      insist(equalBytes(encodeRecordContent(content), part), 'a content came back changed');
    },
  },
  {
    name: 'vault/lock',
    errors: [VaultError],
    corpus: () => locks.map(({ lock }) => [parseBase64(lock)]),
    async run([part = new Uint8Array(0)]) {
      try {
        parseLockHeader(part);
      } catch (error) {
        if (!(error instanceof VaultError)) throw error;
      }
      let refusal: unknown;
      for (const vector of locks.slice(0, 2)) {
        try {
          await unwrapAccountKey({
            lock: part,
            secret: new LockSecret(parseHex(vector.secret)),
            expectedKind: vector.expectedKind,
            expectedAccountId: parseHex(vector.expectedAccountId),
            expectedLockId: parseHex(vector.expectedLockId),
            ...(vector.credentialId === undefined ? {} : { expectedCredentialId: parseHex(vector.credentialId) }),
            minimumEpoch: vector.minimumEpoch,
          });
          insist(KNOWN_LOCKS.has(base64(part)), 'a lock that nobody made was opened');
          return;
        } catch (error) {
          if (!(error instanceof VaultError)) throw error;
          refusal ??= error;
        }
      }
      throw refusal;
    },
  },
  {
    name: 'vault/recovery-code',
    errors: [VaultError],
    corpus: () => loadVectors<{ text: string }[]>('vault/recovery-codes.json').map(({ text }) => [encodeUtf8(text)]),
    run([part]) {
      const secret = parseRecoveryCode(lossyText(part));
      deriveRecovery(secret);
      insist(parseRecoveryCode(secret.spell()).spell() === secret.spell(), 'a code does not read as it is shown');
    },
  },
  {
    name: 'vault/device-record',
    errors: [VaultError],
    corpus: () => devices.map(({ record }) => [parseBase64(record)]),
    async run([part = new Uint8Array(0)]) {
      await verifyDeviceRecord(part, { expectedAccountId: parseHex(devices[0]?.expectedAccountId ?? '') });
      insist(KNOWN_DEVICES.has(base64(part)), 'a device record that nobody signed was believed');
    },
  },
  {
    // Each part is the content of one record; those that do not parse are left out, as a history leaves them out.
    name: 'vault/tree',
    errors: [VaultError],
    corpus: () => [contents().flat() as Bytes[], conversation(6), conversation(30)],
    run(input) {
      const records = input.flatMap((part, index) => {
        try {
          const id = (index + 1).toString(16).padStart(32, '0');
          const content = parseRecordContent(part);
          return [
            { recordId: id, deviceId: '5'.repeat(32), deviceCounter: index + 1, epoch: 1, content } as OpenedRecord,
          ];
        } catch (error) {
          if (!(error instanceof VaultError)) throw error;
          return [];
        }
      });
      const conversations = buildConversations(records);
      for (const one of listConversations(conversations)) {
        for (const throughId of [undefined, ...one.messages.keys()]) {
          const ids = thread(one, throughId).map(({ node }) => node.recordId);
          insist(new Set(ids).size === ids.length, 'a message stands twice in one thread');
          insist(throughId === undefined || ids.includes(throughId), 'a thread leaves out the message it goes through');
        }
        insist(
          one.deleted || one.messages.size === 0 || thread(one).length > 0,
          'no message of a conversation is shown',
        );
      }
      deepStrictEqual(buildConversations(records.toReversed()), conversations);
      return records.length === 0 ? 'nothing-parsed' : undefined;
    },
  },
];

/** A row of messages, each after the one before. */
function conversation(length: number): Bytes[] {
  return Array.from({ length }, (_, index) =>
    encodeRecordContent({
      type: 'message',
      clock: 1000 + index,
      conversationId: 'c'.repeat(32),
      parents: index === 0 ? [] : [index.toString(16).padStart(32, '0')],
      role: index % 2 === 0 ? 'user' : 'assistant',
      text: `message ${index}`,
      status: 'complete',
      createdAtMs: 1_790_000_000_000,
    }),
  );
}
