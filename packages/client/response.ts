/** A node's answer to one request: head parsed, body as it arrives. Untrusted output of a verified machine. */
import type { Header } from '@sotto/wire';

export interface NodeResponse {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: AsyncIterable<Uint8Array>;
}
