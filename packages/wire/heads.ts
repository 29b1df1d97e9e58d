/**
 * Request and response heads: the first message of a stream inside the verified channel. spec/wire.md §heads.
 * A request head comes from a client, a response head from a node; each side treats the other's as hostile.
 */
import { WireError } from './error.ts';
import { bytes, message, repeated, singular, text, unsigned } from './protobuf.ts';

/** Version of everything in this package. */
export const WIRE_VERSION = 1;

const HEAD_LIMIT_BYTES = 16 * 1024;
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;

export type Method = (typeof METHODS)[number];
/** Lower-case name and value, in order; a name may stand more than once. */
export type Header = readonly [name: string, value: string];

export interface RequestHead {
  readonly version: typeof WIRE_VERSION;
  readonly method: Method;
  /** Path and query, such as `/v1/models`. */
  readonly path: string;
  readonly headers: readonly Header[];
  /** 32 fresh bytes that let the answer be recovered (spec/channel.md); absent where it need not be. Erase it after use. */
  readonly recoveryKey?: Uint8Array | undefined;
}

export interface ResponseHead {
  readonly version: typeof WIRE_VERSION;
  /** 200 to 599. */
  readonly status: number;
  readonly headers: readonly Header[];
}

const header = message(8 * 1024, { name: singular(1, text(64)), value: singular(2, text(4096)) });
const headers = repeated(4, header, 32);
const requestHead = message(HEAD_LIMIT_BYTES, {
  version: singular(1, unsigned(0xffff)),
  method: singular(2, text(16)),
  path: singular(3, text(2048)),
  headers,
  recoveryKey: singular(5, bytes(32)),
});
const responseHead = message(HEAD_LIMIT_BYTES, {
  version: singular(1, unsigned(0xffff)),
  status: singular(2, unsigned(0xffff)),
  headers,
});

/** @throws WireError when the head would not be accepted by `parseRequestHead` */
export function encodeRequestHead(head: RequestHead): Uint8Array<ArrayBuffer> {
  const { recoveryKey = new Uint8Array(0) } = head;
  const encoded = requestHead.encode({ ...head, headers: fromPairs(head.headers), recoveryKey });
  parseRequestHead(encoded);
  return encoded;
}

/** @throws WireError `wire-malformed`, `wire-too-large`, `wire-truncated`, `wire-version` */
export function parseRequestHead(encoded: Uint8Array): RequestHead {
  const raw = requestHead.parse(encoded);
  const version = checkVersion(raw.version);
  const method = METHODS.find((known) => known === raw.method);
  // WI-10: an unknown method could be taken for a harmless one by one of two readers.
  if (method === undefined) throw new WireError('wire-malformed', 'the method is not one of the known', 'WI-10');
  // WI-11: a path with spaces, control characters or a host in it changes meaning when it is put into a URL.
  if (!/^\/(?!\/)[\x21-\x7e]*$/.test(raw.path))
    throw new WireError('wire-malformed', 'the path is not a path', 'WI-11');
  const { path, recoveryKey } = raw;
  return { version, method, path, headers: toPairs(raw.headers), ...(recoveryKey.length > 0 ? { recoveryKey } : {}) };
}

/** @throws WireError when the head would not be accepted by `parseResponseHead` */
export function encodeResponseHead(head: ResponseHead): Uint8Array<ArrayBuffer> {
  const bytes = responseHead.encode({ ...head, headers: fromPairs(head.headers) });
  parseResponseHead(bytes);
  return bytes;
}

/** @throws WireError `wire-malformed`, `wire-too-large`, `wire-truncated`, `wire-version` */
export function parseResponseHead(bytes: Uint8Array): ResponseHead {
  const raw = responseHead.parse(bytes);
  const version = checkVersion(raw.version);
  // WI-13: a status outside HTTP's range is neither success nor failure, and code that asks only one of the two goes wrong.
  if (raw.status < 200 || raw.status > 599)
    throw new WireError('wire-malformed', 'the status is out of range', 'WI-13');
  return { version, status: raw.status, headers: toPairs(raw.headers) };
}

/** The first value of a header, by lower-case name. */
export function headerValue(head: { readonly headers: readonly Header[] }, name: string): string | undefined {
  return head.headers.find(([known]) => known === name)?.[1];
}

function checkVersion(version: number): typeof WIRE_VERSION {
  // WI-09: what a later version means by the same fields is not known here.
  if (version !== WIRE_VERSION) throw new WireError('wire-version', 'the peer speaks another version', 'WI-09');
  return WIRE_VERSION;
}

function fromPairs(pairs: readonly Header[]) {
  return pairs.map(([name, value]) => ({ name, value }));
}

function toPairs(entries: readonly { readonly name: string; readonly value: string }[]): readonly Header[] {
  return entries.map(({ name, value }) => {
    const wellFormed = /^[a-z0-9-]+$/.test(name) && /^[\x20-\x7e\t]*$/.test(value);
    // WI-12: a line break in a header would let a peer write a second header.
    if (!wellFormed) throw new WireError('wire-malformed', 'a header is not well-formed', 'WI-12');
    return [name, value];
  });
}
