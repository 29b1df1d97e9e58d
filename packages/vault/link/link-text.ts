/**
 * What a QR code of a device link says (spec/vault.md, "Device link"): a secret for one use, who shows it, and a check. It
 * goes from screen to camera, or through a person's clipboard, and never to the server. Whatever is scanned or pasted is
 * hostile: anybody can print a QR code.
 *
 *     text = "SOTTO-LINK:" ‖ base64url of struct { u8 version = 1; u8 shownBy; byte secret[32]; byte check[2] }
 *     check = first 2 bytes of SHA-256("sotto/link/text/v1" ‖ everything before)
 */
import {
  ByteReader,
  BytesError,
  ByteWriter,
  concatBytes,
  encodeBase64Url,
  encodeUtf8,
  equalBytes,
  parseBase64Url,
} from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import type { Random } from '@sotto/ports';
import { VaultError } from '../error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Which of the two devices shows the code: the new one, or the one that is open. */
export type ShownBy = 'new' | 'open';

const PREFIX = 'SOTTO-LINK:';
const VERSION = 1;
const SECRET_BYTES = 32;
const CHECK_BYTES = 2;
const LABEL = encodeUtf8('sotto/link/text/v1');
const SHOWN_BY: readonly ShownBy[] = ['new', 'open'];
/** Longest text that is looked at. */
const TEXT_LIMIT = 256;

/** A secret for one link; shows nothing of itself when it is printed. */
export class LinkSecret {
  readonly shownBy: ShownBy;
  readonly #bytes: Bytes;

  /** Use `createLinkSecret` or `parseLinkText`. */
  constructor(bytes: Uint8Array, shownBy: ShownBy) {
    this.#bytes = new Uint8Array(bytes);
    this.shownBy = shownBy;
  }

  /** 59 characters, for the screen of one device and the camera of the other. */
  spell(): string {
    const said = concatBytes(Uint8Array.of(VERSION, SHOWN_BY.indexOf(this.shownBy) + 1), this.#bytes);
    return PREFIX + encodeBase64Url(concatBytes(said, checkOf(said)));
  }

  /** The two things it is for: 16 bytes that name the mailbox, and 32 that the server never learns (VA-175). */
  derive(): { readonly mailboxId: Bytes; readonly preSharedKey: Bytes } {
    const derive = (use: string, lengthBytes: number) =>
      hkdfSha256(this.#bytes, new Uint8Array(0), encodeUtf8(`sotto/link/${use}/v1`), lengthBytes);
    return { mailboxId: derive('mailbox', 16), preSharedKey: derive('psk', 32) };
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

export function createLinkSecret(shownBy: ShownBy, random: Random): LinkSecret {
  return new LinkSecret(random.bytes(SECRET_BYTES), shownBy);
}

/**
 * Reads what a camera saw or a person pasted; blanks around it are forgiven.
 *
 * @throws VaultError `link-text-malformed`, `link-version-unsupported`
 */
export function parseLinkText(text: string): LinkSecret {
  // VA-176: work on what is scanned or pasted is bounded
  if (text.length > TEXT_LIMIT) throw new VaultError('link-text-malformed', 'VA-176');
  const typed = text.trim();
  // VA-177: any other QR code must not be taken for a link
  if (!typed.startsWith(PREFIX)) throw new VaultError('link-text-malformed', 'VA-177');
  try {
    const bytes = parseBase64Url(typed.slice(PREFIX.length));
    const reader = new ByteReader(bytes);
    // VA-178: a later kind of link derives other keys
    if (reader.u8() !== VERSION) throw new VaultError('link-version-unsupported', 'VA-178');
    const shownBy = SHOWN_BY[reader.u8() - 1];
    const secret = reader.take(SECRET_BYTES);
    const said = bytes.slice(0, reader.offset);
    const check = reader.take(CHECK_BYTES);
    reader.end();
    // VA-179: half a text that was pasted would wait for a device that never comes
    if (shownBy === undefined || !equalBytes(check, checkOf(said)))
      throw new VaultError('link-text-malformed', 'VA-179');
    return new LinkSecret(secret, shownBy);
  } catch (cause) {
    if (cause instanceof BytesError) throw new VaultError('link-text-malformed', 'VA-177', { cause });
    throw cause;
  }
}

function checkOf(said: Uint8Array): Bytes {
  return sha256(new ByteWriter().raw(LABEL).raw(said).finish()).slice(0, CHECK_BYTES);
}
