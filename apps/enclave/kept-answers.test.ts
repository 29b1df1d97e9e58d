/** Recovery of a running answer at the node: the real channel over a socket pair, an engine that waits for the test, a clock that stands. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import type { VerifiedChannel } from '@sotto/channel';
import {
  CLAIMS_LIMIT,
  deriveClaim,
  deriveRoots,
  KEPT_TIME_MS,
  openClaimBody,
  readKeptHead,
} from '@sotto/channel/recovery';
import { createChannelPair, createManualClock, settle } from '@sotto/testkit';
import { encodeClaimRequest, encodeRequestHead, parseResponseHead, WIRE_VERSION } from '@sotto/wire';
import { createApiContext, handleApi } from './api.ts';
import { BodyBudget, DEFAULT_BODY_LIMITS, serveStream } from './channel-http.ts';
import type { Engine, EngineEvent } from './engine.ts';
import { KeptAnswers, type KeptLimits } from './kept-answers.ts';

const KEY = new Uint8Array(32).fill(9);
const CHAT = encodeUtf8(JSON.stringify({ model: '', stream: true, messages: [{ role: 'user', content: 'Hi' }] }));
const MODEL = { id: 'm', label: 'M', parameters: 0, contextTokens: 4096, starter: false };

/** An engine that says what the test tells it to. */
function createTalker() {
  const events: EngineEvent[] = [];
  let wake = Promise.withResolvers<void>();
  let [stopped, ended] = [0, false];
  const wakeAll = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const tell = (event: EngineEvent) => {
    events.push(event);
    wakeAll();
  };
  const engine: Engine = {
    model: MODEL,
    async *generate({ signal }) {
      signal.addEventListener('abort', () => {
        if (!ended) stopped += 1;
        wakeAll();
      });
      for (let at = 0; !signal.aborted; ) {
        const event = events[at];
        if (event === undefined) await wake.promise;
        else {
          at += 1;
          ended = 'finish' in event;
          yield event;
        }
      }
    },
    close: async () => undefined,
  };
  return {
    engine,
    say: async (text: string) => {
      tell({ text });
      await settle();
    },
    finish: async () => {
      tell({ finish: 'stop', promptTokens: 1, completionTokens: 1 });
      await settle();
    },
    get stopped() {
      return stopped;
    },
  };
}

async function createNode(t: TestContext, limits: Partial<KeptLimits> = {}) {
  const lines: (() => Promise<void>)[] = [];
  const clock = createManualClock();
  const kept = new KeptAnswers(clock, limits);
  const talker = createTalker();
  const context = createApiContext(talker.engine);
  const budget = new BodyBudget(DEFAULT_BODY_LIMITS);
  /** A verified channel of its own; `cut` ends the line as a relay that dies does. */
  const connect = async () => {
    const session = {};
    const pair = createChannelPair({
      clock,
      onRequest: (incoming) =>
        void serveStream(incoming, (request) => handleApi(request, talker.engine, context), { budget, session, kept }),
    });
    await clock.advance(50);
    const { unverified, expected, sockets } = await pair;
    const channel = unverified.promote(expected);
    const cut = async () => {
      sockets.cut();
      await settle();
    };
    lines.push(cut);
    return { channel, cut };
  };
  t.after(async () => {
    for (const cut of lines) await cut();
    kept.close();
  });
  return { clock, kept, talker, connect };
}

type TestNode = Awaited<ReturnType<typeof createNode>>;

/** Asks and goes on reading until the line ends; `text` is what arrived. */
function ask(node: TestNode, channel: VerifiedChannel, recoveryKey: Uint8Array | 'none' = KEY) {
  const head = { version: WIRE_VERSION, method: 'POST', path: '/v1/chat/completions', headers: [] } as const;
  const stream = channel.request(encodeRequestHead(recoveryKey === 'none' ? head : { ...head, recoveryKey }));
  void stream.write(CHAT).then(() => stream.end());
  const got = { text: '', end: 'open' };
  void (async () => {
    try {
      await stream.head;
      for await (const part of stream.body) got.text += new TextDecoder().decode(part);
      got.end = 'whole';
    } catch (error) {
      got.end = (error as { code: string }).code;
    }
  })();
  return { stream, got, arrive: () => node.clock.advance(100) };
}

