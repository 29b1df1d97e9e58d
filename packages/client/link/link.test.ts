/** Two devices, and a mailbox between them that is honest, lies, or stands between two links (spec/client.md CL-350…). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter, encodeHex, encodeUtf8, SottoError } from '@sotto/bytes';
import { ALGORITHMS, HandshakeState, run } from '@sotto/channel/noise/core';
import { primitives } from '@sotto/crypto/primitives';
import type { Clock } from '@sotto/ports';
import { createSeededRandom } from '@sotto/testkit';
import {
  type AccountKey,
  createAccountKey,
  createDeviceKeys,
  signDeviceRecord,
  unsafeRevealSecret,
  type VerifiedDevice,
} from '@sotto/vault';
import { encodeLinkRequest } from '@sotto/vault/link';
import { LinkError } from './error.ts';
import { LinkHandshake, NN_HFS } from './handshake.ts';
import {
  joinAccount,
  LINK_TIME_MS,
  type LinkedAccount,
  type LinkMailboxes,
  LinkMeeting,
  letIn,
  type NewDeviceOptions,
  type OpenDeviceOptions,
  readMeeting,
  showSecret,
  showShortCode,
} from './index.ts';
import { LinkLine } from './line.ts';
import { Mailbox } from './mailbox.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Place = { way: 'secret' | 'digits'; slots: number };
const WAYS: readonly Place[] = [
  { way: 'secret', slots: 5 },
  { way: 'digits', slots: 7 },
];

const random = createSeededRandom('link');
const account = { accountId: random.bytes(16), accountKey: createAccountKey(random), epoch: 3 };
const reveal = (key: AccountKey | undefined) => key && Buffer.from(unsafeRevealSecret(key)).toString('hex');
const KEY = reveal(account.accountKey);

/** Polls are quick; a person's ten minutes never pass unless `isLate`. */
function quickClock(isLate = false): Clock {
  return {
    nowMs: () => 1_800_000_000_000,
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
        if (delayMs < LINK_TIME_MS || isLate) setTimeout(resolve, 1);
      }),
  };
}

interface Post extends LinkMailboxes {
  readonly slots: Map<string, Bytes>;
  readonly ended: Set<string>;
}

/** What a mailbox may do to a message on its way: change it, or put nothing. */
type Lie = (slot: number, message: Bytes, slots: ReadonlyMap<string, Bytes>, id: string) => Bytes | undefined;

function mailboxes(lie: Lie = (_, message) => message): Post {
  const slots = new Map<string, Bytes>();
  const ended = new Set<string>();
  return {
    slots,
    ended,
    async put(id, slot, message) {
      if (ended.has(id)) throw new LinkError('link-ended', 'SV-117');
      const told = lie(slot, message, slots, id);
      if (told !== undefined) slots.set(`${id}/${slot}`, told);
    },
    async get(id, slot) {
      if (ended.has(id)) throw new LinkError('link-ended', 'SV-117');
      return slots.get(`${id}/${slot}`);
    },
    async end(id) {
      ended.add(id);
    },
  };
}

interface Outcome {
  readonly linked: LinkedAccount | undefined;
  readonly letIn: VerifiedDevice | undefined;
  readonly registered: readonly VerifiedDevice[];
  readonly newFailure: string | undefined;
  readonly openFailure: string | undefined;
  readonly digits: { new?: string; open?: string };
}

const codeOf = (reason: unknown) => (reason instanceof SottoError ? reason.code : String(reason));

