/**
 * The attacks, each as an operator would mount it, against a fresh session or a throw-away history of this browser. Only
 * the constant test sentence is ever at stake. `tools/demo-attack` does the same to the command line.
 */
import { encodeUtf8, parseUtf8, SottoError } from '@sotto/bytes';
import type { ClientPorts, History, HistoryOptions, NodeSession, NodeSessionOptions } from '@sotto/client';
import { devPolicy } from '@sotto/verify';
import { asSentence, errorWords, t } from '../../shell/words.ts';
import { createEvilNetwork, flipped, type Tampering } from './network.ts';
import { createEvilStore, throwAway, writeChat } from './stored.ts';
import { b } from './words.ts';

/** The only words that an attack can get at. */
export const TEST_SENTENCE = 'a test sentence';

export interface Lab {
  readonly ports: ClientPorts;
  readonly baseUrl: string;
  /** Of the machine that the person trusts. */
  readonly fingerprint: string;
  /** The client's own; tests pass ones with a check missing. */
  readonly openNodeSession: (ports: ClientPorts, options: NodeSessionOptions) => Promise<NodeSession>;
  readonly openHistory: (options: HistoryOptions) => Promise<History>;
}

/** Longer than a machine needs for the first words of an answer. */
export const LIMIT_SECONDS = 20;

/** What came of an attack, before it is judged. */
export interface Outcome {
  /** What refused it; undefined when nothing did. */
  readonly rule: string | undefined;
  /** What the person would see; empty when there would be nothing to see. */
  readonly saw: string;
  /** Bytes of the test sentence that were handed to a session, which sends them. */
  readonly wordBytes: number;
  /** The sentence went out readable. */
  readonly inClear: boolean;
  /** Why the attack could not be mounted at all, in words. */
  readonly hindrance?: string;
}

export type AttackId =
  | 'other-machine'
  | 'evidence'
  | 'suite'
  | 'handshake'
  | 'replay'
  | 'low-order'
  | 'answer-bit'
  | 'splice'
  | 'answer-frame'
  | 'records'
  | 'rollback';

export interface Attack {
  readonly id: AttackId;
  /** The rule that must stop it; undefined means that this version has none. */
  readonly refusedBy: string | undefined;
  /** How the refusal is seen where another rule than `refusedBy` is what notices it. */
  readonly seenAs?: string;
  /** What may have left when it is refused: nothing, or words encrypted to the machine that was verified. */
  readonly leaves: 'nothing' | 'sealed-words';
  run(lab: Lab, signal: AbortSignal): Promise<Outcome>;
}

export const ATTACKS: readonly Attack[] = [
  {
    id: 'other-machine',
    refusedBy: 'EV-34',
    leaves: 'nothing',
    run: (lab, signal) => ask({ ...lab, fingerprint: otherThan(lab.fingerprint) }, {}, signal),
  },
  {
    id: 'evidence',
    refusedBy: 'CL-03',
    seenAs: 'CH-21',
    leaves: 'nothing',
    run: (lab, signal) =>
      ask(
        lab,
        {
          answer: (path, bytes) => (path.includes('/evidence/') ? flipped(bytes, 200) : bytes),
          frame: (frame, { index }) => (index === 0 ? frame : flipped(frame, 20)),
        },
        signal,
      ),
  },
  {
    id: 'suite',
    refusedBy: 'CH-02',
    seenAs: 'CH-05',
    leaves: 'nothing',
    run: (lab, signal) => ask(lab, { answer: weakerSuiteFirst }, signal),
  },
  {
    id: 'handshake',
    refusedBy: 'CH-05',
    leaves: 'nothing',
    run: (lab, signal) => ask(lab, { frame: (frame, { index }) => (index === 0 ? flipped(frame, -1) : frame) }, signal),
  },
  {
    id: 'replay',
    refusedBy: 'CH-05',
    leaves: 'nothing',
    run: async (lab, signal) => {
      const [first] = await recordSession(lab, signal);
      return ask(lab, { frame: (frame, { index }) => (index === 0 ? (first ?? frame) : frame) }, signal);
    },
  },
  {
    id: 'low-order',
    refusedBy: 'CH-03',
    leaves: 'nothing',
    run: (lab, signal) =>
      ask(lab, { frame: (frame, { index }) => (index === 0 ? withKeyOfZeros(frame) : frame) }, signal),
  },
  {
    id: 'answer-bit',
    refusedBy: 'CH-21',
    leaves: 'sealed-words',
    run: (lab, signal) => ask(lab, { frame: (frame, { isAnswer }) => (isAnswer ? flipped(frame, 20) : frame) }, signal),
  },
  {
    id: 'answer-frame',
    refusedBy: 'CH-21',
    leaves: 'sealed-words',
    run: (lab, signal) => {
      let isLeftOut = false;
      const frame: Tampering['frame'] = (given, { isAnswer }) => {
        if (!isAnswer || isLeftOut) return given;
        isLeftOut = true;
        return undefined;
      };
      return ask(lab, { frame }, signal);
    },
  },
  {
    id: 'splice',
    refusedBy: 'CH-21',
    leaves: 'sealed-words',
    run: async (lab, signal) => {
      const recorded = await recordSession(lab, signal);
      const frame: Tampering['frame'] = (given, { index, isAnswer }) =>
        isAnswer ? (recorded[index] ?? recorded.at(-1) ?? given) : given;
      return ask(lab, { frame }, signal);
    },
  },
  { id: 'records', refusedBy: 'VA-07', leaves: 'nothing', run: swapRecords },
  { id: 'rollback', refusedBy: 'VA-107', leaves: 'nothing', run: rollBack },
];