const claimOf = (key: Uint8Array, count = 0) => {
  let claim = deriveClaim(deriveRoots(key).claimKey);
  for (let n = 0; n < count; n++) claim = deriveClaim(claim.nextKey);
  return claim;
};

interface Claimed {
  status: number;
  body: Uint8Array;
  end: string;
  cancel(): void;
}

/** Claims the answer and goes on reading. */
async function claim(
  node: TestNode,
  channel: VerifiedChannel,
  { id, token }: { id: Uint8Array; token: Uint8Array },
  haveBytes = 0,
): Promise<Claimed> {
  const head = { version: WIRE_VERSION, method: 'POST', path: '/v1/answers/claim', headers: [] } as const;
  const stream = channel.request(encodeRequestHead(head));
  void stream.write(encodeClaimRequest({ id, token, haveBytes })).then(() => stream.end());
  const got: Claimed = { status: 0, body: new Uint8Array(0), end: 'open', cancel: () => stream.cancel() };
  void (async () => {
    try {
      got.status = parseResponseHead(await stream.head).status;
      for await (const part of stream.body) got.body = concatBytes(got.body, part);
      got.end = 'whole';
    } catch (error) {
      got.end = (error as { code: string }).code;
    }
  })();
  await node.clock.advance(100);
  return got;
}

/** The text of a claimed kept stream that began at its first byte. */
async function textOf(body: Uint8Array, key = KEY): Promise<string> {
  async function* whole() {
    yield body;
  }
  const { head, body: rest } = await readKeptHead(openClaimBody(whole(), deriveRoots(key).chainKey, 0));
  assert.equal(parseResponseHead(head).status, 200);
  let text = '';
  for await (const part of rest) text += new TextDecoder().decode(part);
  return text;
}

const REFUSED = { status: 404 };
const refusalOf = ({ status, body }: Claimed) => ({ status, text: new TextDecoder().decode(body) });

test('CH-95 a lost line lets the answer go on; what was said before and after it is claimed whole', async (t) => {
  const node = await createNode(t);
  const line = await node.connect();
  const { got, arrive } = ask(node, line.channel);
  await arrive();
  await node.talker.say('before ');
  await arrive();
  assert.match(got.text, /"before "/);
  await line.cut();
  assert.equal(got.end, 'stream-truncated');
  await node.talker.say('after');
  await node.talker.finish();
  assert.equal(node.talker.stopped, 0);
  const again = await node.connect();
  const claimed = await claim(node, again.channel, claimOf(KEY));
  assert.equal(claimed.end, 'whole');
  const text = await textOf(claimed.body);
  assert.ok(text.startsWith(got.text), 'the same bytes');
  assert.match(text, /"before ".*"after".*\[DONE\]\n\n$/s);
});

test('CH-95 a session that was closed in words takes its answer with it', async (t) => {
  const node = await createNode(t);
  const line = await node.connect();
  const { arrive } = ask(node, line.channel);
  await arrive();
  await node.talker.say('word');
  line.channel.close();
  await arrive();
  assert.equal(node.talker.stopped, 1);
  assert.equal(node.kept.count, 0);
});

test('CH-95 a cancelled answer stops its engine at once, and nothing of it is kept', async (t) => {
  const node = await createNode(t);
  const line = await node.connect();
  const { stream, arrive } = ask(node, line.channel);
  await arrive();
  await node.talker.say('word');
  stream.cancel();
  await arrive();
  assert.equal(node.talker.stopped, 1);
  assert.equal(node.kept.count, 0);
  assert.equal(node.kept.bytes, 0);
});

