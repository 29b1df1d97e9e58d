/** The attacks, each as an operator would mount it. `refusedBy` is the rule that must stop it; undefined means that this version does not. */

import {
  CookieJar,
  createNodeClock,
  createNodeConnectSocket,
  createNodeFetch,
  createNodeRandom,
} from '@sotto/adapters-node';
import { openNodeSession } from '@sotto/client';
import { devPolicy } from '@sotto/verify';
import { type EvilNode, startEvilNode } from './evil-node.ts';
import type { Answer, EvilOperator } from './evil-operator.ts';
import { type HostileNodeOptions, startHostileNode } from './hostile-node.ts';
import type { Forged } from './removal.ts';
import type { VictimTask } from './victim.ts';

export interface Stage {
  readonly operator: EvilOperator;
  readonly nodeId: string;
  /** The genuine machine's fingerprint, which the person pinned. */
  readonly fingerprint: string;
  /** Where the genuine machine keeps its root: for attackers who have it. */
  readonly enclaveDataDir: string;
}

/** What the attacker set up; undone after the attack. */
export interface Mounted {
  readonly evilNode?: { bytesRead(): number; close(): void };
  /** The fingerprint in the link that the person is made to open. */
  readonly offered?: string;
  /** What the person is shown instead of a good machine's evidence. */
  readonly evidence?: string;
  /** Runs when the victim has written its history. @param told what whoever helps the operator from inside hands it */
  onWritten?(told: unknown): void;
}

export interface Attack {
  readonly name: string;
  readonly tried: string;
  readonly task: VictimTask['kind'];
  /** What the person asks; a secret unless an answer of some length is needed. */
  readonly words?: string;
  readonly refusedBy: string | undefined;
  /** How the refusal is seen where the peer cannot tell which rule was broken; `refusedBy` unless given. */
  readonly seenAs?: string;
  /** Refusals of somebody else's library that come before the rule's, switched off together with it. */
  readonly besides?: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  /** How many bytes the attacker may have when it is refused: a machine that passes for genuine is told the words. */
  readonly mayRead?: boolean;
  /** The one file whose check of the rule is meant, where several files check it. */
  readonly checkIn?: string;
  mount(stage: Stage): Promise<Mounted>;
}

