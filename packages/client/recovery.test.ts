/** Lost answers at the client: what it does when a line breaks, with a node that the test plays and a clock that stands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex, encodeUtf8, SottoError } from '@sotto/bytes';
import { ChannelError } from '@sotto/channel';
import {
  AnswerSealer,
  deriveClaim,
  deriveRoots,
  encodeClaimStart,
  encodeKeptHead,
  encodeSealedChunk,
  KEPT_TIME_MS,
} from '@sotto/channel/recovery';
import { createManualClock } from '@sotto/testkit';
import { encodeResponseHead, parseClaimRequest } from '@sotto/wire';
import type { ChatEvent } from './chat.ts';
import { ClientError } from './errors.ts';
import type { NodeRequestOptions, NodeSession } from './node-session.ts';
import { type AnswerTicket, eventsAfter, recoverAnswer } from './recovery.ts';

const KEY = new Uint8Array(32).fill(5);
const HEAD = encodeResponseHead({ version: 1, status: 200, headers: [] });
const WORDS = ['one ', 'two ', 'three ', 'four ', 'five'];
const LOST = new ChannelError('stream-truncated', { cause: new ChannelError('session-truncated') });

/** What happens to one line: how many chunks it carries before it breaks, or why it cannot be had at all. */
type Fate = {
  readonly chunks?: number;
  readonly breaks?: unknown;
  refuse?: number;
  readonly unreachable?: unknown;
};

function rig(first: Fate | undefined, fates: Fate[]) {
  const clock = createManualClock();
  const ticket: AnswerTicket = { nodeId: 'ab'.repeat(16), recoveryKey: KEY.slice(), claims: 0 };
  const abort = new AbortController();
  const lines: string[] = [];
  const seen: { id: string; haveBytes: number; text: string }[] = [];
  let opened = 0;
  let closed = 0;
  let cancelled = 0;

  const close = () => {
    closed += 1;
  };
  const request =
    (fate: Fate) =>
    async (_: string, path: string, { body, signal }: NodeRequestOptions = {}) => {
      signal?.addEventListener('abort', () => {
        cancelled += 1;
      });
      assert.equal(path, '/v1/answers/claim');
      const { id, haveBytes } = parseClaimRequest(body ?? new Uint8Array(0));
      seen.push({ id: encodeHex(id), haveBytes, text: new TextDecoder().decode(body) });
      if (fate.refuse !== undefined && fate.refuse-- > 0) {
        return { status: 404, headers: [], body: (async function* () {})() };
      }
      return { status: 200, headers: [], body: claimBody(haveBytes, fate) };
    };
  const reopen = async () => {
    const fate = fates.shift() ?? {};
    if (fate.unreachable !== undefined) throw fate.unreachable;
    opened += 1;
    return { request: request({ ...fate }), close } as unknown as NodeSession;
  };
  const ask = async () => {
    if (first?.unreachable !== undefined) throw first.unreachable;
    return { head: HEAD, body: live(first as Fate) };
  };
  async function* live({ chunks = WORDS.length, breaks }: Fate) {
    for (const word of WORDS.slice(0, chunks)) yield encodeUtf8(word);
    if (breaks !== undefined) throw breaks;
  }
  async function* claimBody(haveBytes: number, { chunks = WORDS.length + 1, breaks }: Fate) {
    const sealer = new AnswerSealer(deriveRoots(KEY).chainKey);
    const parts = [encodeKeptHead(HEAD), ...WORDS.map(encodeUtf8)];
    let offset = 0;
    let sent = 0;
    for (const [index, part] of parts.entries()) {
      const sealed = await sealer.seal(part);
      if (offset + part.length > haveBytes || (haveBytes === 0 && index === 0)) {
        if (sent === 0) yield encodeClaimStart(index, offset);
        if (sent++ < chunks) yield encodeSealedChunk(sealed);
      }
      offset += part.length;
    }
    if (sent === 0) yield encodeClaimStart(parts.length, offset);
    if (breaks !== undefined) throw breaks;
  }
  const result = (async () => {
    let text = '';
    try {
      const response = await recoverAnswer({
        ticket,
        clock,
        signal: abort.signal,
        reopen,
        onLine: (line) => lines.push(line),
        ...(first === undefined ? {} : { ask }),
      });
      assert.equal(response.status, 200);
      for await (const part of response.body) text += new TextDecoder().decode(part);
      return { text, code: undefined };
    } catch (error) {
      return { text, code: (error as SottoError).code };
    }
  })();
  return {
    clock,
    ticket,
    abort,
    lines,
    seen,
    result,
    get opened() {
      return opened;
    },
    get cancelled() {
      return cancelled;
    },
    get closed() {
      return closed;
    },
  };
}