test('CH-105 without a recovery key a lost line ends the answer', async (t) => {
  const node = await createNode(t);
  const line = await node.connect();
  const { arrive } = ask(node, line.channel, 'none');
  await arrive();
  await node.talker.say('word');
  await line.cut();
  assert.equal(node.talker.stopped, 1);
  assert.equal(node.kept.count, 0);
});

test('CH-97 an answer that nobody claims within two minutes is stopped and erased', async (t) => {
  const node = await createNode(t);
  const line = await node.connect();
  const { arrive } = ask(node, line.channel);
  await arrive();
  await node.talker.say('word');
  await line.cut();
  await node.clock.advance(KEPT_TIME_MS - 1000);
  await node.talker.say('more');
  assert.deepEqual([node.talker.stopped, node.kept.count], [0, 1]);
  await node.clock.advance(1000);
  assert.deepEqual([node.talker.stopped, node.kept.count, node.kept.bytes], [1, 0, 0]);
  const again = await node.connect();
  assert.equal((await claim(node, again.channel, claimOf(KEY))).status, 404);
});

test('CH-97 an answer that ended is kept for two minutes from its end, lost or not', async (t) => {
  const node = await createNode(t);
  const line = await node.connect();
  const { got, arrive } = ask(node, line.channel);
  await arrive();
  await node.talker.say('word');
  await node.talker.finish();
  await arrive();
  assert.equal(got.end, 'whole');
  await node.clock.advance(KEPT_TIME_MS - 1000);
  assert.equal(node.kept.count, 1);
  await line.cut();
  await node.clock.advance(1000);
  assert.equal(node.kept.count, 0);
});

test('CH-98 of an answer above its limit nothing is kept; its stream goes on, and ends with its line', async (t) => {
  const node = await createNode(t, { answerBytes: 3000 });
  const line = await node.connect();
  const { got, arrive } = ask(node, line.channel);
  await arrive();
  await node.talker.say('a'.repeat(2000));
  assert.equal(node.kept.count, 1);
  await node.talker.say('b'.repeat(2000));
  assert.deepEqual([node.kept.count, node.kept.bytes], [0, 0]);
  await node.talker.say('still here');
  await arrive();
  assert.match(got.text, /still here/);
  assert.equal(node.talker.stopped, 0);
  await line.cut();
  assert.equal(node.talker.stopped, 1);
});

test('CH-98 an answer that grows above its limit while its line is lost is stopped', async (t) => {
  const node = await createNode(t, { answerBytes: 3000 });
  const line = await node.connect();
  const { arrive } = ask(node, line.channel);
  await arrive();
  await line.cut();
  await node.talker.say('a'.repeat(4000));
  assert.deepEqual([node.talker.stopped, node.kept.count], [1, 0]);
});

test('CH-99 all answers together have a limit in bytes: a delivered one makes room, a lost one does not', async (t) => {
  const node = await createNode(t, { allBytes: 3000 });
  const [a, b] = [await node.connect(), await node.connect()];
  const first = ask(node, a.channel);
  await first.arrive();
  await node.talker.say('a'.repeat(1500));
  const second = ask(node, b.channel, new Uint8Array(32).fill(8));
  await second.arrive();
  // The second one's engine says the same words again: together they are too many, and the newcomer is not kept.
  assert.equal(node.kept.count, 1);
  await a.cut();
  const again = await node.connect();
  assert.equal((await claim(node, again.channel, claimOf(KEY))).status, 200);
  assert.ok(node.kept.bytes <= 3000);
});

test('CH-99 there is a limit to how many answers are kept', async (t) => {
  const node = await createNode(t, { answers: 1 });
  const line = await node.connect();
  const first = ask(node, line.channel);
  await first.arrive();
  const second = ask(node, line.channel, new Uint8Array(32).fill(8));
  await second.arrive();
  assert.equal(node.kept.count, 1);
  await node.talker.finish();
  await first.arrive();
  // Both ended; the kept one was delivered, and makes room for the next.
  const third = ask(node, line.channel, new Uint8Array(32).fill(7));
  await third.arrive();
  assert.equal(node.kept.count, 1);
  await line.cut();
  const again = await node.connect();
  assert.equal((await claim(node, again.channel, claimOf(KEY))).status, 404);
  assert.equal((await claim(node, again.channel, claimOf(new Uint8Array(32).fill(7)))).status, 200);
});

