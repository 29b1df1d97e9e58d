/** Reading files over HTTP: capped pages, and byte ranges of a file that is too big to fetch twice. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Random access to a file, wherever it lies. */
export interface ByteSource {
  readonly size: number;
  /** Bytes `start` to `end` (exclusive). */
  read(start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A server that answers no byte ranges: the whole file must be taken. */
export class NoRangesError extends Error {}

/** Nothing arrived for this long: the line is taken for dead. */
const STALL_MS = 30_000;

/** `fetch` refuses addresses with credentials; they travel in the header instead, and so never reach a message. */
function prepare(address: string): { url: string; headers: Record<string, string> } {
  const url = new URL(address);
  if (url.username === '' && url.password === '') return { url: url.href, headers: {} };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url: url.href, headers: { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` } };
}

/** One page as text. @throws Error when it is longer than the limit */
export async function fetchCapped(
  address: string,
  options: { readonly accept: string; readonly limitBytes: number; readonly signal: AbortSignal },
): Promise<{ status: number; type: string; body: string; url: string }> {
  const { url, headers } = prepare(address);
  const response = await fetch(url, { headers: { ...headers, accept: options.accept }, signal: options.signal });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > options.limitBytes) throw new Error('the page is longer than its limit');
    chunks.push(chunk);
  }
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: Buffer.concat(chunks).toString('utf8'),
    url: response.url || url,
  };
}

/** Opens `address` for byte ranges. @throws NoRangesError where the server has none */
export async function openHttpSource(address: string, signal: AbortSignal): Promise<ByteSource> {
  const first = await request(address, { range: 'bytes=0-0' }, signal);
  await first.body?.cancel();
  const size = Number(/^bytes 0-0\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1]);
  if (first.status === 200) throw new NoRangesError('the server does not answer byte ranges');
  if (first.status !== 206 || !Number.isSafeInteger(size)) throw new Error(`the server answered ${first.status}`);
  return {
    size,
    async *read(start, end, readSignal) {
      if (end <= start) return;
      const response = await request(address, { range: `bytes=${start}-${end - 1}` }, readSignal);
      if (response.status !== 206 || !response.headers.get('content-range')?.startsWith(`bytes ${start}-`)) {
        await response.body?.cancel();
        throw new Error(`the server answered ${response.status} to a byte range`);
      }
      yield* exactly(bodyOf(response), end - start);
    },
  };
}

/** The whole file, from its beginning. */
export async function* fetchWhole(address: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const response = await request(address, {}, signal);
  if (response.status !== 200) throw new Error(`the server answered ${response.status}`);
  yield* bodyOf(response);
}

/** A file on this disk. */
export async function openFileSource(path: string): Promise<ByteSource> {
  const { size } = await stat(path);
  return {
    size,
    read: (start, end, signal) => exactly(createReadStream(path, { start, end: end - 1, signal }), end - start),
  };
}

/** Everything between `start` and `end` in memory. @param limitBytes cap, checked before anything is read */
export async function readRange(
  source: ByteSource,
  start: number,
  end: number,
  limitBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  if (start < 0 || end < start || end > source.size || end - start > limitBytes) throw new Error('range out of bounds');
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.read(start, end, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function request(address: string, extra: Record<string, string>, signal: AbortSignal): Promise<Response> {
  const { url, headers } = prepare(address);
  const connected = new AbortController();
  const timer = setTimeout(() => connected.abort(new Error('the server does not answer')), STALL_MS);
  try {
    // identity: a compressed answer would have other byte positions
    return await fetch(url, {
      headers: { ...headers, 'accept-encoding': 'identity', ...extra },
      signal: AbortSignal.any([signal, connected.signal]),
    });
  } finally {
    clearTimeout(timer);
  }
}

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const stalled = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('the download stalled')), STALL_MS);
      });
      const { done, value } = await Promise.race([reader.read(), stalled]).finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function* exactly(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of chunks) {
    if (chunk.length > left) throw new Error('more bytes than were asked for');
    left -= chunk.length;
    yield chunk;
  }
  if (left > 0) throw new Error('the connection was cut');
}
