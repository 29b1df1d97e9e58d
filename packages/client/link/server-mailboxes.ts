/** The server's mailboxes over HTTP (spec/server.md, "Links"). The server is not trusted with anything but passing on bytes. */
import type { Fetch, FetchResponse } from '@sotto/ports';
import { parseErrorAnswer, parseJson } from '@sotto/wire';
import { ClientError, isClientErrorCode } from '../errors.ts';
import { LinkError } from './error.ts';
import type { LinkMailboxes } from './mailbox.ts';

/** @param baseUrl origin of the server, without a path */
export function serverMailboxes(fetch: Fetch, baseUrl: string): LinkMailboxes {
  const call = async (
    method: string,
    path: string,
    init: Partial<Parameters<Fetch>[1]> = {},
  ): Promise<FetchResponse> => {
    let response: FetchResponse;
    try {
      const headers = { 'sotto-client': '1', ...(init.body && { 'content-type': 'application/octet-stream' }) };
      response = await fetch(`${baseUrl}/api/links/${path}`, { method, headers, ...init });
    } catch (cause) {
      init.signal?.throwIfAborted();
      throw new ClientError('network-unreachable', { cause });
    }
    if (response.status >= 400) throw await refusalOf(response);
    return response;
  };
  return {
    put: async (id, slot, message) => void (await call('PUT', `${id}/${slot}`, { body: message })),
    get: async (id, slot, signal) => {
      const response = await call('GET', `${id}/${slot}`, { ...(signal && { signal }) });
      return response.status === 200 ? response.bytes() : undefined;
    },
    end: async (id) => void (await call('DELETE', id)),
  };
}

async function refusalOf(response: FetchResponse): Promise<LinkError | ClientError> {
  let code = '';
  try {
    ({ code } = parseErrorAnswer(parseJson(await response.bytes(), 65_536)).error);
  } catch {
    // What is not the form of a refusal is one all the same.
  }
  if (code === 'link-ended') return new LinkError('link-ended', 'SV-117');
  if (code === 'link-taken') return new LinkError('link-taken', 'SV-116');
  return new ClientError(isClientErrorCode(code) ? code : 'server-refused', { rule: 'CL-09' });
}
