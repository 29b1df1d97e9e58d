/**
 * A chat that its owner shares by a link (spec/vault.md, "Shares"): a sealed copy of what was shown, as a blob of one part, and the
 * link that opens it. The link's maker is whoever sends it: its text and what it opens are input.
 */
import {
  ByteReader,
  BytesError,
  ByteWriter,
  encodeBase64Url,
  encodeUtf8,
  parseBase64Url,
  parseUtf8,
} from '@sotto/bytes';
import type { Random } from '@sotto/ports';
import { createBlobKey, openBlob, sealBlob } from '../blob/index.ts';
import { VaultError } from '../error.ts';
import { BlobKey, unsafeRevealSecret } from '../keys.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Of the content; sealed it stays below the 1 MiB that a server keeps. */
export const SHARE_CONTENT_LIMIT_BYTES = 960_000;
const FORMAT = 'sotto-share/v1';
const MESSAGES_LIMIT = 5000;
/** Chunks of 1 MiB: a copy is one part. */
const CHUNK = 20;
const LINK_BYTES = 16 + 32 + 4;
const ROLES: ReadonlySet<unknown> = new Set(['user', 'assistant']);

export interface SharedMessage {
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly model?: string;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
}

export interface SharedChat {
  readonly title: string;
  readonly sharedAtMs: number;
  readonly messages: readonly SharedMessage[];
}

/** What the fragment of a link says. */
export interface ShareLink {
  /** 16 bytes. */
  readonly shareId: Uint8Array;
  readonly key: BlobKey;
  /** Of the content, in bytes. */
  readonly length: number;
}

export function encodeShareLink({ shareId, key, length }: ShareLink): string {
  return encodeBase64Url(new ByteWriter(LINK_BYTES).raw(shareId).raw(unsafeRevealSecret(key)).u32(length).finish());
}

/** @throws VaultError `share-malformed` */
export function parseShareLink(text: string): ShareLink {
  try {
    const bytes = text.length > 2 * LINK_BYTES ? new Uint8Array(0) : parseBase64Url(text);
    // VA-200: a link that lost its end opens nothing, and says so before anybody is asked
    if (bytes.length !== LINK_BYTES) throw new VaultError('share-malformed', 'VA-200');
    const reader = new ByteReader(bytes);
    const shareId = reader.take(16);
    return { shareId, key: new BlobKey(reader.take(32)), length: reader.u32() };
  } catch (error) {
    if (error instanceof BytesError) throw new VaultError('share-malformed', 'VA-200');
    throw error;
  }
}

/** @throws VaultError `share-too-large` */
export async function sealShare(chat: SharedChat, random: Random): Promise<{ link: ShareLink; sealed: Bytes }> {
  const content = encodeUtf8(JSON.stringify({ format: FORMAT, ...chat }));
  // VA-202: a copy that is cut would say something that nobody said
  if (content.length > SHARE_CONTENT_LIMIT_BYTES) throw new VaultError('share-too-large', 'VA-202');
  const link = { shareId: random.bytes(16), key: createBlobKey(random), length: content.length };
  const input = {
    key: link.key,
    blobId: link.shareId,
    length: content.length,
    content: [content],
    random,
    chunk: CHUNK,
  };
  const parts: Bytes[] = [];
  for await (const part of sealBlob(input)) parts.push(part);
  return { link, sealed: parts[0] as Bytes };
}

/** @throws VaultError `share-malformed`, and as `openBlob` */
export async function openShare({ shareId, key, length }: ShareLink, sealed: Uint8Array): Promise<SharedChat> {
  // VA-202: the length is in a link, which is anybody's
  if (length > SHARE_CONTENT_LIMIT_BYTES) throw new VaultError('share-malformed', 'VA-202');
  const opener = await openBlob({ key, expectedBlobId: shareId, expectedLength: length }, sealed);
  return parseContent(await opener.open(0, sealed));
}

function parseContent(bytes: Uint8Array): SharedChat {
  let value: unknown;
  try {
    value = JSON.parse(parseUtf8(bytes));
  } catch {
    throw new VaultError('share-malformed', 'VA-203');
  }
  const { format, title, sharedAtMs, messages } = (value ?? {}) as Record<string, unknown>;
  const isChat = typeof title === 'string' && isTime(sharedAtMs) && Array.isArray(messages);
  // VA-203: what is shown to a person is text, and of a form that is known
  if (format !== FORMAT || !isChat || messages.length > MESSAGES_LIMIT)
    throw new VaultError('share-malformed', 'VA-203');
  return { title, sharedAtMs, messages: messages.map(parseMessage) };
}

function parseMessage(value: unknown): SharedMessage {
  const { role, text, model, createdAtMs } = (value ?? {}) as Record<string, unknown>;
  const isText = typeof text === 'string' && (model === undefined || typeof model === 'string');
  // VA-203: as above
  if (!ROLES.has(role) || !isText || !isTime(createdAtMs)) throw new VaultError('share-malformed', 'VA-203');
  const named = model === undefined ? {} : { model: model as string };
  return { role: role as SharedMessage['role'], text: text as string, ...named, createdAtMs };
}

const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
