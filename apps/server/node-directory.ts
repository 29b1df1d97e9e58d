/**
 * The directory of nodes: what each enclave says of itself, asked on loopback and remembered for seconds. Nothing here is
 * trusted by anybody: the client verifies the node, and a false entry can only make that fail.
 */
import { encodeHex, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Clock, Fetch } from '@sotto/ports';
import { EVIDENCE_LIMIT_BYTES, type NodeListing, parseJson, parseNodeListing } from '@sotto/wire';
import { ServerError } from './errors.ts';

const LISTING_LIMIT_BYTES = 16 * 1024;
const FRESH_MS = 2000;
const ANSWER_TIMEOUT_MS = 5000;
const BUNDLES_KEPT = 32;

/** Where one enclave listens: `http://HOST:PORT`, and its id where the operator named it. */
export interface NodeAddress {
  readonly baseUrl: string;
  readonly nodeId?: string;
}

/** Reads a `--node` value: `[nodeId=]http://HOST:PORT` or `[nodeId=]ws://HOST:PORT/channel`. */
export function parseNodeAddress(text: string): NodeAddress | undefined {
  const match =
    /^(?:([0-9a-f]{32})=)?(?:http|ws):\/\/([a-zA-Z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?(?:\/|\/channel)?$/.exec(text);
  if (match === null) return undefined;
  const baseUrl = `http://${match[2]}${match[3] ?? ''}`;
  return match[1] === undefined ? { baseUrl } : { baseUrl, nodeId: match[1] };
}

export class NodeDirectory {
  readonly #addresses: readonly NodeAddress[];
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #listings = new Map<NodeAddress, { atMs: number; listing: Promise<NodeListing | undefined> }>();
  readonly #bundles = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(addresses: readonly NodeAddress[], fetch: Fetch, clock: Clock) {
    this.#addresses = addresses;
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** The nodes that answer now. */
  async list(): Promise<NodeListing[]> {
    const listings = await Promise.all(this.#addresses.map((address) => this.#listing(address)));
    return listings.filter((listing) => listing !== undefined);
  }

  /** @returns where the relay connects to. @throws ServerError `node-unknown` */
  async channelUrl(nodeId: string): Promise<string> {
    return `${(await this.#addressOf(nodeId)).baseUrl.replace(/^http/, 'ws')}/channel`;
  }

  /** @param digest 32 bytes as hex. @throws ServerError `node-unknown`, `node-unavailable` or `not-found` */
  async evidence(nodeId: string, digest: string): Promise<Uint8Array<ArrayBuffer>> {
    const kept = this.#bundles.get(digest);
    if (kept !== undefined) return kept;
    const { baseUrl } = await this.#addressOf(nodeId);
    const { status, body } = await this.#get(`${baseUrl}/evidence/${digest}`, EVIDENCE_LIMIT_BYTES);
    if (status === 404) throw new ServerError('not-found');
    // SV-37: the answer is cached for ever under this digest, so it must be what the digest names.
    if (status !== 200 || encodeHex(sha256(body)) !== digest) throw new ServerError('node-unavailable');
    this.#bundles.set(digest, body);
    const oldest = this.#bundles.keys().next().value;
    if (this.#bundles.size > BUNDLES_KEPT && oldest !== undefined) this.#bundles.delete(oldest);
    return body;
  }

  async #addressOf(nodeId: string): Promise<NodeAddress> {
    parseHex(nodeId, 16);
    const listings = await Promise.all(this.#addresses.map((address) => this.#listing(address)));
    const index = this.#addresses.findIndex((address, i) => (address.nodeId ?? listings[i]?.nodeId) === nodeId);
    const address = this.#addresses[index];
    // SV-30: the relay and the evidence route reach configured nodes only, never an address that a request names.
    if (address === undefined)
      throw new ServerError(listings.includes(undefined) ? 'node-unavailable' : 'node-unknown');
    return address;
  }

  #listing(address: NodeAddress): Promise<NodeListing | undefined> {
    const nowMs = this.#clock.nowMs();
    const known = this.#listings.get(address);
    if (known !== undefined && Math.abs(nowMs - known.atMs) < FRESH_MS) return known.listing;
    const listing = this.#ask(address).catch(() => undefined);
    this.#listings.set(address, { atMs: nowMs, listing });
    return listing;
  }

  async #ask(address: NodeAddress): Promise<NodeListing | undefined> {
    const { status, body } = await this.#get(`${address.baseUrl}/node`, LISTING_LIMIT_BYTES);
    if (status !== 200) return undefined;
    const listing = parseNodeListing(parseJson(body, LISTING_LIMIT_BYTES));
    return address.nodeId === undefined || address.nodeId === listing.nodeId ? listing : undefined;
  }

  async #get(url: string, limitBytes: number): Promise<{ status: number; body: Uint8Array<ArrayBuffer> }> {
    try {
      const response = await this.#fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
      const body = await response.bytes();
      if (body.length > limitBytes) throw new ServerError('node-unavailable');
      return { status: response.status, body };
    } catch (error) {
      throw error instanceof ServerError ? error : new ServerError('node-unavailable', error);
    }
  }
}
