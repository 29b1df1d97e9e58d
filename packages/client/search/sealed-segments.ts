/**
 * The segments of one index in a sealed store, opened when they are needed (spec/client.md "Search"). The store is not
 * trusted: a value that does not open, or is not there, is damage, and never more than that.
 *
 *     search/state            which segments there are
 *     search/<segment>/0      u32 length of the head; head; first block
 *     search/<segment>/<n>    block n
 */
import { ByteReader, ByteWriter, encodeHex, SottoError } from '@sotto/bytes';
import type { Random, SealedChange, SealedStore } from '@sotto/ports';
import { type LocalOwner, openLocal, sealLocal, VaultError } from '@sotto/vault';
import type { Segment } from './build.ts';
import { SearchError } from './error.ts';
import { encodeHead, type Head, parseHead } from './segment.ts';
import { EMPTY_STATE, encodeState, type IndexState, parseState, type SegmentInfo } from './state.ts';

/** Opened blocks that are kept in memory. */
const CACHE_BYTES = 24 * 2 ** 20;

export interface SegmentsOptions {
  readonly owner: LocalOwner;
  readonly store: SealedStore;
  readonly random: Random;
}

export class SealedSegments {
  readonly #options: SegmentsOptions;
  readonly #prefix: string;
  readonly #heads = new Map<string, Head>();
  /** Least recently used first. */
  readonly #blocks = new Map<string, Uint8Array>();
  #cachedBytes = 0;
  /** Writes that were done or tried. */
  #written = 0;
  /** The state as it was last read or written, still sealed: every write seals anew, so equal bytes are an equal state. */
  #sealedState: Uint8Array | undefined;

  constructor(options: SegmentsOptions) {
    this.#options = options;
    this.#prefix = `acct/${encodeHex(options.owner.accountId)}/search/`;
  }

