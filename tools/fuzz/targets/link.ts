/** Device link: what a camera may see or a person paste, and what a mailbox that lies may say to either device. */
import { encodeUtf8, equalBytes } from '@sotto/bytes';
import {
  joinAccount,
  LinkError,
  type LinkMailboxes,
  LinkMeeting,
  letIn,
  type NewDeviceOptions,
  type OpenDeviceOptions,
} from '@sotto/client/link';
import type { Clock } from '@sotto/ports';
import { createSeededRandom } from '@sotto/testkit';
import { createAccountKey, VaultError } from '@sotto/vault';
import {
  createLinkSecret,
  createShortCode,
  encodeLinkRequest,
  encodeLinkWelcome,
  parseLinkRequest,
  parseLinkText,
  parseLinkWelcome,
  parseShortCode,
  spellShortCode,
} from '@sotto/vault/link';
import { fill, lossyText } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const random = createSeededRandom('fuzz link');
const account = { accountId: random.bytes(16), accountKey: createAccountKey(random), epoch: 1 };
const clock: Clock = { nowMs: () => 1_790_000_000_000, sleep: () => new Promise(() => {}) };
const MEETINGS = [
  () => new LinkMeeting(createLinkSecret('new', random)),
  () => new LinkMeeting(createShortCode(random)),
] as const;

/** Gives one device what the input says, and keeps what it says. A slot that is not there ends the link. */
function mailboxes(input: Input, said: Bytes[]): LinkMailboxes {
  let next = 0;
  return {
    put: async (_id, _slot, message) => void said.push(message),
    get: async () => {
      const message = input[next++];
      if (message === undefined) throw new LinkError('link-ended', 'SV-117');
      return message;
    },
    end: async () => {},
  };
}

/** What the other device really says, in its order, when nobody interferes. */
async function genuine(which: 'new' | 'open', meet: () => LinkMeeting): Promise<Input> {
  const slots = new Map<number, Bytes>();
  const said: Bytes[] = [];
  const between = (isWanted: boolean): LinkMailboxes => ({
    put: async (_id, slot, message) => {
      slots.set(slot, message);
      if (isWanted) said.push(message);
    },
    get: async (_id, slot) => slots.get(slot),
    end: async () => {},
  });
  const place = meet().take();
  const meeting = () =>
    Object.assign(meet(), {
      take: () => ({ ...place, ...(place.preSharedKey && { preSharedKey: place.preSharedKey.slice() }) }),
    });
  const soon: Clock = { ...clock, sleep: (delayMs) => new Promise((done) => delayMs < 1000 && setTimeout(done, 0)) };
  await Promise.all([
    joinAccount(newDevice(meeting(), between(which === 'new'), soon)),
    letIn(openDevice(meeting(), between(which === 'open'), soon)),
  ]);
  return said;
}

const newDevice = (meeting: LinkMeeting, mailboxes: LinkMailboxes, clock: Clock): NewDeviceOptions => ({
  meeting,
  mailboxes,
  clock,
  random,
  compare: async () => true,
});
const openDevice = (meeting: LinkMeeting, mailboxes: LinkMailboxes, clock: Clock): OpenDeviceOptions => ({
  meeting,
  mailboxes,
  clock,
  random,
  account,
  agree: async () => true,
  register: async () => {},
});

/** A person who agrees to everything: even so no key may come out of what a mailbox made up by secret or by digits. */
function deviceTargets(): Target[] {
  return (['new', 'open'] as const).flatMap((side) =>
    MEETINGS.map((meet, way): Target => {
      const other = side === 'new' ? 'open' : 'new';
      return {
        name: `link/${side}-device-${way === 0 ? 'secret' : 'digits'}`,
        errors: [LinkError, VaultError],
        share: 60,
        corpus: async () => [await genuine(other, meet), await genuine(other, meet)],
        async run(input) {
          const box = mailboxes(input, []);
          if (side === 'new') await joinAccount(newDevice(meet(), box, clock));
          else await letIn(openDevice(meet(), box, clock));
          insist(false, 'a link was made with nobody at the other end');
        },
      };
    }),
  );
}

export const linkTargets: readonly Target[] = [
  {
    name: 'link/text',
    errors: [VaultError],
    corpus: () => (['new', 'open'] as const).map((side) => [encodeUtf8(createLinkSecret(side, random).spell())]),
    run([part]) {
      const text = lossyText(part);
      insist(parseLinkText(text).spell() === text.trim(), 'two spellings of one link');
    },
  },
  {
    name: 'link/short-code',
    errors: [VaultError],
    corpus: () => [1, 2, 3].map(() => [encodeUtf8(spellShortCode(createShortCode(random)))]),
    run([part]) {
      const code = parseShortCode(lossyText(part));
      insist(parseShortCode(spellShortCode(code)) === code, 'a code does not read as it is shown');
    },
  },
  {
    name: 'link/welcome',
    errors: [VaultError],
    corpus: () => [1, 2 ** 32 - 1].map((epoch) => [encodeLinkWelcome({ accountId: fill(16, epoch), epoch })]),
    run([part = fill(0, 0)]) {
      const welcome = parseLinkWelcome(part);
      const again = encodeLinkWelcome(welcome);
      insist(equalBytes(again.subarray(0, 21), part.subarray(0, 21)), 'a welcome that means two things');
    },
  },
  {
    name: 'link/request',
    errors: [VaultError],
    corpus: () => [0, 146, 1024].map((length) => [encodeLinkRequest(fill(length, 7))]),
    run([part = fill(0, 0)]) {
      const record = parseLinkRequest(part);
      insist(equalBytes(record, part.subarray(3, 3 + record.length)), 'a request that means two things');
    },
  },
  ...deviceTargets(),
];