export const ATTACKS: readonly Attack[] = [
  {
    name: 'node-key-swapped',
    tried: 'answer from a machine of the attacker’s, with evidence signed by the attacker’s own key',
    task: 'ask',
    refusedBy: 'EV-34',
    mount: (stage) => divert(stage),
  },
  {
    name: 'key-and-policy-swapped',
    tried: 'also give the person a new link whose fingerprint fits the attacker’s machine',
    task: 'ask',
    refusedBy: 'EV-56',
    mount: async (stage) => {
      const mounted = await divert(stage);
      return { ...mounted, offered: mounted.evilNode.fingerprint };
    },
  },
  {
    name: 'evidence-replayed',
    tried: 'answer from the attacker’s machine with the genuine machine’s evidence',
    task: 'ask',
    refusedBy: 'EV-41',
    mount: async (stage) => divert(stage, await genuineEvidence(stage)),
  },
  {
    name: 'suite-downgraded',
    tried: 'list the machine with a weaker suite first, to be talked down to it',
    task: 'ask',
    refusedBy: 'CH-02',
    seenAs: 'CH-05',
    checkIn: 'packages/client/node-session.ts',
    mount: async ({ operator }) => {
      operator.hooks = { onAnswer: editNodes((node) => ({ ...node, suites: ['plain-0', 'sotto-1'] })) };
      return {};
    },
  },
  {
    name: 'evidence-of-another-purpose',
    tried: 'answer with evidence that the genuine machine signed for a broker, over the attacker’s key',
    task: 'ask',
    refusedBy: 'EV-39',
    mount: (stage) => betray(stage, { purpose: 'broker' }),
  },
  {
    name: 'handshake-replayed',
    tried: 'answer with the machine’s half of an earlier handshake',
    task: 'ask',
    refusedBy: 'CH-05',
    besides: [{ file: 'packages/crypto/sync.node.ts', find: '    decipher.final();\n', replace: '' }],
    mount: async (stage) => {
      const [first] = await recordSession(stage);
      stage.operator.hooks = {
        onFrame: (direction, frame, index) => [isHandshake(direction, index) ? (first ?? frame) : frame],
      };
      return {};
    },
  },
  {
    name: 'low-order-point',
    tried: 'agree on a key that everybody knows, by a point of low order',
    task: 'ask',
    refusedBy: 'CH-03',
    besides: [
      {
        file: 'packages/crypto/sync.node.ts',
        find: "\n    throw new CryptoError('low-order-point');\n  }",
        replace: '\n    return new Uint8Array(32);\n  }',
      },
    ],
    mount: (stage) => betray(stage, { isLowOrder: true }),
  },
  {
    name: 'records-spliced',
    tried: 'return the records of another session with the same machine',
    task: 'ask',
    refusedBy: 'CH-21',
    checkIn: 'packages/crypto/sync.node.ts',
    mount: async (stage) => {
      const recorded = await recordSession(stage);
      stage.operator.hooks = {
        onFrame: (direction, frame, index) =>
          direction === 'to-client' && index > 0 ? [recorded[index] ?? frame] : [frame],
      };
      return {};
    },
  },
  {
    name: 'session-flooded',
    tried: 'keep the person’s device busy with frames that say nothing',
    task: 'ask',
    refusedBy: 'CH-110',
    mayRead: true,
    mount: (stage) => betray(stage, { isFlooding: true }),
  },
  {
    name: 'renewed-to-another-key',
    tried: 'renew a good session to a key that the evidence does not name',
    task: 'ask',
    refusedBy: 'EV-41',
    mayRead: true,
    mount: (stage) => betray(stage, { isRenewing: true }),
  },
  {
    name: 'answer-claimed',
    tried: 'fetch the rest of somebody else’s answer, whose line was cut, by its id',
    task: 'steal-answer',
    refusedBy: 'CH-100',
    mount: async () => ({}),
  },
  {
    name: 'record-tampered',
    tried: 'flip one bit of an answer on its way',
    task: 'ask',
    refusedBy: 'CH-21',
    checkIn: 'packages/crypto/sync.node.ts',
    mount: async ({ operator }) => {
      operator.hooks = { onFrame: onAnswerFrame((frame) => [flipped(frame)]) };
      return {};
    },
  },
  {
    name: 'message-dropped',
    tried: 'leave one frame of an answer out',
    task: 'ask',
    words: '/slow 10',
    refusedBy: 'CH-21',
    checkIn: 'packages/crypto/sync.node.ts',
    mount: async ({ operator }) => {
      operator.hooks = { onFrame: onAnswerFrame(() => []) };
      return {};
    },
  },
  {
    name: 'records-swapped',
    tried: 'return one chat’s sealed messages under the ids of another’s',
    task: 'read-history',
    refusedBy: 'VA-07',
    mount: async ({ operator }) => ({
      onWritten: () => {
        operator.hooks = {
          onAnswer: editRecords((records) => {
            const envelopes = records.map((record) => record.envelope);
            return records.map((record, i) => ({ ...record, envelope: envelopes[(i + 1) % envelopes.length] ?? null }));
          }),
        };
      },
    }),
  },
  {
    name: 'signed-in-elsewhere',
    tried: 'sign a device that comes back in to another account, for what it writes next to go there',
    task: 'sign-in-again',
    refusedBy: 'CL-341',
    checkIn: 'packages/client/device-sign-in.ts',
    mount: async ({ operator }) => {
      operator.hooks = {
        onAnswer: (_, path, answer) => {
          if (path !== '/api/sign-in/device') return;
          Object.assign(answer, { status: 200, body: Buffer.from(JSON.stringify({ accountId: 'ab'.repeat(16) })) });
        },
      };
      return {};
    },
  },
  {
    name: 'message-withheld',
    tried: 'leave a message out, as if it had never been written',
    task: 'read-history',
    refusedBy: 'VA-108',
    mount: async ({ operator }) =>
      onceCorrected(operator, (records, { path }) => records.filter(({ recordId }) => !path.endsWith(recordId))),
  },
  {
    name: 'history-rolled-back',
    tried: 'return the version of a message that the person has corrected since',
    task: 'read-history',
    refusedBy: 'VA-107',
    // With that rule off, the older version would still be one that its device does not list.
    besides: [
      {
        file: 'packages/vault/heads/compare.ts',
        find: "if (!this.#isUnderWay(record)) return finding('record-unlisted', { recordId, deviceId });",
        replace: '',
      },
    ],
    mount: async ({ operator }) =>
      onceCorrected(operator, (records, { path, first }) =>
        records.map((record) =>
          path.endsWith(record.recordId) ? { ...record, envelope: first.toString('base64') } : record,
        ),
      ),
  },
  {
    name: 'removed-device-forges',
    tried: 'show a message that somebody sealed with the old key of a device that the person has removed',
    task: 'read-after-removal',
    refusedBy: 'VA-135',
    mount: async ({ operator }) => ({
      onWritten: (told) => {
        const forged = told as Forged;
        operator.hooks = { onAnswer: editRecords((records) => [...records, { ...forged, sequence: 1_000_000 }]) };
      },
    }),
  },
  {
    name: 'old-lock-list-replayed',
    tried: 'show the list of locks from before one of them was removed',
    task: 'look-at-locks',
    refusedBy: 'VA-138',
    mount: ({ operator }) => replayLocks(operator),
  },
  {
    name: 'old-wrap-served',
    tried: 'hand out a lock from before the rotation, with the key that the removed device has too',
    task: 'unlock-again',
    refusedBy: 'VA-38',
    mount: ({ operator }) => replayLocks(operator),
  },
];