  /** @returns undefined where it is the one read or written last @throws SearchError `index-damaged` */
  async readState(): Promise<IndexState | undefined> {
    const written = this.#written;
    const [sealed] = await this.#options.store.get([this.#stateName]);
    // What was read is older than what was written meanwhile.
    if (written !== this.#written) return undefined;
    if (sealed === undefined) {
      const isKnown = this.#sealedState?.length === 0;
      this.#sealedState = new Uint8Array(0);
      return isKnown ? undefined : EMPTY_STATE;
    }
    if (this.#sealedState !== undefined && isEqual(sealed, this.#sealedState)) return undefined;
    const state = parseState(await this.#open(this.#stateName, sealed));
    this.#sealedState = sealed;
    return state;
  }

  /** Reads what is not in memory, all at once. @returns undefined for each that is damaged or gone */
  async readHeads(infos: readonly SegmentInfo[]): Promise<readonly (Head | undefined)[]> {
    const missing = infos.filter(({ id }) => !this.#heads.has(id));
    const names = missing.map(({ id }) => this.#nameOf(id, 0));
    const sealed = names.length === 0 ? [] : await this.#options.store.get(names);
    await Promise.all(
      missing.map(async (info, index) => {
        const head = await this.#tryHead(info, names[index] as string, sealed[index]);
        if (head !== undefined) this.#heads.set(info.id, head);
      }),
    );
    return infos.map(({ id }) => this.#heads.get(id));
  }

  /** Opened blocks by number, read where they are not in memory. @throws SearchError `index-damaged` */
  async readBlocks({ id }: SegmentInfo, numbers: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>> {
    const found = new Map<number, Uint8Array>();
    const missing: number[] = [];
    for (const number of numbers) {
      const name = this.#nameOf(id, number);
      const block = this.#blocks.get(name);
      if (block === undefined) missing.push(number);
      else {
        this.#blocks.delete(name);
        this.#blocks.set(name, block);
        found.set(number, block);
      }
    }
    const names = missing.map((number) => this.#nameOf(id, number));
    const sealed = names.length === 0 ? [] : await this.#options.store.get(names);
    await Promise.all(
      missing.map(async (number, index) => {
        const value = sealed[index];
        if (value === undefined) throw new SearchError('index-damaged');
        const opened = await this.#open(names[index] as string, value);
        const block = number === 0 ? splitFirst(opened).block : opened;
        this.#keep(names[index] as string, block);
        found.set(number, block);
      }),
    );
    return found;
  }

  /** Seals and writes new segments and the state that names them, and removes those that it no longer names: all or nothing. */
  async write(
    state: Omit<IndexState, 'segments'>,
    kept: readonly SegmentInfo[],
    added: readonly Segment[],
    removed: readonly SegmentInfo[],
  ): Promise<IndexState> {
    const infos = added.map((segment) => infoOf(segment, encodeHex(this.#options.random.bytes(16))));
    const next: IndexState = { ...state, segments: [...kept, ...infos] };
    const sealing: Promise<SealedChange>[] = [];
    const seal = (name: string, content: Uint8Array) =>
      sealing.push(this.#seal(name, content).then((value) => ({ name, value })));
    for (const [index, { head, blocks }] of added.entries()) {
      const { id } = infos[index] as SegmentInfo;
      seal(this.#nameOf(id, 0), joinFirst(encodeHead(head), blocks[0]));
      for (const [number, block] of blocks.entries()) if (number > 0) seal(this.#nameOf(id, number), block);
    }
    const sealedState = await this.#seal(this.#stateName, encodeState(next));
    const changes = await Promise.all(sealing);
    const names = removed.flatMap((info) => this.#namesOf(info));
    this.#written++;
    await this.#options.store.write([
      ...changes,
      ...names.map((name) => ({ name, value: undefined })),
      { name: this.#stateName, value: sealedState },
    ]);
    this.#written++;
    this.#sealedState = sealedState;
    for (const info of removed) this.#drop(info);
    for (const [index, { head, blocks }] of added.entries()) {
      const { id } = infos[index] as SegmentInfo;
      this.#heads.set(id, head);
      for (const [number, block] of blocks.entries()) this.#keep(this.#nameOf(id, number), block);
    }
    return next;
  }

  /** Lets go of what is in memory of segments that are no longer in the index. */
  retain(infos: readonly SegmentInfo[]): void {
    const ids = new Set(infos.map(({ id }) => id));
    for (const id of this.#heads.keys()) if (!ids.has(id)) this.#heads.delete(id);
    for (const [name, block] of this.#blocks) {
      if (ids.has(name.slice(this.#prefix.length).split('/')[0] as string)) continue;
      this.#blocks.delete(name);
      this.#cachedBytes -= block.length;
    }
  }

  /** Removes the whole index from the store and from memory. */
  async erase(): Promise<void> {
    this.#sealedState = undefined;
    this.retain([]);
    await this.#options.store.erase(this.#prefix);
  }

  /** Words of what was removed leave the storage's files too. */
  purge(): Promise<void> {
    return this.#options.store.purge();
  }

  get #stateName(): string {
    return `${this.#prefix}state`;
  }

  #nameOf(id: string, number: number): string {
    return `${this.#prefix}${id}/${number}`;
  }

  #namesOf({ id, blocks }: SegmentInfo): string[] {
    return Array.from({ length: Math.max(blocks, 1) }, (_, number) => this.#nameOf(id, number));
  }

  #seal(name: string, content: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    return sealLocal(this.#options.owner, name, content, this.#options.random);
  }

  async #open(name: string, sealed: Uint8Array): Promise<Uint8Array> {
    try {
      return await openLocal(this.#options.owner, name, sealed);
    } catch (cause) {
      // CL-253: what the store changed must not end the search, nor be believed.
      if (cause instanceof VaultError) throw new SearchError('index-damaged', { cause, rule: 'CL-253' });
      throw cause;
    }
  }

  async #tryHead(info: SegmentInfo, name: string, sealed: Uint8Array | undefined): Promise<Head | undefined> {
    try {
      if (sealed === undefined) return undefined;
      const { head: bytes, block } = splitFirst(await this.#open(name, sealed));
      const head = parseHead(bytes);
      if (head.documents.count !== info.documents || head.firstTerms.length !== info.blocks) return undefined;
      if (info.blocks > 0) this.#keep(name, block);
      return head;
    } catch (cause) {
      if (cause instanceof SottoError) return undefined;
      throw cause;
    }
  }

  #keep(name: string, block: Uint8Array): void {
    this.#cachedBytes += block.length - (this.#blocks.get(name)?.length ?? 0);
    this.#blocks.delete(name);
    this.#blocks.set(name, block);
    for (const [oldest, { length }] of this.#blocks) {
      if (this.#cachedBytes <= CACHE_BYTES) return;
      this.#blocks.delete(oldest);
      this.#cachedBytes -= length;
    }
  }

  #drop(info: SegmentInfo): void {
    this.#heads.delete(info.id);
    for (const name of this.#namesOf(info)) {
      this.#cachedBytes -= this.#blocks.get(name)?.length ?? 0;
      this.#blocks.delete(name);
    }
  }
}

function infoOf({ head, blocks }: Segment, id: string): SegmentInfo {
  const words = head.documents.length.reduce((sum, length) => sum + length, 0);
  return {
    id,
    documents: head.documents.count,
    conversations: head.conversations.length,
    words,
    blocks: blocks.length,
  };
}

function joinFirst(head: Uint8Array, block: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new ByteWriter(4 + head.length + block.length).vector32(head).raw(block).finish();
}

/** @throws SearchError `index-damaged` */
function splitFirst(bytes: Uint8Array): { readonly head: Uint8Array; readonly block: Uint8Array } {
  const reader = new ByteReader(bytes);
  try {
    return { head: reader.vector32(bytes.length), block: reader.rest() };
  } catch (cause) {
    if (cause instanceof SottoError) throw new SearchError('index-damaged', { cause });
    throw cause;
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
