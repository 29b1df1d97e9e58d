/**
 * Six digits that two people, or one with two screens, compare (spec/client.md, "Linking a device"). The open device commits to
 * its whole contribution before the new one shows its number, so whoever stands between has one guess in a million.
 *
 *   new                                         open
 *     message 1                      ──▶                          slot 0
 *                                    ◀── commitment               slot 1   SHA-256(v16 "sotto/link/commitment/v1" ‖ number ‖ message 2)
 *     number, 32 random bytes        ──▶                          slot 2
 *                                    ◀── number ‖ message 2       slot 3
 *   digits = first 8 bytes of SHA-256(v16 "sotto/link/digits/v1" ‖ handshake hash ‖ new number ‖ open number) mod 1,000,000
 */
import { ByteReader, ByteWriter, concatBytes, encodeUtf8, equalBytes } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Random } from '@sotto/ports';
import { LinkError } from './error.ts';
import type { LinkHandshake } from './handshake.ts';
import type { Mailbox } from './mailbox.ts';

const COMMITMENT_LABEL = encodeUtf8('sotto/link/commitment/v1');
const DIGITS_LABEL = encodeUtf8('sotto/link/digits/v1');
const NUMBER_BYTES = 32;

/** The new device's half, after it put message 1. @throws LinkError `link-forged`, `link-malformed`, `link-ended` */
export async function digitsOfNew(mailbox: Mailbox, handshake: LinkHandshake, random: Random): Promise<string> {
  const commitment = await mailbox.take(1);
  const ours = random.bytes(NUMBER_BYTES);
  await mailbox.put(2, ours);
  const revealed = await mailbox.take(3);
  // CL-354: digits over an answer that was chosen after ours was known could be made to fit.
  if (!equalBytes(commitmentOf(revealed), commitment)) throw new LinkError('link-forged', 'CL-354');
  await handshake.read(revealed.slice(NUMBER_BYTES));
  return digitsOf(handshake.hash, ours, revealed.subarray(0, NUMBER_BYTES));
}

/** The open device's half, after it read message 1. @throws LinkError `link-malformed`, `link-ended` */
export async function digitsOfOpen(mailbox: Mailbox, handshake: LinkHandshake, random: Random): Promise<string> {
  const ours = random.bytes(NUMBER_BYTES);
  const contribution = concatBytes(ours, await handshake.write());
  await mailbox.put(1, commitmentOf(contribution));
  const theirs = await mailbox.take(2);
  // CL-359: a shorter number could be one of few.
  if (theirs.length !== NUMBER_BYTES) throw new LinkError('link-malformed', 'CL-359');
  await mailbox.put(3, contribution);
  return digitsOf(handshake.hash, theirs, ours);
}

/** @param contribution the open device's number and message 2 */
export function commitmentOf(contribution: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha256(new ByteWriter().vector16(COMMITMENT_LABEL).raw(contribution).finish());
}

export function digitsOf(hash: Uint8Array, newNumber: Uint8Array, openNumber: Uint8Array): string {
  const said = new ByteWriter().vector16(DIGITS_LABEL).raw(hash).raw(newNumber).raw(openNumber).finish();
  return String(new ByteReader(sha256(said)).u64() % 1_000_000n).padStart(6, '0');
}
