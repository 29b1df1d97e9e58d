/** What the registers are if the log is true. spec/evidence-tpm.md §event logs. It is true when hardware signed the same values. */
import { equalBytes } from '@sotto/bytes';
import { sha256, sha384, sha512, unsafeSha1 } from '@sotto/crypto/hash';
import { JudgementError } from '../judgement-error.ts';
import type { Bank, EventLog } from './event-log.ts';

const HASHES: Readonly<Record<Bank, { readonly lengthBytes: number; readonly hash: typeof sha256 }>> = {
  sha1: { lengthBytes: 20, hash: unsafeSha1 },
  sha256: { lengthBytes: 32, hash: sha256 },
  sha384: { lengthBytes: 48, hash: sha384 },
  sha512: { lengthBytes: 64, hash: sha512 },
};
/** Which bank is meant where nobody says: the one that machines quote. */
const USUAL: readonly Bank[] = ['sha256', 'sha384', 'sha512', 'sha1'];
/** Registers of a dynamic launch: all ones until there is one. */
const DYNAMIC_LAUNCH = { first: 17, last: 22 } as const;

/**
 * All registers of the log's kind, by name: `rtmr0`–`rtmr3` or `pcr0`–`pcr23`, those that nothing extends included.
 *
 * @param bank absent: the log's SHA-256, or else the first it has of SHA-384, SHA-512, SHA-1
 * @throws JudgementError `bank-absent`
 */
export function replayEventLog(log: EventLog, bank?: Bank): Map<string, Uint8Array> {
  const chosen = bank ?? USUAL.find((one) => log.banks.includes(one));
  // EV-315: registers of a bank in which an entry is missing would be those of another boot.
  if (chosen === undefined || !log.banks.includes(chosen)) {
    throw new JudgementError('bank-absent', 'format', 'EV-315', 'the event log does not hold every digest of the bank');
  }
  const { lengthBytes, hash } = HASHES[chosen];
  const registers = startValues(log, lengthBytes);
  for (const event of log.events) {
    const value = registers.get(event.register ?? '');
    const digest = event.digests.get(chosen);
    if (event.extends && value !== undefined && digest !== undefined) {
      registers.set(event.register as string, hash(value, digest));
    }
  }
  return registers;
}

/**
 * Each expected value is looked up in the bank of its length.
 *
 * @throws JudgementError `register-mismatch`: the log is not that of the machine with these registers; `bank-absent`
 */
export function checkRegisters(log: EventLog, expected: ReadonlyMap<string, Uint8Array>): void {
  const replays = new Map<number, Map<string, Uint8Array>>();
  for (const [register, value] of expected) {
    const replay = replays.get(value.length) ?? replayEventLog(log, bankOfLength(value.length));
    replays.set(value.length, replay);
    const isEqual = equalBytes(replay.get(register) ?? new Uint8Array(0), value);
    // EV-314: a log that gives other registers tells of another boot.
    if (!isEqual) {
      throw new JudgementError('register-mismatch', 'binding', 'EV-314', 'the event log gives another register value');
    }
  }
}

function bankOfLength(lengthBytes: number | undefined): Bank | undefined {
  return USUAL.find((bank) => HASHES[bank].lengthBytes === lengthBytes);
}

function startValues(log: EventLog, lengthBytes: number): Map<string, Uint8Array> {
  const isTdx = log.format === 'ccel' || log.format === 'dstack-json';
  const registers = new Map<string, Uint8Array>();
  for (let index = 0; index < (isTdx ? 4 : 24); index++) {
    const isDynamic = !isTdx && index >= DYNAMIC_LAUNCH.first && index <= DYNAMIC_LAUNCH.last;
    registers.set(`${isTdx ? 'rtmr' : 'pcr'}${index}`, new Uint8Array(lengthBytes).fill(isDynamic ? 0xff : 0));
  }
  const pcr0 = registers.get('pcr0');
  if (pcr0 !== undefined) pcr0[lengthBytes - 1] = log.startupLocality;
  return registers;
}
