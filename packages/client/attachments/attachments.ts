/**
 * Files that go with messages (spec/client.md "Files"): sealed while they are read, kept on this device, sent in the background, fetched
 * when they are opened, and removed with their chat. A file of any size takes the memory of one part.
 */
import { concatBytes, encodeHex, parseHex, SottoError } from '@sotto/bytes';
import type { Clock, Random, SealedStore } from '@sotto/ports';
import { type LocalOwner, VaultError } from '@sotto/vault';
import { type BlobOpener, createBlobKey, openBlob, sealBlob, sizeOfBlob } from '@sotto/vault/blob';
import { ClientError } from '../errors.ts';
import type { TakingTurns } from '../watch/turns.ts';
import type { Attachment, Thumbnail } from './attachment.ts';
import { LOCAL_LIMITS, type LocalLimits } from './limits.ts';
import { type LocalBlob, LocalBlobs, type Place } from './local-blobs.ts';
import type { RemoteBlobs } from './remote-blobs.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface AttachmentPorts {
  readonly sealed: SealedStore;
  readonly owner: LocalOwner;
  readonly clock: Clock;
  readonly random: Random;
  /** Runs work while no other tab of this browser does. */
  readonly takingTurns: TakingTurns;
  /** Absent for a guest, whose files stay on this device. */
  readonly remote?: RemoteBlobs;
  readonly limits?: LocalLimits;
}

/** A file that the person chose. */
export interface FileToAttach {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** In pieces of any size, `bytes` together. */
  read(): AsyncIterable<Uint8Array>;
  readonly thumbnail?: Thumbnail;
}

export interface TransferState {
  /** Files that wait to be sent, or are on their way. */
  readonly waiting: number;
  /** Of the file on its way: parts sent, of all. */
  readonly sending?: { readonly blobId: string; readonly sent: number; readonly parts: number };
  /** Files of which this device lost a part before they were sent; absent where there are none. */
  readonly lost?: number;
  /** Why the last try ended early; gone when one works. */
  readonly problem?: SottoError;
}

export interface Usage {
  /** Everything that the account keeps on the server, of what it may. */
  readonly usedBytes: number;
  readonly allowedBytes: number;
}

export class Attachments {
  readonly #ports: AttachmentPorts;
  readonly #local: LocalBlobs;
  readonly #limits: LocalLimits;
  readonly #listeners = new Set<() => void>();
  #state: TransferState = { waiting: 0 };

  constructor(ports: AttachmentPorts) {
    this.#ports = ports;
    this.#local = new LocalBlobs(ports.sealed, ports.owner, ports.random);
    this.#limits = ports.limits ?? LOCAL_LIMITS;
  }

