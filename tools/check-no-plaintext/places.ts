/** Where bytes were seen, by name. What a place holds is gathered first and searched at the end, when all secrets are known. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page, Request } from 'playwright-core';
import type { Find, Searcher } from './search.ts';

export class Places {
  readonly #chunks = new Map<string, Buffer[]>();

  add(place: string, ...bytes: (Buffer | string)[]): void {
    const chunks = this.#chunks.get(place) ?? [];
    this.#chunks.set(place, chunks);
    for (const one of bytes) chunks.push(typeof one === 'string' ? Buffer.from(one) : one);
  }

  /** Every file below `folder`, with its name: names can leak too. */
  addFolder(place: string, folder: string): void {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      this.add(place, `${entry.name}\n`);
      try {
        if (entry.isFile()) this.add(place, readFileSync(file));
      } catch (error) {
        // A file that a running process has just removed (a journal); all others must be readable.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  names(): string[] {
    return [...this.#chunks.keys()];
  }

  bytes(place: string): number {
    return this.chunks(place).reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** The pieces of a place, each whole; joined once more where they followed each other on a wire. */
  chunks(place: string): Buffer[] {
    return this.#chunks.get(place) ?? [];
  }
}

export interface PlaceResult {
  readonly place: string;
  readonly bytes: number;
  readonly finds: readonly Find[];
}

/** Searches a place. */
export function searchPlace(places: Places, place: string, searcher: Searcher): PlaceResult {
  const chunks = places.chunks(place);
  // Joined, so that what was sent in two pieces is found; file by file where joining would take too much memory.
  const finds = chunks.flatMap((chunk) => searcher.search(place, chunk));
  const small = chunks.filter((chunk) => chunk.length < 1 << 20);
  if (small.length > 1) finds.push(...searcher.search(place, Buffer.concat(small)));
  const unique = new Map(finds.map((find) => [`${find.needle} ${find.encoding}`, find]));
  return { place, bytes: places.bytes(place), finds: [...unique.values()] };
}

/** Records what a page sends and receives, over HTTP and web sockets. */
export function watchPage(page: Page, places: Places): { settled(): Promise<void> } {
  const waiting = new Set<Promise<void>>();
  const take = async (request: Request): Promise<void> => {
    places.add('browser http', `${request.method()} ${request.url()} ${JSON.stringify(request.headers())}\n`);
    const sent = request.postDataBuffer();
    if (sent !== null) places.add('browser http', sent);
    const response = await request.response().catch(() => null);
    if (response === null) return;
    places.add('browser http', JSON.stringify(response.headers()));
    places.add('browser http', await response.body().catch(() => Buffer.alloc(0)));
  };
  page.on('request', (request) => {
    const one = take(request).finally(() => waiting.delete(one));
    waiting.add(one);
  });
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => places.add('browser websocket', payload));
    socket.on('framereceived', ({ payload }) => places.add('browser websocket', payload));
  });
  return { settled: async () => void (await Promise.all(waiting)) };
}
