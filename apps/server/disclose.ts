/**
 * `sotto admin disclose`: everything that the operator could hand over about one account or guest, and in plain words what
 * cannot be handed over. It knows no column by name; spec/threat-model.md lists what it prints, and a test compares (SV-80).
 */
import type { Kysely } from 'kysely';
import type { Database } from './database/schema.ts';
import { ALL_ROWS, type LiveView, type OperatorView, operatorView } from './operator.ts';
import { viewLines } from './operator-text.ts';

export interface Disclosure extends OperatorView {
  /** What a running server keeps in memory; null when none answers. */
  readonly relay: LiveView['relay'] | null;
  readonly log: LiveView['log'] | null;
  /** Lines of the log file that carry the first 8 digits of this id: almost surely this person's. */
  readonly logFile: readonly string[];
  /** What could be had beyond the fields, and what could not, in words. */
  readonly also: readonly string[];
  readonly cannot: readonly string[];
}

const SUBJECT_CHARACTERS = 8;

/** What no operator holds, whoever demands it. */
const CANNOT: readonly string[] = [
  'Words, answers, titles, files, names of chats, the model that was asked: only the sealed bytes are here, and no key to them.',
  'Keys: the account key, the recovery code and passkey secrets never came here; of a session cookie its hash alone is kept.',
  'What was said over the relay: the server passes on sealed bytes and keeps the beginnings of a few, in memory only.',
  'Who the person is: no name, mail address, telephone number or network address is stored by this server.',
  'What was removed before now: it is overwritten in this database. Backups made earlier still hold it, sealed.',
];

/** What is shown in part, or could be had otherwise: a list that leaves this out would be a half-truth. */
const CAN: readonly string[] = [
  'Of sealed bytes the size and the beginning are printed; the operator holds, and can hand over, the whole of them, still sealed.',
  'Files that go with chats lie beside the database as sealed parts: their ids, sizes and hashes are printed, and the parts can be handed over, still sealed.',
  'From now on an operator who is made to can record network addresses and times, and could deliver a changed web app (TM-02).',
];

/** @param logText the server's log file, empty without one. @throws StartError `account-unknown` */
export async function disclose(
  db: Kysely<Database>,
  id: string,
  live: LiveView | undefined,
  logText: string,
): Promise<Disclosure> {
  return {
    ...(await operatorView(db, id, ALL_ROWS)),
    relay: live?.relay ?? null,
    log: live?.log ?? null,
    logFile: logText.split('\n').filter((line) => line.includes(`"subject":"${id.slice(0, SUBJECT_CHARACTERS)}"`)),
    also: CAN,
    cannot: CANNOT,
  };
}

export function disclosureLines(disclosure: Disclosure): string[] {
  const { subject, relay, log, logFile, also, cannot } = disclosure;
  return [
    `What the operator of this server could hand over on demand about ${subject.kind} ${subject.id}`,
    ...viewLines(disclosure, relay === null || log === null ? undefined : { relay, log }),
    `\nlog file: ${logFile.length} lines with the first ${SUBJECT_CHARACTERS} digits of this id`,
    ...logFile.map((line) => `  ${line}`),
    '\nWhat can be handed over beyond these lines',
    ...also.map((line) => `  ${line}`),
    '\nWhat cannot be handed over, because it is not here',
    ...cannot.map((line) => `  ${line}`),
  ];
}
