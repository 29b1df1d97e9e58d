/** The verified client of a terminal: Node's own clock, network and cookies behind the client's ports. */
import {
  CookieJar,
  createNodeClock,
  createNodeConnectSocket,
  createNodeFetch,
  createNodeRandom,
} from '@sotto/adapters-node';
import { type NodeSession, openNodeSession } from '@sotto/client';
import type { Policy } from '@sotto/verify';

/** Finds a node at the address, verifies it and keeps the line open. Rejects as `openNodeSession` does. */
export function connectToNode(baseUrl: string, policy: Policy): Promise<NodeSession> {
  const cookieJar = new CookieJar();
  const ports = {
    clock: createNodeClock(),
    random: createNodeRandom(),
    fetch: createNodeFetch({ cookieJar }),
    connect: createNodeConnectSocket({ cookieJar }),
    distrust: { isDistrusted: () => false, subscribe: () => () => {} },
  };
  return openNodeSession(ports, { baseUrl, policy });
}