async function link(
  place: 'secret' | 'digits',
  post: LinkMailboxes,
  options: {
    compare?: NewDeviceOptions['compare'];
    agree?: OpenDeviceOptions['agree'];
    shownBy?: 'new' | 'open';
    lateNew?: boolean;
    lateOpen?: boolean;
    postOfNew?: LinkMailboxes;
    openText?: string;
  } = {},
): Promise<Outcome> {
  const shownBy = options.shownBy ?? 'new';
  const shown = place === 'secret' ? showSecret(shownBy, random) : showShortCode(random);
  const read = readMeeting(shownBy === 'new' ? 'open' : 'new', options.openText ?? shown.text);
  const [ofNew, ofOpen] = shownBy === 'new' ? [shown, read] : [read, shown];
  const digits: { new?: string; open?: string } = {};
  const registered: VerifiedDevice[] = [];
  const results = await Promise.allSettled([
    joinAccount({
      meeting: ofNew,
      mailboxes: options.postOfNew ?? post,
      clock: quickClock(options.lateNew),
      random,
      compare: async (said) => {
        digits.new = said;
        return options.compare?.(said) ?? true;
      },
    }),
    letIn({
      meeting: ofOpen,
      mailboxes: post,
      clock: quickClock(options.lateOpen),
      random,
      account,
      agree: async (said) => {
        if (said !== undefined) digits.open = said;
        return options.agree?.(said) ?? true;
      },
      register: async (device) => void registered.push(device),
    }),
  ]);
  return {
    linked: results[0].status === 'fulfilled' ? results[0].value : undefined,
    letIn: results[1].status === 'fulfilled' ? results[1].value : undefined,
    registered,
    newFailure: results[0].status === 'rejected' ? codeOf(results[0].reason) : undefined,
    openFailure: results[1].status === 'rejected' ? codeOf(results[1].reason) : undefined,
    digits,
  };
}

const neverAsked = (): Promise<boolean> => Promise.reject(new Error('the person was asked'));
for (const shownBy of ['new', 'open'] as const) {
  test(`CL-358 a QR code that the ${shownBy} device shows: the same key, account and epoch arrive, and the device is registered`, async () => {
    const post = mailboxes();
    const outcome = await link('secret', post, { shownBy, compare: neverAsked });
    assert.equal(reveal(outcome.linked?.accountKey), KEY);
    assert.deepEqual(outcome.linked?.accountId, account.accountId);
    assert.equal(outcome.linked?.epoch, 3);
    assert.deepEqual(outcome.letIn?.deviceId, outcome.linked?.device.deviceId);
    assert.equal(outcome.registered.length, 1);
  });
}

test('CL-354 without a camera: both show the same six digits, and the same key arrives', async () => {
  const { linked, digits, registered } = await link('digits', mailboxes());
  assert.match(digits.new ?? '', /^[0-9]{6}$/);
  assert.equal(digits.new, digits.open);
  assert.equal(reveal(linked?.accountKey), KEY);
  assert.equal(registered.length, 1);
});

test('CL-360 whatever way a link ends, its mailbox is ended', async () => {
  for (const { way } of WAYS) {
    const good = mailboxes();
    await link(way, good);
    assert.equal(good.ended.size, 1);
    const refused = mailboxes();
    await link(way, refused, { agree: async () => false });
    assert.equal(refused.ended.size, 1);
  }
});

test('CL-350 nothing of the account leaves the open device when its person does not agree', async () => {
  for (const { way, slots } of WAYS) {
    const post = mailboxes();
    const outcome = await link(way, post, { agree: async () => false });
    assert.equal(outcome.openFailure, 'link-refused');
    assert.equal(outcome.newFailure, 'link-ended');
    assert.equal(outcome.linked, undefined);
    assert.deepEqual(outcome.registered, []);
    assert.equal(post.slots.size, slots - 3, 'the welcome was never written');
  }
});

test('CL-355 digits that the new device’s person finds different end the link', async () => {
  const outcome = await link('digits', mailboxes(), { compare: async () => false });
  assert.equal(outcome.newFailure, 'link-refused');
  assert.equal(outcome.openFailure, 'link-ended');
  assert.deepEqual(outcome.registered, []);
});

