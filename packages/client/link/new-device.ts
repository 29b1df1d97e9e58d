/**
 * The device that is let in (spec/client.md, "Linking a device"): it begins the handshake, learns which account it joins, sends its
 * signed device record, and gets the account key in a lock that only this link opens.
 */
import { encodeHex } from '@sotto/bytes';
import type { Primitives } from '@sotto/crypto/primitives';
import type { Clock, Random } from '@sotto/ports';
import { type AccountKey, createDeviceKeys, type DeviceKeys, signDeviceRecord, unwrapAccountKey } from '@sotto/vault';
import { encodeLinkRequest, parseLinkWelcome } from '@sotto/vault/link';
import { digitsOfNew } from './digits.ts';
import { LinkHandshake } from './handshake.ts';
import { LinkLine } from './line.ts';
import { type LinkMailboxes, Mailbox } from './mailbox.ts';
import type { LinkMeeting } from './meeting.ts';
import { agreed } from './person.ts';

export interface LinkPorts {
  readonly mailboxes: LinkMailboxes;
  readonly clock: Clock;
  readonly random: Random;
  readonly primitives?: Primitives;
}

export interface NewDeviceOptions extends LinkPorts {
  readonly meeting: LinkMeeting;
  /** Shows six digits; true when the person says that the other device shows the same. Not asked after a QR code. */
  compare(digits: string): Promise<boolean>;
  readonly signal?: AbortSignal;
}

/** What the new device has afterwards: registered with the server, and not signed in. */
export interface LinkedAccount {
  /** 16 bytes. */
  readonly accountId: Uint8Array<ArrayBuffer>;
  readonly accountKey: AccountKey;
  /** The epoch of `accountKey`. */
  readonly epoch: number;
  readonly device: DeviceKeys;
}

/**
 * Waits to be let in, for ten minutes at most.
 *
 * @throws LinkError `link-…`; VaultError of what the other device sent; what the mailbox and `signal` reject with
 */
export async function joinAccount(options: NewDeviceOptions): Promise<LinkedAccount> {
  const { meeting, mailboxes, clock, random, signal, primitives } = options;
  const place = meeting.take();
  const mailbox = new Mailbox(mailboxes, encodeHex(place.mailboxId), clock, signal);
  const handshake = new LinkHandshake({ role: 'initiator', ...place, random, ...(primitives && { primitives }) });
  try {
    await mailbox.put(0, await handshake.write());
    let slot = 2;
    if (meeting.way === 'secret') {
      await handshake.read(await mailbox.take(1));
    } else {
      slot = 4;
      const digits = await digitsOfNew(mailbox, handshake, random);
      // CL-355: joining whoever answered would put this person's chats under a stranger's key.
      await agreed(clock, signal, () => options.compare(digits));
    }
    const keys = handshake.finish();
    try {
      const line = new LinkLine(keys, mailbox);
      const { accountId, epoch } = parseLinkWelcome(await line.receive(slot));
      const device = await createDeviceKeys(random);
      const createdAtMs = Math.max(0, Math.trunc(clock.nowMs()));
      await line.send(
        slot + 1,
        encodeLinkRequest(await signDeviceRecord({ keys: device, accountId, epoch, createdAtMs })),
      );
      // CL-358: the key that was wrapped is the one of the account and epoch that were named, or none.
      const { accountKey } = await unwrapAccountKey({
        lock: await line.receive(slot + 2),
        secret: keys.lockSecret,
        expectedKind: 'device-link',
        expectedAccountId: accountId,
        expectedLockId: place.mailboxId,
        minimumEpoch: epoch,
      });
      return { accountId, accountKey, epoch, device };
    } finally {
      keys.erase();
    }
  } finally {
    handshake.erase();
    await mailbox.end(); // CL-360
  }
}