  get state(): TransferState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Seals a file onto this device, while it is read. It is a draft until `keep`.
   *
   * @throws VaultError `blob-too-large`, `blob-length-mismatch`; ClientError `files-full`; SottoError `store-full`
   */
  async attach(
    file: FileToAttach,
    options: { readonly onProgress?: (part: number, parts: number) => void; readonly signal?: AbortSignal } = {},
  ): Promise<Attachment> {
    const { random } = this.#ports;
    const { parts, bytes } = sizeOfBlob(file.bytes);
    const waiting = [...(await this.#local.list('queue')), ...(await this.#local.list('draft'))];
    const queued = waiting.reduce((sum, one) => sum + one.bytes, 0);
    // CL-272: without an end to it a device that is offline would fill up, and lose what its browser then throws away
    if (queued + bytes > this.#limits.queueBytes) throw new ClientError('files-full', { rule: 'CL-272' });
    const id = random.bytes(16);
    const blobId = encodeHex(id);
    const key = createBlobKey(random);
    // Said before a part is there: what a page leaves behind when it ends is found and erased.
    await this.#local.put('draft', { blobId, parts, bytes, conversationId: '', atMs: this.#ports.clock.nowMs() });
    try {
      let part = 0;
      const input = { key, blobId: id, length: file.bytes, content: file.read(), random };
      for await (const sealed of sealBlob(input)) {
        options.signal?.throwIfAborted();
        await this.#local.putPart(blobId, part++, sealed);
        options.onProgress?.(part, parts);
      }
    } catch (error) {
      await this.#local.erase(blobId, 'draft').catch(() => undefined);
      throw error;
    }
    const { name, mediaType, thumbnail } = file;
    return { blobId, key, name, mediaType, bytes: file.bytes, ...(thumbnail === undefined ? {} : { thumbnail }) };
  }

  /** The message that names them is about to be saved: from now on they are kept, and sent. Done for what is kept already. */
  async keep(conversationId: string, attachments: readonly Attachment[]): Promise<void> {
    for (const { blobId } of attachments) {
      const draft = await this.#local.get('draft', blobId);
      if (draft === undefined) continue;
      // CL-273: kept before its message is: a message without its file could not be mended, a file without its message is collected
      await this.#local.put('queue', { ...draft, conversationId, atMs: this.#ports.clock.nowMs() }, 'draft');
    }
    await this.#count();
  }

  /** Takes a draft back. */
  async discard({ blobId }: Attachment): Promise<void> {
    if ((await this.#local.get('draft', blobId)) !== undefined) await this.#local.erase(blobId, 'draft');
  }

  /**
   * Sends what waits, oldest first, and removes what is to go; resolves when nothing is left or the first thing failed (`state.problem`).
   * What was sent is not sent again, also after a reload. To be called again.
   */
  async push(): Promise<void> {
    const { remote, takingTurns, owner } = this.#ports;
    if (remote === undefined) return this.#count();
    await takingTurns(`blobs/${encodeHex(owner.accountId)}`, async () => {
      let refused: SottoError | undefined;
      try {
        for (const { blobId } of await this.#local.list('remove')) {
          await remote.remove(blobId);
          await this.#local.erase(blobId, 'remove');
        }
        for (const blob of await this.#local.list('queue')) {
          // CL-274: one file that the server will never take must not keep the others from being sent
          refused = (await this.#send(remote, blob).catch(onlyFinal)) ?? refused;
        }
        this.#set({ ...(await this.#standing()), ...(refused === undefined ? {} : { problem: refused }) });
      } catch (cause) {
        const problem = cause instanceof SottoError ? cause : new ClientError('store-unavailable', { cause });
        this.#set({ ...(await this.#standing().catch(() => ({ waiting: 0 }))), problem });
      }
    });
  }

  async #send(remote: RemoteBlobs, blob: LocalBlob, isAnew = false): Promise<undefined> {
    const { blobId, parts } = blob;
    if (!(await this.#sendParts(remote, blob))) {
      // The browser threw it away: what is left of the file is nothing that anybody could open (CL-384).
      await this.#local.put('lost', blob, 'queue');
      await this.#local.erase(blobId);
      return;
    }
    try {
      // CL-274: the device's own copy may go only once the server said that it keeps every part
      await remote.commit(blobId, parts);
    } catch (error) {
      const isIncomplete = error instanceof ClientError && error.code === 'blob-incomplete';
      const canBeSentAnew = isIncomplete && !isAnew && (await this.#isWhole(blob));
      // CL-384: a part that it says it has, and has lost, would be asked of it for ever
      if (canBeSentAnew) return this.#sendAnew(remote, blob);
      throw error;
    }
    await this.#local.put('cache', { ...blob, atMs: this.#ports.clock.nowMs() }, 'queue');
    await this.#makeRoom(0);
  }

  async #sendAnew(remote: RemoteBlobs, blob: LocalBlob): Promise<undefined> {
    await remote.remove(blob.blobId);
    return this.#send(remote, blob, true);
  }

  /** @returns false where a part that the server does not have is not here either */
  async #sendParts(remote: RemoteBlobs, { blobId, parts }: LocalBlob): Promise<boolean> {
    const held = await remote.held(blobId);
    const there = new Set(held.parts);
    const standing = await this.#standing();
    for (let part = 0; part < parts && !held.committed; part++) {
      this.#set({ ...standing, sending: { blobId, sent: part, parts } });
      if (there.has(part)) continue;
      const bytes = await this.#local.part(blobId, part);
      if (bytes === undefined) return false;
      await remote.put(blobId, part, bytes);
    }
    return true;
  }

  async #isWhole({ blobId, parts }: LocalBlob): Promise<boolean> {
    for (let part = 0; part < parts; part++) {
      if ((await this.#local.part(blobId, part)) === undefined) return false;
    }
    return true;
  }

  /** What this device has whole, and the server has not: it was restored, or gave up what was never finished. */
  async #sendAgain(blobId: string): Promise<void> {
    const blob = await this.#local.get('cache', blobId);
    const isMissing = (await this.#ports.remote?.held(blobId))?.committed === false;
    // CL-385: nobody else may have it, and no other device could ever open it
    if (blob !== undefined && isMissing) await this.#local.put('queue', blob, 'cache');
    if (isMissing) await this.push();
  }

  /**
   * What a file holds, in order. Parts come from this device, or from the server, and are then kept here while there is room.
   *
   * @throws VaultError where what came does not open; ClientError `blob-unknown`, `network-unreachable`; then nothing of what was given
   *   before counts as the file
   */
  async *open(
    attachment: Attachment,
    conversationId: string,
    signal?: AbortSignal,
  ): AsyncGenerator<Bytes, void, undefined> {
    const { parts, bytes } = sizeOfBlob(attachment.bytes);
    const place = await this.#placeOf(attachment.blobId);
    const atMs = this.#ports.clock.nowMs();
    const keeps = place === 'cache' || (place === undefined && (await this.#makeRoom(bytes)));
    if (keeps) await this.#local.put('cache', { blobId: attachment.blobId, parts, bytes, conversationId, atMs });
    let opener: BlobOpener | undefined;
    for (let part = 0; part < (opener?.parts ?? 1); part++) {
      signal?.throwIfAborted();
      const content = async (sealed: Bytes) => {
        opener ??= await openBlob(
          { key: attachment.key, expectedBlobId: parseHex(attachment.blobId, 16), expectedLength: attachment.bytes },
          sealed,
        );
        return opener.open(part, sealed);
      };
      yield await this.#part(attachment.blobId, part, content, keeps, signal);
    }
    if (place === 'cache' && (await this.#isWhole({ blobId: attachment.blobId, parts, bytes, conversationId, atMs }))) {
      void this.#sendAgain(attachment.blobId).catch(() => undefined);
    }
  }

  /** All of it at once. @param limitBytes read no further: the beginning is enough for some */
  async read(attachment: Attachment, conversationId: string, limitBytes = attachment.bytes): Promise<Bytes> {
    const pieces: Bytes[] = [];
    let length = 0;
    for await (const piece of this.open(attachment, conversationId)) {
      pieces.push(piece);
      length += piece.length;
      if (length >= limitBytes) break;
    }
    return concatBytes(...pieces).subarray(0, limitBytes);
  }

  async #part(
    blobId: string,
    part: number,
    content: (sealed: Bytes) => Promise<Bytes>,
    keeps: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Bytes> {
    const here = await this.#local.part(blobId, part);
    const { remote } = this.#ports;
    if (here !== undefined) {
      try {
        return await content(here);
      } catch (error) {
        // CL-275: what another program changed here may still be whole on the server
        if (!(error instanceof VaultError) || remote === undefined) throw error;
        await this.#local.dropPart(blobId, part);
      }
    }
    if (remote === undefined) throw new ClientError('blob-unknown');
    const sealed = await remote.get(blobId, part, signal);
    const opened = await content(sealed);
    // Only what opened is kept; a store without room costs nobody the file.
    if (keeps) await this.#local.putPart(blobId, part, sealed).catch(() => undefined);
    return opened;
  }

  /**
   * A chat is about to be removed: its files go with it. Durable when it resolves; the removal itself is done by `collect` and `push`.
   *
   * @param attachments every file that its messages name
   */
  async willRemove(conversationId: string, attachments: readonly Attachment[]): Promise<void> {
    for (const { blobId, bytes } of attachments) {
      const atMs = this.#ports.clock.nowMs();
      // CL-276: said before the message is gone, which alone knows the file: a crash in between must not leave it for ever
      await this.#local.put('gone', { blobId, ...sizeOfBlob(bytes), conversationId, atMs });
    }
  }

  /**
   * Erases what has no place here any more: files of removed chats, and drafts that a page left behind.
   *
   * @param stateOf what the history knows of a chat (`History.conversationState`)
   */
  async collect(stateOf: (conversationId: string) => 'here' | 'nameless' | 'removed' | undefined): Promise<void> {
    const nowMs = this.#ports.clock.nowMs();
    let isErasing = false;
    try {
      for (const blob of await this.#local.list('gone')) {
        // CL-277: the removal is under way, or did not come to pass, and the chat still needs its files
        if (stateOf(blob.conversationId) !== 'removed') continue;
        isErasing = true;
        await this.#erase(blob);
      }
      for (const place of ['queue', 'cache', 'lost'] as const) {
        for (const { blobId, conversationId } of await this.#local.list(place)) {
          // CL-276: another device removed the chat; what this one kept of its files goes as well
          if (stateOf(conversationId) !== 'removed') continue;
          isErasing = true;
          await this.#local.erase(blobId, place);
        }
      }
    } finally {
      // CL-265: once for all of them, also where the last one failed: what was deleted would stay in the files of the browser
      if (isErasing) await this.#local.purge();
    }
    for (const { blobId, atMs } of await this.#local.list('draft')) {
      if (nowMs - atMs > this.#limits.draftMs) await this.#local.erase(blobId, 'draft');
    }
    await this.#count();
  }

  /** Here at once; on the server with the next `push`. */
  async #erase(blob: LocalBlob): Promise<void> {
    if (this.#ports.remote !== undefined) await this.#local.put('remove', blob, 'gone');
    await this.#local.erase(blob.blobId, 'queue', 'cache', 'gone');
  }

  /** How full the account is on the server; undefined for a guest. @throws ClientError */
  async usage(): Promise<Usage | undefined> {
    return this.#ports.remote?.list('f'.repeat(32));
  }

  /** Removes files of the server that no message names, once they are old. @param named blob ids of all messages. @returns how many */
  async collectRemote(named: ReadonlySet<string>): Promise<number> {
    const { remote, clock } = this.#ports;
    if (remote === undefined) return 0;
    const known = new Set([...named, ...(await this.#local.list('queue')).map(({ blobId }) => blobId)]);
    let removed = 0;
    for (let after = '', more = true; more; ) {
      const page = await remote.list(after);
      for (const { blobId, writtenAtMs } of page.blobs) {
        // CL-277: the message may still be on its way from a device that is offline
        if (known.has(blobId) || clock.nowMs() - writtenAtMs < this.#limits.unnamedMs) continue;
        await remote.remove(blobId);
        removed++;
      }
      const last = page.blobs.at(-1)?.blobId;
      more = page.more && last !== undefined && last > after;
      after = last ?? after;
    }
    return removed;
  }

  /** Copies every kept file to another owner on this device, to be sent: what "Keep my chats" does. Safe to repeat. */
  async moveTo(target: Attachments): Promise<void> {
    for (const blob of await this.#local.list('queue')) {
      for (let part = 0; part < blob.parts; part++) {
        const bytes = await this.#local.part(blob.blobId, part);
        if (bytes !== undefined) await target.#local.putPart(blob.blobId, part, bytes);
      }
      await target.#local.put('queue', blob);
    }
    await target.#count();
  }

  async #placeOf(blobId: string): Promise<Place | undefined> {
    for (const place of ['queue', 'cache', 'draft'] as const) {
      if ((await this.#local.get(place, blobId)) !== undefined) return place;
    }
    return undefined;
  }

  /** Whether a file of this size may be kept beside what is, once the longest unused have gone. */
  async #makeRoom(bytes: number): Promise<boolean> {
    if (bytes > this.#limits.cacheBytes / 2) return false;
    const cached = await this.#local.list('cache');
    let total = cached.reduce((sum, one) => sum + one.bytes, bytes);
    for (const one of cached) {
      // CL-278: a cache without an end fills the device, and the browser then throws away what is kept nowhere else
      if (total <= this.#limits.cacheBytes) break;
      await this.#local.erase(one.blobId, 'cache');
      total -= one.bytes;
    }
    return true;
  }

  async #count(): Promise<void> {
    const { lost: _, ...state } = this.#state;
    const standing = await this.#standing();
    if (standing.waiting !== state.waiting || standing.lost !== this.#state.lost) this.#set({ ...state, ...standing });
  }

  async #standing(): Promise<Pick<TransferState, 'waiting' | 'lost'>> {
    const waiting = this.#ports.remote === undefined ? 0 : (await this.#local.list('queue')).length;
    const lost = (await this.#local.list('lost')).length;
    return { waiting, ...(lost > 0 && { lost }) };
  }

  #set(state: TransferState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** What concerns one file alone; the rest is thrown on, because it would meet the others too. */
function onlyFinal(cause: unknown): SottoError {
  const isOfOne = cause instanceof SottoError && (cause.action === 'stop' || cause.code === 'blob-incomplete');
  if (isOfOne) return cause;
  throw cause;
}