test('CL-355 a question that nobody answers ends the link', { timeout: 10_000 }, async () => {
  const never = () => new Promise<boolean>(() => {});
  const open = await link('secret', mailboxes(), { agree: never, lateOpen: true });
  assert.equal(open.openFailure, 'link-ended');
  const fresh = await link('digits', mailboxes(), { compare: never, lateNew: true });
  assert.equal(fresh.newFailure, 'link-ended');
});

test('CL-356 a device that nobody answers gives up after ten minutes', { timeout: 20_000 }, async () => {
  let sleptMs = 0;
  const clock: Clock = {
    nowMs: () => 0,
    sleep: async (delayMs) => {
      sleptMs += delayMs;
      if (sleptMs > 2 * LINK_TIME_MS) throw new Error('it waits for ever');
    },
  };
  const options = { meeting: showSecret('new', random), mailboxes: mailboxes(), clock, random, compare: neverAsked };
  await assert.rejects(joinAccount(options), { code: 'link-ended' });
  assert.ok(sleptMs >= LINK_TIME_MS);
});

test('CL-353 a secret or code serves one link', async () => {
  for (const shown of [showSecret('new', random), showShortCode(random)]) {
    shown.take();
    assert.throws(() => shown.take(), { code: 'link-used' });
  }
});

test('CL-361 a device that reads a code made for its own side says so', () => {
  for (const side of ['new', 'open'] as const) {
    const { text } = showSecret(side, random);
    assert.throws(() => readMeeting(side, text), { code: 'link-same-side' });
    assert.equal(readMeeting(side === 'new' ? 'open' : 'new', ` ${text}\n`).text, text);
  }
});

test('CL-351 CL-352 every message changed in any of its parts, cut, or replaced ends the link before the key is out', async () => {
  for (const { way, slots } of WAYS) {
    for (let changed = 0; changed < slots; changed++) {
      const changes: ((message: Bytes) => Bytes)[] = [
        (message) => flipped(message, 0),
        (message) => flipped(message, message.length >> 1),
        (message) => flipped(message, message.length - 1),
        (message) => message.slice(0, -1),
        (message) => random.bytes(message.length),
        () => new Uint8Array(0),
      ];
      for (const [at, change] of changes.entries()) {
        const post = mailboxes((slot, message) => (slot === changed ? change(message) : message));
        // The person compares as people should: what differs is refused.
        const seen: { new?: string; open?: string } = {};
        const outcome = await link(way, post, {
          compare: async (said) => {
            seen.new = said;
            return settledOn(() => seen.open === said);
          },
          agree: async (said) => {
            if (said === undefined) return true;
            seen.open = said;
            return settledOn(() => seen.new === said);
          },
        });
        const what = `${way}: slot ${changed}, change ${at}: ${outcome.newFailure} / ${outcome.openFailure}`;
        assert.equal(outcome.linked, undefined, what);
        const expected = new Set(['link-forged', 'link-ended', 'link-refused', 'link-malformed']);
        for (const failure of [outcome.newFailure, outcome.openFailure]) {
          if (failure !== undefined) assert.ok(expected.has(failure), what);
        }
        // The last message alone may be lost without the open device's knowing: by then it has done its part.
        if (changed < slots - 1) assert.notEqual(outcome.openFailure, undefined, what);
      }
    }
  }
});

test('CL-351 a handshake message that says something is refused, though it is sealed as it should be', async () => {
  const mailboxId = random.bytes(16);
  const initiator = new LinkHandshake({ role: 'initiator', mailboxId, random });
  const prologue = new ByteWriter().vector16(encodeUtf8('sotto/link/v1')).u8(2).raw(mailboxId).finish();
  const answer = async (payload: Uint8Array): Promise<Bytes> => {
    const keys = { ephemeral: random.bytes(32) };
    const talker = new HandshakeState({ pattern: NN_HFS, algorithms: ALGORITHMS, role: 'responder', prologue, keys });
    await run(talker.readMessage(first), primitives);
    return run(talker.writeMessage(payload), primitives);
  };
  const first = await initiator.write();
  const saying = await answer(encodeUtf8('hello'));
  await assert.rejects(initiator.read(saying), { code: 'link-forged' });
  const other = new LinkHandshake({ role: 'initiator', mailboxId, random });
  first.set(await other.write());
  await other.read(await answer(new Uint8Array(0)));
});

