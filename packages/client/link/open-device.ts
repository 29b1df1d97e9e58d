/**
 * The device that lets another in (spec/client.md, "Linking a device"). Nothing of the account leaves it before its person has
 * agreed; the key leaves it last, sealed to the other end of a finished handshake.
 */
import { encodeHex } from '@sotto/bytes';
import { type AccountKey, type VerifiedDevice, verifyDeviceRecord, wrapAccountKey } from '@sotto/vault';
import { encodeLinkWelcome, parseLinkRequest } from '@sotto/vault/link';
import { digitsOfOpen } from './digits.ts';
import { LinkError } from './error.ts';
import { LinkHandshake } from './handshake.ts';
import { LinkLine } from './line.ts';
import { Mailbox } from './mailbox.ts';
import type { LinkMeeting } from './meeting.ts';
import type { LinkPorts } from './new-device.ts';
import { agreed } from './person.ts';

export interface OpenDeviceOptions extends LinkPorts {
  readonly meeting: LinkMeeting;
  readonly account: {
    /** 16 bytes. */
    readonly accountId: Uint8Array<ArrayBuffer>;
    readonly accountKey: AccountKey;
    /** The epoch of `accountKey`. */
    readonly epoch: number;
  };
  /** Whether the device at the other end is the person's own; with the digits to compare, where there are some. */
  agree(digits: string | undefined): Promise<boolean>;
  /** Makes the device known to the server, so that it can sign in. @param record as the device signed it */
  register(device: VerifiedDevice, record: Uint8Array<ArrayBuffer>): Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Waits for the new device, for ten minutes at most, and lets it in.
 *
 * @throws LinkError `link-…`; VaultError of what the other device sent; what the mailbox, `register` and `signal` reject with
 */
export async function letIn(options: OpenDeviceOptions): Promise<VerifiedDevice> {
  const { meeting, mailboxes, clock, random, signal, primitives, account } = options;
  const place = meeting.take();
  const mailbox = new Mailbox(mailboxes, encodeHex(place.mailboxId), clock, signal);
  const handshake = new LinkHandshake({ role: 'responder', ...place, random, ...(primitives && { primitives }) });
  try {
    await handshake.read(await mailbox.take(0));
    let digits: string | undefined;
    if (meeting.way === 'secret') await mailbox.put(1, await handshake.write());
    else digits = await digitsOfOpen(mailbox, handshake, random);
    const slot = meeting.way === 'secret' ? 2 : 4;
    await agreed(clock, signal, () => options.agree(digits));
    const keys = handshake.finish();
    try {
      const line = new LinkLine(keys, mailbox);
      const { accountId, accountKey, epoch } = account;
      await line.send(slot, encodeLinkWelcome({ accountId, epoch }));
      const record = parseLinkRequest(await line.receive(slot + 1));
      const device = await verifyDeviceRecord(record, { expectedAccountId: accountId });
      // CL-357: a device of an older epoch would be one that was removed with it.
      if (device.epoch !== epoch) throw new LinkError('link-malformed', 'CL-357');
      await options.register(device, record);
      const lockId = place.mailboxId;
      const secret = keys.lockSecret;
      const lock = await wrapAccountKey({ accountKey, kind: 'device-link', secret, accountId, lockId, epoch, random });
      await line.send(slot + 2, lock);
      return device;
    } finally {
      keys.erase();
    }
  } catch (cause) {
    await mailbox.end(); // CL-360: the other device is not kept waiting, and the code opens nothing any more.
    throw cause;
  } finally {
    handshake.erase();
  }
}
