/** The server's store of sealed files as typed calls (spec/server.md "Files"). It is not trusted: what it gives opens or does not. */
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Fetch } from '@sotto/ports';
import {
  BLOB_DIGEST_HEADER,
  type BlobAnswer,
  type BlobsAnswer,
  parseBlobAnswer,
  parseBlobsAnswer,
  parseBlobWriteAnswer,
} from '@sotto/wire';
import { ClientError } from '../errors.ts';
import { parsed, readJson, refusalOf } from '../server-api.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface RemoteBlobs {
  /** Which parts are kept. */
  held(blobId: string): Promise<BlobAnswer>;
  put(blobId: string, part: number, bytes: Bytes): Promise<void>;
  /** @throws ClientError `blob-incomplete` */
  commit(blobId: string, parts: number): Promise<void>;
  /** @throws ClientError `blob-unknown` */
  get(blobId: string, part: number, signal?: AbortSignal): Promise<Bytes>;
  remove(blobId: string): Promise<void>;
  list(after: string): Promise<BlobsAnswer>;
}

/** @param baseUrl origin of the server, without a path */
export function remoteBlobs(fetch: Fetch, baseUrl: string): RemoteBlobs {
  const send = async (
    method: string,
    path: string,
    body?: Bytes | string,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ) => {
    const type = typeof body === 'string' ? 'application/json' : 'application/octet-stream';
    const init = {
      method,
      headers: { 'sotto-client': '1', ...(body === undefined ? {} : { 'content-type': type }), ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    };
    const response = await fetch(`${baseUrl}/api/blobs${path}`, init).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw new ClientError('network-unreachable', { cause });
    });
    if (response.status >= 400) throw await refusalOf(response);
    return response;
  };
  return {
    held: async (blobId) => parsed(parseBlobAnswer, await readJson(await send('GET', `/${blobId}`))),
    put: async (blobId, part, bytes) => {
      const headers = { [BLOB_DIGEST_HEADER]: encodeHex(sha256(bytes)) };
      parsed(parseBlobWriteAnswer, await readJson(await send('PUT', `/${blobId}/${part}`, bytes, headers)));
    },
    commit: async (blobId, parts) => {
      const answer = await send('POST', `/${blobId}/commit`, JSON.stringify({ parts }));
      parsed(parseBlobWriteAnswer, await readJson(answer));
    },
    get: async (blobId, part, signal) => (await send('GET', `/${blobId}/${part}`, undefined, {}, signal)).bytes(),
    remove: async (blobId) => {
      await send('DELETE', `/${blobId}`);
    },
    list: async (after) =>
      parsed(parseBlobsAnswer, await readJson(await send('GET', after === '' ? '' : `?after=${after}`))),
  };
}
