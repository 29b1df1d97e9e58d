/**
 * The three ways to the same engine that are compared: plain HTTP straight to it; a verified channel straight to the
 * enclave; a verified channel through the real server's relay, as people use it. All read the answer with the same parsers.
 */
import { Agent, request as httpRequest } from 'node:http';
import { createNodeClock } from '@sotto/adapters-node/clock';
import { CookieJar } from '@sotto/adapters-node/cookie-jar';
import { createNodeFetch } from '@sotto/adapters-node/fetch';
import { createNodeRandom } from '@sotto/adapters-node/random';
import { createNodeConnectSocket } from '@sotto/adapters-node/socket';
import { encodeUtf8 } from '@sotto/bytes';
import { type ClientPorts, type NodeSession, openNodeSession, type Profile } from '@sotto/client';
import type { Fetch } from '@sotto/ports';
import { parseChatChunk, parseSse, SSE_DONE } from '@sotto/wire';

/** Sends one chat and calls `onToken` at each piece of text; resolves when the answer is whole. */
export type Path = (prompt: string, onToken: (atMs: number) => void, maxTokens?: number) => Promise<void>;

export interface EnclaveFacts {
  readonly url: string;
  readonly devFingerprint: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

function chatBody(prompt: string, maxTokens = 4096): string {
  return JSON.stringify({
    model: '',
    stream: true,
    messages: [{ role: 'user', content: prompt }],
    max_tokens: maxTokens,
  });
}

/** Straight to the engine: the handler of the enclave behind plain HTTP. */
export function directPath(url: string): Path {
  return async (prompt, onToken, maxTokens) => {
    const { promise, resolve, reject } = Promise.withResolvers<AsyncIterable<Uint8Array>>();
    const asked = httpRequest(`${url}/v1/chat/completions`, { method: 'POST', agent }, resolve);
    asked.on('error', reject);
    asked.end(chatBody(prompt, maxTokens));
    await readAnswer(await promise, onToken);
  };
}

/** Over an open session. */
export function sessionPath(session: NodeSession): Path {
  return async (prompt, onToken, maxTokens) => {
    const { body } = await session.request('POST', '/v1/chat/completions', {
      body: encodeUtf8(chatBody(prompt, maxTokens)),
    });
    await readAnswer(body, onToken);
  };
}

async function readAnswer(body: AsyncIterable<Uint8Array>, onToken: (atMs: number) => void): Promise<void> {
  let isWhole = false;
  for await (const data of parseSse(body)) {
    if (data === SSE_DONE) {
      isWhole = true;
      continue;
    }
    const chunk = parseChatChunk(data);
    if (chunk.error !== undefined) throw new Error(`the node answered ${chunk.error.code}`);
    if (chunk.deltaText !== undefined) onToken(performance.now());
  }
  if (!isWhole) throw new Error('the answer was cut off');
}

function portsOf(fetch: Fetch, connect: ClientPorts['connect']): ClientPorts {
  const distrust = { isDistrusted: () => false, subscribe: () => () => undefined };
  return { clock: createNodeClock(), random: createNodeRandom(), fetch, connect, distrust };
}

function policyOf({ devFingerprint }: EnclaveFacts) {
  return { kind: 'dev', version: 1, fingerprint: devFingerprint } as const;
}

/**
 * A client of the real server, with one guest's session; each call opens a new verified channel through the relay.
 *
 * @param profile `compact` where the path itself is measured: what shaping adds is its own figure
 */
export function relayClient(
  serverUrl: string,
  enclave: EnclaveFacts,
  profile: Profile = 'compact',
): () => Promise<NodeSession> {
  const cookieJar = new CookieJar();
  const ports = portsOf(createNodeFetch({ cookieJar }), createNodeConnectSocket({ cookieJar }));
  return () => openNodeSession(ports, { baseUrl: serverUrl, policy: policyOf(enclave), profile });
}

/** The same client with the enclave's own door in the place of a server: no relay between. */
export function doorClient(enclave: EnclaveFacts): () => Promise<NodeSession> {
  const fetch = createNodeFetch();
  const connect = createNodeConnectSocket();
  const standIn: Fetch = async (url, init) => {
    const { pathname } = new URL(url);
    const answer = (value: unknown) => ({
      status: 200,
      header: () => undefined,
      bytes: async () => encodeUtf8(JSON.stringify(value)),
    });
    if (pathname === '/api/guest') return answer({ guestId: '0'.repeat(32) });
    if (pathname !== '/api/nodes') return fetch(`${enclave.url}/evidence/${pathname.split('/').at(-1)}`, init);
    const listing = await fetch(`${enclave.url}/node`, init);
    return answer({ nodes: [JSON.parse(new TextDecoder().decode(await listing.bytes()))] });
  };
  const channelUrl = `${enclave.url.replace('http', 'ws')}/channel`;
  const ports = portsOf(standIn, (_, signal) => connect(channelUrl, signal));
  return () => openNodeSession(ports, { baseUrl: 'http://door', policy: policyOf(enclave), profile: 'compact' });
}
