/** How two devices find each other: by a secret in a QR code, or by a short code and digits to compare. Good for one link. */
import type { Random } from '@sotto/ports';
import {
  createLinkSecret,
  createShortCode,
  type LinkSecret,
  mailboxOfShortCode,
  parseLinkText,
  parseShortCode,
  type ShortCode,
  type ShownBy,
  spellShortCode,
} from '@sotto/vault/link';
import { LinkError } from './error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface MeetingPlace {
  /** 16 bytes. */
  readonly mailboxId: Bytes;
  /** 32 bytes; absent where digits are compared. */
  readonly preSharedKey?: Bytes;
}

export class LinkMeeting {
  readonly way: 'secret' | 'digits';
  /** What this device shows, or read: for a QR code, or for a person to type. */
  readonly text: string;
  #place: MeetingPlace | undefined;

  constructor(met: LinkSecret | ShortCode) {
    this.way = typeof met === 'string' ? 'digits' : 'secret';
    this.text = typeof met === 'string' ? spellShortCode(met) : met.spell();
    this.#place = typeof met === 'string' ? { mailboxId: mailboxOfShortCode(met) } : met.derive();
  }

  /** @throws LinkError `link-used` the second time */
  take(): MeetingPlace {
    const place = this.#place;
    this.#place = undefined;
    // CL-353: who saw an old code, on a screen or in a clipboard, must not be let in with it later.
    if (place === undefined) throw new LinkError('link-used', 'CL-353');
    return place;
  }
}

/** A new secret, for this device to show as a QR code. @param side which device this is */
export function showSecret(side: ShownBy, random: Random): LinkMeeting {
  return new LinkMeeting(createLinkSecret(side, random));
}

/** A new short code, for this device to show: without a camera on either. */
export function showShortCode(random: Random): LinkMeeting {
  return new LinkMeeting(createShortCode(random));
}

/**
 * What a camera saw, or a person pasted or typed.
 *
 * @throws VaultError `link-text-malformed`, `link-code-typo`, `link-version-unsupported`; LinkError `link-same-side`
 */
export function readMeeting(side: ShownBy, text: string): LinkMeeting {
  if (!text.trimStart().startsWith('SOTTO-LINK:')) return new LinkMeeting(parseShortCode(text));
  const secret = parseLinkText(text);
  // CL-361: two devices that both wait to be let in, or both to let in, would wait for ever.
  if (secret.shownBy === side) throw new LinkError('link-same-side', 'CL-361');
  return new LinkMeeting(secret);
}