const WHOLE = WORDS.join('');
const UNREACHABLE = new ClientError('network-unreachable');

test('an answer whose line stands is read as it comes, and nothing is claimed', async () => {
  const { result, seen, lines } = rig({}, []);
  assert.deepEqual(await result, { text: WHOLE, code: undefined });
  assert.deepEqual([seen, lines], [[], []]);
});

test('CL-43 a lost line is followed by one claim of id, token and position: the answer goes on without a seam', async () => {
  for (let chunks = 0; chunks <= WORDS.length; chunks++) {
    const { result, seen, lines, ticket } = rig({ chunks, breaks: LOST }, [{}]);
    assert.deepEqual(await result, { text: WHOLE, code: undefined });
    const have = HEAD.length + 2 + WORDS.slice(0, chunks).join('').length;
    assert.deepEqual([seen.length, seen[0]?.haveBytes], [1, have]);
    assert.equal(seen[0]?.id, encodeHex(deriveClaim(deriveRoots(KEY).claimKey).id));
    assert.ok(!WORDS.some((word) => seen[0]?.text.includes(word)));
    assert.deepEqual(lines, ['lost', 'back']);
    assert.equal(ticket.claims, 1);
  }
});

test('a line that is lost before the head, and again and again after it, still gives the whole answer', async () => {
  const fates: Fate[] = [
    { chunks: 0, breaks: LOST },
    { chunks: 2, breaks: LOST },
    { chunks: 1, breaks: new ClientError('node-lost') },
    {},
  ];
  const { result, seen, ticket } = rig({ unreachable: LOST }, fates);
  assert.deepEqual(await result, { text: WHOLE, code: undefined });
  assert.equal(seen.length, 4);
  assert.equal(new Set(seen.map(({ id }) => id)).size, 4, 'each claim is made once');
  assert.equal(ticket.claims, 4);
});

test('a ticket alone gives the whole answer, from its first byte', async () => {
  const { result, seen } = rig(undefined, [{}]);
  assert.deepEqual(await result, { text: WHOLE, code: undefined });
  assert.equal(seen[0]?.haveBytes, 0);
});

test('a claim whose answer was lost may have counted: the next one of the ladder is tried', async () => {
  const { result, seen } = rig({ chunks: 1, breaks: LOST }, [{ refuse: 2 }]);
  assert.deepEqual(await result, { text: WHOLE, code: undefined });
  assert.equal(new Set(seen.map(({ id }) => id)).size, 3);
});

test('CL-44 a node that has the answer no longer is not asked again; what arrived is kept', async () => {
  const { result, seen, clock } = rig({ chunks: 2, breaks: LOST }, [{ refuse: 99 }]);
  await clock.advance(0);
  assert.deepEqual(await result, { text: 'one two ', code: 'answer-lost' });
  assert.equal(seen.length, 4);
});

test('CL-44 a server out of reach is tried for two minutes, and no longer', async () => {
  const fates = Array.from({ length: 200 }, () => ({ unreachable: UNREACHABLE }));
  const lost = rig({ chunks: 1, breaks: LOST }, fates);
  let isOver = false;
  void lost.result.then(() => {
    isOver = true;
  });
  await lost.clock.advance(KEPT_TIME_MS - 20_000);
  assert.equal(isOver, false);
  await lost.clock.advance(20_000);
  assert.equal(isOver, true);
  assert.deepEqual(await lost.result, { text: 'one ', code: 'answer-lost' });
  assert.ok(fates.length > 170, 'with pauses between the tries');
});

test('CL-44 a server without that node is tried for ten seconds', async () => {
  const fates = Array.from({ length: 200 }, () => ({ unreachable: new ClientError('no-node') }));
  const lost = rig({ chunks: 1, breaks: LOST }, fates);
  await lost.clock.advance(10_000);
  assert.deepEqual(await lost.result, { text: 'one ', code: 'answer-lost' });
});