test('CL-352 a message of one link, or of another slot, is nothing in this one', async () => {
  for (const { way, slots } of WAYS) {
    const old = mailboxes();
    await link(way, old);
    const before = [...old.slots.values()];
    for (let slot = slots - 3; slot < slots; slot++) {
      const other = mailboxes((at, message) => (at === slot ? before[slot] : message));
      const replayed = await link(way, other);
      assert.equal(replayed.linked, undefined);
      assert.ok([replayed.newFailure, replayed.openFailure].includes('link-forged'), `${way} ${slot}`);
    }
    // The welcome, said again where the key belongs.
    const repeated = mailboxes((at, message, held, id) =>
      at === slots - 1 ? held.get(`${id}/${slots - 3}`) : message,
    );
    assert.equal((await link(way, repeated)).newFailure, 'link-forged');
    // The new device's own words, given back to it.
    const reflected = mailboxes((at, message, held, id) =>
      at === slots - 1 ? held.get(`${id}/${slots - 2}`) : message,
    );
    assert.equal((await link(way, reflected)).newFailure, 'link-forged');
  }
});

test('CL-351 a server that does not know the secret cannot answer for the open device, nor ask for the new one', async () => {
  const shown = showSecret('new', random);
  const guess = new LinkMeeting(showShortCode(random).text as never);
  // It knows the mailbox, as the server does, and makes a secret of its own.
  const { preSharedKey } = showSecret('open', random).take();
  const { mailboxId } = readMeeting('open', shown.text).take();
  Object.assign(guess, { way: 'secret', take: () => ({ mailboxId, preSharedKey }) });
  const post = mailboxes();
  const [fresh, evil] = await Promise.allSettled([
    joinAccount({ meeting: shown, mailboxes: post, clock: quickClock(), random, compare: neverAsked }),
    letIn({
      meeting: guess,
      mailboxes: post,
      clock: quickClock(),
      random,
      account,
      agree: neverAsked,
      register: async () => {},
    }),
  ]);
  assert.equal(codeOf(fresh.status === 'rejected' && fresh.reason), 'link-ended');
  assert.equal(codeOf(evil.status === 'rejected' && evil.reason), 'link-forged');
});

test('CL-354 who stands between two devices that compare digits shows each another number', async () => {
  let agreements = 0;
  for (let round = 0; round < 20; round++) {
    // Two mailboxes: the new device talks to the attacker's open one, the open device to the attacker's new one.
    const [near, far] = [mailboxes(), mailboxes()];
    const code = showShortCode(random).text;
    const seen: { new?: string; open?: string } = {};
    // The attacker answers late, so that both people see their digits.
    const refuse = (): Promise<boolean> => settledOn(() => false);
    await Promise.allSettled([
      joinAccount({
        meeting: readMeeting('new', code),
        mailboxes: near,
        clock: quickClock(),
        random,
        compare: async (digits) => {
          seen.new = digits;
          return settledOn(() => false);
        },
      }),
      letIn({
        meeting: readMeeting('open', code),
        mailboxes: near,
        clock: quickClock(),
        random,
        account,
        agree: refuse,
        register: async () => {},
      }),
      joinAccount({ meeting: readMeeting('new', code), mailboxes: far, clock: quickClock(), random, compare: refuse }),
      letIn({
        meeting: readMeeting('open', code),
        mailboxes: far,
        clock: quickClock(),
        random,
        account,
        agree: async (digits) => {
          if (digits !== undefined) seen.open = digits;
          return settledOn(() => false);
        },
        register: async () => {},
      }),
    ]);
    assert.ok(seen.new !== undefined && seen.open !== undefined);
    if (seen.new === seen.open) agreements++;
  }
  assert.equal(agreements, 0);
});

