/**
 * What is inside a record (spec/vault.md, "Content"): types, their fields, and the bytes they are written as. Unknown
 * types and unknown fields are kept and written back, so that an older device never erases what a newer one wrote.
 */
import { encodeCanonicalJson, type JsonObject, parseCanonicalJson } from './canonical-json.ts';
import { VaultError } from './error.ts';
import { Fields } from './fields.ts';
import { encodeRegisters, parseRegisters, type Registers } from './registers.ts';

export type MessageRole = 'system' | 'user' | 'assistant';
/** `partial`: still arriving when it was written. `interrupted`: the answer ended early and can be continued. */
export type MessageStatus = 'complete' | 'partial' | 'interrupted';

/** One message: a node of its conversation's tree. */
export interface MessageContent {
  readonly type: 'message';
  /** Hybrid clock of this write (registers.ts). */
  readonly clock: number;
  /** 16 bytes as hex. */
  readonly conversationId: string;
  /** Record ids of the messages it follows; empty for the first, the first entry counts in this version; at most 16. */
  readonly parents: readonly string[];
  readonly role: MessageRole;
  readonly text: string;
  readonly status: MessageStatus;
  readonly model?: string;
  /** Milliseconds since 1970 by the writer's clock; kept when the message is written again. */
  readonly createdAtMs: number;
  readonly unknownFields?: JsonObject;
}

/** What one device says about a conversation; a device writes one such record a conversation and rewrites only its own. */
export interface ConversationContent {
  readonly type: 'conversation';
  readonly clock: number;
  readonly conversationId: string;
  readonly createdAtMs: number;
  /** `title` holds text; later names are kept and merged alike. */
  readonly registers: Registers;
  /** Once written it holds for ever, whatever arrives later. */
  readonly deleted?: true;
  readonly unknownFields?: JsonObject;
}

/** The signing key of a device, for a device that keeps nothing at rest. */
export interface DeviceKeyContent {
  readonly type: 'device-key';
  readonly clock: number;
  /** 32 bytes as hex: an Ed25519 private key. */
  readonly privateKey: string;
  readonly createdAtMs: number;
  readonly unknownFields?: JsonObject;
}

/** A record of a type, or with a role or status, that this version does not know. */
export interface UnknownContent {
  readonly type: 'unknown';
  readonly recordType: string;
  readonly clock: number;
  /** Everything but type and clock, as it was written. */
  readonly fields: JsonObject;
}

export type RecordContent = MessageContent | ConversationContent | DeviceKeyContent | UnknownContent;

const PARENT_LIMIT = 16;
const ROLES: ReadonlySet<string> = new Set<MessageRole>(['system', 'user', 'assistant']);
const STATUSES: ReadonlySet<string> = new Set<MessageStatus>(['complete', 'partial', 'interrupted']);

/** @throws VaultError `record-content-malformed` when a value is out of its range */
export function encodeRecordContent(content: RecordContent): Uint8Array<ArrayBuffer> {
  const bytes = encodeCanonicalJson(toJson(content));
  parseRecordContent(bytes);
  return bytes;
}

/** @throws VaultError `record-content-malformed` */
export function parseRecordContent(bytes: Uint8Array): RecordContent {
  const object = parseCanonicalJson(bytes);
  const fields = new Fields(object);
  const type = fields.token('type');
  const clock = fields.integer('clock');
  if (type === 'message' && ROLES.has(String(object.role)) && STATUSES.has(String(object.status))) {
    return parseMessage(fields, clock);
  }
  if (type === 'conversation') return parseConversation(fields, clock);
  if (type === 'device-key') return parseDeviceKey(fields, clock);
  return { type: 'unknown', recordType: type, clock, fields: fields.rest() };
}

function parseMessage(fields: Fields, clock: number): MessageContent {
  const model = fields.optional('model', (name) => fields.text(name));
  return {
    type: 'message',
    clock,
    conversationId: fields.id('conversationId'),
    parents: fields.ids('parents', PARENT_LIMIT),
    role: fields.token('role') as MessageRole,
    text: fields.text('text'),
    status: fields.token('status') as MessageStatus,
    createdAtMs: fields.integer('createdAtMs'),
    ...(model === undefined ? {} : { model }),
    ...unknownFields(fields),
  };
}

function parseConversation(fields: Fields, clock: number): ConversationContent {
  const registers = parseRegisters(fields, 'registers');
  // VA-22: a title is shown to a person
  if (registers.title !== undefined && typeof registers.title.value !== 'string') {
    throw new VaultError('record-content-malformed', 'VA-22');
  }
  return {
    type: 'conversation',
    clock,
    conversationId: fields.id('conversationId'),
    createdAtMs: fields.integer('createdAtMs'),
    registers,
    ...(fields.flag('deleted') ? { deleted: true } : {}),
    ...unknownFields(fields),
  };
}

function parseDeviceKey(fields: Fields, clock: number): DeviceKeyContent {
  const privateKey = fields.text('privateKey');
  // VA-22: a key of another length signs nothing
  if (!/^[0-9a-f]{64}$/.test(privateKey)) throw new VaultError('record-content-malformed', 'VA-22');
  return {
    type: 'device-key',
    clock,
    privateKey,
    createdAtMs: fields.integer('createdAtMs'),
    ...unknownFields(fields),
  };
}

function unknownFields(fields: Fields): { unknownFields?: JsonObject } {
  const rest = fields.rest();
  return Object.keys(rest).length === 0 ? {} : { unknownFields: rest };
}

function toJson(content: RecordContent): JsonObject {
  if (content.type === 'unknown') return { ...content.fields, type: content.recordType, clock: content.clock };
  const { unknownFields: kept, ...known } = content;
  switch (known.type) {
    case 'message':
      // A reply cut in mid-character is stored with a replacement character rather than not at all.
      return { ...kept, ...known, text: known.text.toWellFormed() };
    case 'conversation':
      return { ...kept, ...known, registers: encodeRegisters(known.registers) };
    case 'device-key':
      return { ...kept, ...known };
  }
}
