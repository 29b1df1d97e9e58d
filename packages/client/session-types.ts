/** What a session with a verified node looks like from outside, and what opening one takes (spec/client.md). */
import type { Profile } from '@sotto/channel/shaping';
import type { Clock, ConnectSocket, DistrustSource, Fetch, Random } from '@sotto/ports';
import type { Policy, VerificationReport, VerifiedNode } from '@sotto/verify';
import type { ChatCompletionRequest, Header, Method, ModelListing } from '@sotto/wire';
import type { ChatEvent } from './chat.ts';
import type { NodeCache } from './node-cache.ts';
import type { NodeResponse } from './response.ts';

export interface ClientPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: ConnectSocket;
  readonly fetch: Fetch;
  readonly distrust: DistrustSource;
}

/** What is happening, in the order in which it happens. */
export type SessionPhase = 'finding' | 'connecting' | 'checking' | 'verified';

export interface NodeSessionOptions {
  /** Origin of the server, such as `http://localhost:7070`, without a path. */
  readonly baseUrl: string;
  /** From the person or their terminal, never from the server (spec/evidence.md). */
  readonly policy: Policy;
  /** 32 hex digits: this node and no other, for an answer that it keeps. */
  readonly nodeId?: string;
  readonly cache?: NodeCache;
  /** How what passes is shaped against who watches the line (spec/shaping.md); `balanced` when it is not said. */
  readonly profile?: Profile;
  readonly onPhase?: (phase: SessionPhase) => void;
  readonly signal?: AbortSignal;
}

export interface NodeRequestOptions {
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: readonly Header[];
  readonly signal?: AbortSignal;
}

/** What recovers one answer. Whoever holds it can fetch and read that answer: it is only ever stored sealed. */
export interface AnswerTicket {
  /** 32 hex digits. */
  readonly nodeId: string;
  /** 32 bytes. */
  readonly recoveryKey: Uint8Array<ArrayBuffer>;
  /** How many claims were made, at least. */
  claims: number;
}

/** The line of an answer was lost and is being sought, or is there again. */
export type LineState = 'lost' | 'back';

export interface ChatOptions {
  readonly signal?: AbortSignal;
  /** Told before the question leaves: what recovers the answer after this program has ended. Stored sealed or not at all. */
  readonly onTicket?: (ticket: AnswerTicket) => void;
  /** The answer's line was lost and is being sought, or is there again. */
  readonly onLine?: (line: LineState) => void;
}

export interface ResumeOptions extends Omit<ChatOptions, 'onTicket'> {
  /** The part of the answer that is here already: it is not told again. */
  readonly haveText: string;
}

export interface NodeSession {
  readonly node: VerifiedNode;
  readonly report: VerificationReport;
  /** The evidence bundle as the node sent it. */
  readonly bundle: Uint8Array;
  request(method: Method, path: string, options?: NodeRequestOptions): Promise<NodeResponse>;
  /** One answer; when its line is lost, the rest of it is fetched from the same node. */
  chat(request: Omit<ChatCompletionRequest, 'stream'>, options?: ChatOptions): AsyncIterable<ChatEvent>;
  /** The rest of an answer whose program ended, from the node of the ticket. */
  resume(ticket: AnswerTicket, options: ResumeOptions): AsyncIterable<ChatEvent>;
  models(): Promise<readonly ModelListing[]>;
  /**
   * Asks the machine to prove itself again, now, for this connection (spec/evidence.md §live).
   *
   * @throws VerifyError when it does not: the session has ended then, and nothing more is sent
   * @throws ClientError `node-unavailable`, `busy`: no answer, and nothing is known
   */
  proveLive(): Promise<VerificationReport>;
  /** Called when the session stands on a new epoch: `node`, `report` and `bundle` are that one's. */
  onRenewed: (() => void) | undefined;
  /** Resolves when the session has ended, with the error that ended it, or undefined after `close`. */
  readonly closed: Promise<Error | undefined>;
  /** Whether it takes a new request: a session whose node is leaving finishes what runs and takes none. */
  readonly isOpen: boolean;
  close(): void;
}