test('CL-354 an answer that was chosen after the number was known ends the link, though it is a whole one', async () => {
  // The open device commits to one contribution and reveals that of another handshake: what a server that wants to try
  // numbers must do. Everything else about it is right.
  let committed: Bytes | undefined;
  const post = mailboxes((slot, message) => {
    if (slot === 1) {
      committed = message;
      return flipped(message, 5);
    }
    return message;
  });
  const outcome = await link('digits', post);
  assert.ok(committed !== undefined);
  assert.equal(outcome.newFailure, 'link-forged');
});

test('CL-357 a device record of another epoch or account is not registered, and no key is handed over', async () => {
  const cases = [
    { accountId: account.accountId, epoch: 2, code: 'link-malformed' },
    { accountId: random.bytes(16), epoch: 3, code: 'device-account-mismatch' },
  ];
  for (const { code, ...claimed } of cases) {
    const post = mailboxes();
    const shown = showSecret('new', random);
    const registered: VerifiedDevice[] = [];
    const letting = letIn({
      meeting: readMeeting('open', shown.text),
      mailboxes: post,
      clock: quickClock(),
      random,
      account,
      agree: async () => true,
      register: async (device) => void registered.push(device),
    });
    const [joined, open] = await Promise.allSettled([joinFalsely(shown, post, claimed), letting]);
    assert.equal(joined.status, 'fulfilled');
    assert.equal(codeOf(open.status === 'rejected' && open.reason), code);
    assert.deepEqual(registered, []);
    assert.equal(post.slots.size, 4, 'the lock was never written');
  }
});

/** A new device that knows the secret, and asks for something else than it was told. */
async function joinFalsely(shown: LinkMeeting, post: Post, claimed: { accountId: Bytes; epoch: number }) {
  const place = shown.take();
  const mailbox = new Mailbox(post, encodeHex(place.mailboxId), quickClock(), undefined);
  const handshake = new LinkHandshake({ role: 'initiator', ...place, random });
  await mailbox.put(0, await handshake.write());
  await handshake.read(await mailbox.take(1));
  const line = new LinkLine(handshake.finish(), mailbox);
  await line.receive(2);
  const keys = await createDeviceKeys(random);
  await line.send(3, encodeLinkRequest(await signDeviceRecord({ keys, createdAtMs: 1, ...claimed })));
}

test('CL-359 a mailbox that gives more than a message has is refused', async () => {
  const post = mailboxes((slot, message) => (slot === 1 ? new Uint8Array(2049) : message));
  assert.equal((await link('secret', post)).newFailure, 'link-malformed');
  const short = mailboxes((slot, message) => (slot === 2 ? message.slice(0, 8) : message));
  assert.equal((await link('digits', short)).openFailure, 'link-malformed');
});

test('a link that is stopped ends at once on both devices', async () => {
  const post = mailboxes();
  const stop = new AbortController();
  const shown = showSecret('new', random);
  const joining = joinAccount({
    meeting: shown,
    mailboxes: post,
    clock: quickClock(),
    random,
    compare: neverAsked,
    signal: stop.signal,
  });
  setTimeout(() => stop.abort(new LinkError('link-ended', 'CL-360')), 5);
  await assert.rejects(joining, { code: 'link-ended' });
  assert.equal(post.ended.size, 1);
});

function flipped(message: Bytes, at: number): Bytes {
  const changed = message.slice();
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** A person who looks at both screens: waits for the other to show something, for a moment. */
async function settledOn(isSame: () => boolean): Promise<boolean> {
  for (let wait = 0; wait < 20; wait++) {
    if (isSame()) return true;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return false;
}