/** The message that the person corrected is the one record that was written exactly twice; the operator sees that. */
function onceCorrected(
  operator: EvilOperator,
  edit: (records: readonly WireRecord[], corrected: { readonly path: string; readonly first: Buffer }) => WireRecord[],
): Mounted {
  const writes = new Map<string, Buffer[]>();
  operator.hooks = {
    onRequest: (method, path, body) => {
      if (method === 'PUT' && path.startsWith('/api/records/')) writes.set(path, [...(writes.get(path) ?? []), body]);
    },
  };
  return {
    onWritten: () => {
      const [path, bodies] = [...writes].find(([, all]) => all.length === 2) ?? [];
      const first = bodies?.[0];
      if (path === undefined || first === undefined) throw new Error('no record was written exactly twice');
      operator.hooks = { onAnswer: editRecords((records) => edit(records, { path, first })) };
    },
  };
}

/** The last list of locks before the person removed one is the one that is shown from then on. */
async function replayLocks(operator: EvilOperator): Promise<Mounted> {
  let newest: Buffer | undefined;
  let isReplaying = false;
  operator.hooks = {
    onRequest: (_, path) => {
      // The list that was handed out last was the old one.
      if (path === '/api/rotation') isReplaying = newest !== undefined;
    },
    onAnswer: (_, path, answer) => {
      if (path !== '/api/locks') return;
      if (!isReplaying) newest = Buffer.from(answer.body);
      else if (newest !== undefined) answer.body = newest;
    },
  };
  return {};
}

interface WireRecord {
  readonly recordId: string;
  readonly sequence: number;
  readonly envelope: string | null;
}

interface WireNode {
  readonly nodeId: string;
  readonly suites: readonly string[];
  readonly evidenceDigest: string;
  readonly epochId: string;
}

/** Leads the relay to the attacker's machine. */
async function divert(
  { operator, nodeId }: Stage,
  replayed?: { bundle: Uint8Array; epochId: Uint8Array },
): Promise<Mounted & { evilNode: EvilNode }> {
  const evilNode = await startEvilNode({ nodeIdHex: nodeId, ...(replayed === undefined ? {} : { replayed }) });
  operator.hooks = { divertTo: evilNode.url };
  return { evilNode };
}

/** Leads the relay to a machine that has the genuine one's root. */
async function betray(
  { operator, nodeId, enclaveDataDir }: Stage,
  options: Omit<HostileNodeOptions, 'nodeIdHex' | 'enclaveDataDir'>,
): Promise<Mounted> {
  const evilNode = await startHostileNode({ nodeIdHex: nodeId, enclaveDataDir, ...options });
  operator.hooks = { divertTo: evilNode.url };
  return { evilNode };
}

const isHandshake = (direction: string, index: number) => direction === 'to-client' && index === 0;

/** The attacker is a customer too: the frames that the machine sent in a session of its own. */
async function recordSession({ operator, fingerprint }: Stage): Promise<Buffer[]> {
  const frames: Buffer[] = [];
  operator.hooks = {
    onFrame: (direction, frame) => {
      if (direction === 'to-client') frames.push(Buffer.from(frame));
      return [frame];
    },
  };
  const cookieJar = new CookieJar();
  const plain = createNodeFetch({ cookieJar });
  const session = await openNodeSession(
    {
      clock: createNodeClock(),
      random: createNodeRandom(),
      connect: createNodeConnectSocket({ cookieJar }),
      fetch: (url, init) => plain(url, { ...init, headers: { ...init?.headers, origin: operator.url } }),
      distrust: { isDistrusted: () => false, subscribe: () => () => {} },
    },
    { baseUrl: operator.url, policy: devPolicy(fingerprint) },
  );
  await session.models();
  await session.models();
  session.close();
  return frames;
}

async function genuineEvidence({ operator }: Stage): Promise<{ bundle: Uint8Array; epochId: Uint8Array }> {
  const { nodes } = (await (await fetch(`${operator.url}/api/nodes`)).json()) as { nodes: WireNode[] };
  const node = nodes[0] as WireNode;
  const answer = await fetch(`${operator.url}/api/nodes/${node.nodeId}/evidence/${node.evidenceDigest}`);
  return { bundle: new Uint8Array(await answer.arrayBuffer()), epochId: Buffer.from(node.epochId, 'hex') };
}

function editNodes(edit: (node: WireNode) => WireNode) {
  return (_method: string, path: string, answer: Answer): void => {
    if (path !== '/api/nodes') return;
    const { nodes } = JSON.parse(answer.body.toString()) as { nodes: WireNode[] };
    answer.body = Buffer.from(JSON.stringify({ nodes: nodes.map(edit) }));
  };
}

/** Changes every page of records that a device without a store of its own is shown. */
export function editRecords(edit: (records: WireRecord[]) => WireRecord[]) {
  return (method: string, path: string, answer: Answer): void => {
    if (method !== 'GET' || !path.startsWith('/api/records')) return;
    const page = JSON.parse(answer.body.toString()) as { records: WireRecord[] };
    answer.body = Buffer.from(JSON.stringify({ ...page, records: edit(page.records) }));
  };
}

/** The node's first frame is its half of the handshake; what follows is records. */
function onAnswerFrame(change: (frame: Buffer) => Buffer[]) {
  return (direction: 'to-node' | 'to-client', frame: Buffer, index: number): Buffer[] =>
    direction === 'to-client' && index === 1 ? change(frame) : [frame];
}

function flipped(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  copy[20] = (copy[20] as number) ^ 1;
  return copy;
}