test('a server that is back in time gives the rest', async () => {
  const fates: Fate[] = [...Array.from({ length: 5 }, () => ({ unreachable: UNREACHABLE })), {}];
  const lost = rig({ chunks: 1, breaks: LOST }, fates);
  await lost.clock.advance(30_000);
  assert.deepEqual(await lost.result, { text: WHOLE, code: undefined });
});

test('CL-42 a node that does not prove itself again gets no claim, and no second chance', async () => {
  class Unproven extends SottoError<'dev-key-not-pinned'> {
    readonly report = {};
    constructor() {
      super('dev-key-not-pinned', 'unproven', { action: 'retry' });
    }
  }
  const lost = rig({ chunks: 1, breaks: LOST }, [{ unreachable: new Unproven() }, {}]);
  await lost.clock.advance(5000);
  assert.deepEqual(await lost.result, { text: 'one ', code: 'dev-key-not-pinned' });
  assert.deepEqual([lost.seen, lost.opened], [[], 0]);
});

test('CL-45 an altered record ends the answer: nothing is fetched while somebody alters what is sent', async () => {
  const forged = new ChannelError('stream-truncated', { cause: new ChannelError('record-forged') });
  const { result, opened } = rig({ chunks: 2, breaks: forged }, [{}]);
  assert.deepEqual(await result, { text: 'one two ', code: 'record-forged' });
  assert.equal(opened, 0);
});

test('CL-45 what the node or the person ended is not recovered', async () => {
  for (const code of ['stream-reset', 'stream-cancelled'] as const) {
    const { result, opened } = rig({ chunks: 1, breaks: new ChannelError(code) }, [{}]);
    assert.deepEqual(await result, { text: 'one ', code });
    assert.equal(opened, 0);
  }
});

test('CL-45 stop ends the search for the line at once', async () => {
  const lost = rig({ chunks: 1, breaks: LOST }, [{ unreachable: UNREACHABLE }, {}]);
  await lost.clock.advance(10);
  lost.abort.abort(new ClientError('answer-incomplete'));
  await lost.clock.advance(1);
  assert.deepEqual(await lost.result, { text: 'one ', code: 'answer-incomplete' });
  assert.equal(lost.lines.includes('back'), false);
});

test('CL-50 a stop that was said while there was no line is told to the node when there is one', async () => {
  const fates: Fate[] = [...Array.from({ length: 4 }, () => ({ unreachable: UNREACHABLE })), {}];
  const lost = rig({ chunks: 1, breaks: LOST }, fates);
  await lost.clock.advance(300);
  lost.abort.abort(new ClientError('answer-incomplete'));
  await lost.clock.advance(60_000);
  assert.equal((await lost.result).text, 'one ');
  assert.deepEqual([lost.seen.length, lost.cancelled, lost.closed], [1, 1, 1]);
});

test('CL-51 every session that was opened for a claim is closed, and not with its answer', async () => {
  const lost = rig({ chunks: 1, breaks: LOST }, [{ chunks: 1, breaks: LOST }, { refuse: 99 }]);
  await lost.clock.advance(100);
  await lost.result;
  assert.deepEqual([lost.opened, lost.closed], [2, 1], 'the claim that was refused');
  await lost.clock.advance(15_000);
  assert.equal(lost.closed, 1, 'not with the answer: that would tell how long it was');
  await lost.clock.advance(1000);
  assert.equal(lost.closed, 2);
});

async function after(texts: readonly string[], haveText: string): Promise<string> {
  async function* events(): AsyncGenerator<ChatEvent> {
    for (const text of texts) yield { kind: 'text-delta', text };
    yield { kind: 'finish', reason: 'stop', usage: undefined };
  }
  let rest = '';
  for await (const event of eventsAfter(events(), haveText)) if (event.kind === 'text-delta') rest += event.text;
  return rest;
}

test('CL-46 of a recovered answer only what is not here yet is told; another answer is refused', async () => {
  for (let have = 0; have <= WHOLE.length; have++)
    assert.equal(await after(WORDS, WHOLE.slice(0, have)), WHOLE.slice(have));
  await assert.rejects(after(WORDS, 'one too'), { code: 'node-malformed', rule: 'CL-46' });
});
