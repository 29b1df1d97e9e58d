/** The person links a second device while the operator keeps the mailbox; both devices are in this process. */
import { joinAccount, letIn, readMeeting, serverMailboxes, showSecret, showShortCode } from '@sotto/client/link';
import type { Clock, Fetch, Random } from '@sotto/ports';
import { createAccountKey, unsafeRevealSecret } from '@sotto/vault';

export type LinkTask = 'link-by-secret' | 'link-by-digits';

export async function linkDevices(
  task: LinkTask,
  ports: { clock: Clock; random: Random; fetch: Fetch },
  url: string,
): Promise<string> {
  const { clock, random } = ports;
  const both = { clock, random, mailboxes: serverMailboxes(ports.fetch, url) };
  const shown = task === 'link-by-secret' ? showSecret('new', random) : showShortCode(random);
  const account = { accountId: random.bytes(16), accountKey: createAccountKey(random), epoch: 1 };
  const seen: { new?: string; open?: string } = {};
  /** Looks at both screens, and agrees only when they show the same. */
  const compare = async (): Promise<boolean> => {
    for (let wait = 0; wait < 20 && seen.new !== seen.open; wait++) await clock.sleep(250);
    return seen.new === seen.open;
  };
  const results = await Promise.allSettled([
    joinAccount({
      ...both,
      meeting: shown,
      compare: (digits) => {
        seen.new = digits;
        return compare();
      },
    }),
    letIn({
      ...both,
      meeting: readMeeting('open', shown.text),
      account,
      agree: (digits) => {
        if (digits === undefined) return Promise.resolve(true);
        seen.open = digits;
        return compare();
      },
      register: async () => {},
    }),
  ]);
  // Who refused says why; the other device is told only that the link has ended.
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  const why = reasons.find((reason) => reason.code !== 'link-ended') ?? reasons[0];
  if (why !== undefined) throw why;
  const [joined] = results;
  const key = joined.status === 'fulfilled' ? unsafeRevealSecret(joined.value.accountKey) : undefined;
  return key !== undefined && Buffer.from(key).equals(unsafeRevealSecret(account.accountKey))
    ? 'linked'
    : 'another key';
}