test('CH-104 a recovery key serves one answer: a second one under it is not kept', async (t) => {
  const node = await createNode(t);
  const line = await node.connect();
  const first = ask(node, line.channel);
  await first.arrive();
  await node.talker.say('word');
  const { bytes } = node.kept;
  const second = ask(node, line.channel);
  await second.arrive();
  assert.deepEqual([node.kept.count, node.kept.bytes], [1, bytes]);
  assert.match(second.got.text, /word/);
});

async function lostAnswer(node: TestNode): Promise<void> {
  const line = await node.connect();
  const { arrive } = ask(node, line.channel);
  await arrive();
  await node.talker.say('word');
  await line.cut();
}

test('CH-100 the id alone, or another answer’s token, opens nothing', async (t) => {
  const node = await createNode(t);
  await lostAnswer(node);
  const { channel } = await node.connect();
  const right = claimOf(KEY);
  for (const token of [new Uint8Array(32), claimOf(KEY, 1).token, claimOf(new Uint8Array(32)).token]) {
    assert.equal((await claim(node, channel, { id: right.id, token })).status, REFUSED.status);
  }
  assert.equal((await claim(node, channel, right)).status, 200, 'wrong guesses do not spend the claim');
});

test('CH-100 a claim works once; the next one has its own id and token', async (t) => {
  const node = await createNode(t);
  await lostAnswer(node);
  const [a, b, c] = [await node.connect(), await node.connect(), await node.connect()];
  const first = await claim(node, a.channel, claimOf(KEY));
  assert.equal(first.status, 200);
  assert.equal((await claim(node, b.channel, claimOf(KEY))).status, 404);
  await a.cut();
  assert.equal((await claim(node, b.channel, claimOf(KEY))).status, 404);
  await node.talker.say('after two cuts');
  await node.talker.finish();
  const second = await claim(node, c.channel, claimOf(KEY, 1));
  assert.match(await textOf(second.body), /"word".*"after two cuts"/s);
});

test('CH-101 every refusal has the same bytes: unknown, wrong token, second claim, too late, beyond the end', async (t) => {
  const node = await createNode(t);
  await lostAnswer(node);
  const { channel } = await node.connect();
  const right = claimOf(KEY);
  const unknown = await claim(node, channel, claimOf(new Uint8Array(32).fill(1)));
  const wrong = await claim(node, channel, { ...right, token: new Uint8Array(32) });
  const beyond = await claim(node, channel, right, 1_000_000);
  const other = await node.connect();
  const served = await claim(node, other.channel, right);
  assert.equal(served.status, 200);
  const second = await claim(node, channel, right);
  await node.talker.finish();
  await node.clock.advance(KEPT_TIME_MS + 1000);
  const late = await claim(node, (await node.connect()).channel, claimOf(KEY, 1));
  const elsewhere = await createNode(t);
  const foreign = await claim(elsewhere, (await elsewhere.connect()).channel, claimOf(KEY, 1));
  const refusals = [unknown, wrong, beyond, second, late, foreign].map(refusalOf);
  for (const refusal of refusals) assert.deepEqual(refusal, refusals[0]);
  assert.match(refusals[0]?.text ?? '', /"code":"answer-not-kept"/);
});