/** Nobody answered: no check was put to the test. */
const UNREACHED = [
  'network-unreachable',
  'no-node',
  'node-unavailable',
  'rate-limited',
  'signed-out',
  'server-refused',
];

/** Opens a session over the evil network and, where nothing refuses that, asks the test sentence. */
async function ask(lab: Lab, tampering: Tampering, signal: AbortSignal): Promise<Outcome> {
  const network = createEvilNetwork(lab.ports, tampering);
  let session: NodeSession | undefined;
  let wordBytes = 0;
  const outcome = (rule: string | undefined, saw: string): Outcome => ({
    ...{ rule, saw, wordBytes },
    inClear: network.carried(TEST_SENTENCE),
  });
  try {
    const policy = devPolicy(lab.fingerprint);
    session = await lab.openNodeSession(network.ports, { baseUrl: lab.baseUrl, policy, signal });
    const open = session;
    const models = await open.models().catch(() => []);
    network.asked();
    wordBytes = encodeUtf8(TEST_SENTENCE).length;
    const answer = readAnswer(open, models[0]?.id ?? 'none', signal);
    // A frame that is missing shows with the next one: one more question makes sure that there is one.
    const next = network.changed.then(() => open.models()).then(() => answer);
    return outcome(undefined, b('seen.answer', { text: await Promise.race([answer, next]) }));
  } catch (error) {
    if (!(error instanceof SottoError)) {
      if (!signal.aborted) throw error;
      const silence = outcome(undefined, b('seen.silence', { seconds: LIMIT_SECONDS }));
      const isMounted = session !== undefined || network.hasChanged;
      return isMounted ? silence : { ...silence, hindrance: silence.saw };
    }
    const { code, rule } = error;
    if (session === undefined && UNREACHED.includes(code)) return { ...outcome(rule, ''), hindrance: errorWords(code) };
    const wasOpen = session !== undefined;
    return outcome(rule, wasOpen ? errorWords(code) : `${asSentence(error.message)} ${t('proof.lead.failed')}`);
  } finally {
    session?.close();
  }
}

/** Asks the test sentence; a few words of an answer are enough. */
async function readAnswer(session: NodeSession, model: string, signal: AbortSignal): Promise<string> {
  const messages = [{ role: 'user' as const, content: TEST_SENTENCE }];
  let text = '';
  for await (const event of session.chat({ model, messages, max_tokens: 8 }, { signal })) {
    if (event.kind === 'text-delta') text += event.text;
  }
  return text;
}

/** The attacker is a customer too: what the machine sent in a session of its own. */
async function recordSession(lab: Lab, signal: AbortSignal): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  const frame: Tampering['frame'] = (given) => {
    frames.push(given.slice());
    return given;
  };
  try {
    const network = createEvilNetwork(lab.ports, { frame });
    const options = { baseUrl: lab.baseUrl, policy: devPolicy(lab.fingerprint), signal };
    const session = await lab.openNodeSession(network.ports, options);
    await session.models();
    session.close();
  } catch {
    // Where the attacker cannot connect, the attack says so when it is mounted.
  }
  return frames;
}

/** The machine’s half of the key agreement begins with its public key. */
function withKeyOfZeros(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy.fill(0, 0, 32);
  return copy;
}

/** The evidence that arrives is then that of a machine which this session has no reason to trust. */
function otherThan(fingerprint: string): string {
  return (fingerprint.startsWith('0') ? '1' : '0') + fingerprint.slice(1);
}

function weakerSuiteFirst(path: string, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (path !== '/api/nodes') return bytes;
  return encodeUtf8(parseUtf8(bytes).replaceAll('"suites":[', '"suites":["plain-0",'));
}

/** Two chats, each returned as the other; then read as after a reload. */
async function swapRecords({ ports, openHistory }: Lab): Promise<Outcome> {
  const store = createEvilStore();
  const options = await throwAway(ports, store);
  const history = await openHistory(options);
  const [one, other] = [await writeChat(history, TEST_SENTENCE), await writeChat(history, b('otherSentence'))];
  store.swap(one.messageId, other.messageId);
  const read = await openHistory(options);
  const refusals = [one, other].map(({ messageId }) => read.damaged.get(messageId)?.rule);
  const isShown = [one, other].some(({ conversationId }) => read.thread(conversationId).length > 0);
  const isRefused = !isShown && refusals[0] === refusals[1];
  const saw = read.damagedCount > 0 ? t('list.damaged', { count: read.damagedCount }) : b('seen.swapped');
  return { rule: isRefused ? refusals[0] : undefined, saw, wordBytes: 0, inClear: false };
}

/** A corrected message, returned as it was before; then read as after a reload. */
async function rollBack({ ports, openHistory }: Lab): Promise<Outcome> {
  const store = createEvilStore();
  const options = await throwAway(ports, store);
  const history = await openHistory(options);
  const message = await writeChat(history, TEST_SENTENCE);
  await history.settled();
  await history.saveMessage({ ...message, text: b('otherSentence') });
  await history.settled();
  store.bringBack(message.messageId);
  const read = await openHistory(options);
  await read.settled();
  const [found] = read.findings;
  const text = read.thread(message.conversationId)[0]?.text ?? '';
  const saw = found?.message ?? b('seen.older', { text });
  return { rule: found?.rule, saw, wordBytes: 0, inClear: false };
}