test('CH-93 a claim goes on from a position in the middle of a chunk', async (t) => {
  const node = await createNode(t);
  await lostAnswer(node);
  await node.talker.say(' and more');
  await node.talker.finish();
  const whole = await claim(node, (await node.connect()).channel, claimOf(KEY));
  const opened: Uint8Array[] = [];
  async function* one(body: Uint8Array) {
    yield body;
  }
  for await (const part of openClaimBody(one(whole.body), deriveRoots(KEY).chainKey, 0)) opened.push(part);
  const stream = concatBytes(...opened);
  const positions = [1, 60, 200, stream.length - 1, stream.length];
  for (const [n, position] of positions.entries()) {
    const { channel } = await node.connect();
    const part = await claim(node, channel, claimOf(KEY, n + 1), position);
    const rest: Uint8Array[] = [];
    for await (const piece of openClaimBody(one(part.body), deriveRoots(KEY).chainKey, position)) rest.push(piece);
    assert.deepEqual(concatBytes(...rest), stream.slice(position));
    assert.ok(part.body.length < whole.body.length || position < 60, 'what the client has is not sent again');
  }
  const { channel } = await node.connect();
  const beyond = await claim(node, channel, claimOf(KEY, positions.length + 1), stream.length + 1);
  assert.equal(beyond.status, 404);
});

test('CH-102 a claim takes over from a line that only looks alive, and the old line can stop nothing', async (t) => {
  const node = await createNode(t);
  const old = await node.connect();
  const { stream, got, arrive } = ask(node, old.channel);
  await arrive();
  await node.talker.say('word');
  await arrive();
  const fresh = await node.connect();
  const claimed = await claim(node, fresh.channel, claimOf(KEY));
  assert.equal(claimed.status, 200);
  assert.equal(got.end, 'stream-reset');
  stream.cancel();
  await old.cut();
  await node.talker.say(' later');
  await node.talker.finish();
  await node.clock.advance(100);
  assert.equal(node.talker.stopped, 0);
  assert.equal(claimed.end, 'whole');
  assert.match(await textOf(claimed.body), /"word".*" later"/s);
});

test('CH-102 a cancelled claim stops the engine; a lost one does not', async (t) => {
  const node = await createNode(t);
  await lostAnswer(node);
  const a = await node.connect();
  await claim(node, a.channel, claimOf(KEY));
  await a.cut();
  assert.equal(node.talker.stopped, 0);
  const b = await node.connect();
  const claimed = await claim(node, b.channel, claimOf(KEY, 1));
  claimed.cancel();
  await node.clock.advance(100);
  assert.deepEqual([node.talker.stopped, node.kept.count], [1, 0]);
});

test('CH-103 an answer is claimed sixteen times at most', async (t) => {
  const node = await createNode(t);
  await lostAnswer(node);
  for (let n = 0; n < CLAIMS_LIMIT; n++) {
    const { channel, cut } = await node.connect();
    assert.equal((await claim(node, channel, claimOf(KEY, n))).status, 200);
    await cut();
  }
  const { channel } = await node.connect();
  assert.equal((await claim(node, channel, claimOf(KEY, CLAIMS_LIMIT))).status, 404);
});

test('CH-96 the recovery key is overwritten as soon as it was derived from', () => {
  const node = new KeptAnswers(createManualClock());
  const key = KEY.slice();
  node.begin(key, { onTaken: () => undefined }, () => undefined);
  assert.deepEqual(key, new Uint8Array(32));
});

test('CH-96 neither the request’s head nor its key outlives the reading of it', async (t) => {
  const node = await createNode(t);
  const head = encodeRequestHead({
    version: WIRE_VERSION,
    method: 'POST',
    path: '/v1/chat/completions',
    headers: [],
    recoveryKey: KEY,
  });
  async function* body() {
    yield CHAT;
  }
  const writer = { write: async () => undefined, gathering: () => undefined, end: async () => undefined };
  const incoming = {
    head,
    body: body(),
    signal: new AbortController().signal,
    respond: () => writer,
    reject: () => undefined,
  };
  const owner = { budget: new BodyBudget(DEFAULT_BODY_LIMITS), session: {}, kept: node.kept };
  await serveStream(incoming as never, async () => new Response('ok'), owner);
  assert.deepEqual(head, new Uint8Array(head.length));
  assert.equal(node.kept.count, 1);
});
