/** What comparing heads can find (spec/vault.md, "Heads"): each has its code, its rule and plain words for the person. */

const TABLE = {
  'history-rolled-back': [
    'VA-104',
    'The server shows an older state of what one of your devices wrote than this device has already seen.',
  ],
  'history-forked': [
    'VA-105',
    'The server shows two different histories of one of your devices. It shows different things to different devices, or a copy of a device writes beside it.',
  ],
  'history-withheld': [
    'VA-106',
    'One of your devices has seen something of another that the server does not show here.',
  ],
  'record-rolled-back': ['VA-107', 'The server shows an older version of a message that was written anew.'],
  'record-missing': ['VA-108', 'The server no longer shows a message that none of your devices deleted.'],
  'record-unlisted': ['VA-109', 'A message is there that the device that is named as its writer does not know.'],
  'record-resurrected': ['VA-110', 'The server shows a message again that one of your devices had deleted.'],
  'record-outside-root': [
    'VA-135',
    'A message is sealed under a key that was given up, and was not there when it was given up.',
  ],
  'lock-list-old': [
    'VA-138',
    'The server shows an old version of one of your locks, which would open an old key. It was not used.',
  ],
  'lock-unknown': ['VA-139', 'The server shows a lock that none of your devices made, or that you have removed.'],
  'lock-withheld': ['VA-140', 'The server does not show one of your locks. It would not open your chats.'],
  'epoch-replaced': ['VA-142', 'The server shows another beginning of your newest key than this device has seen.'],
  'epoch-refused': ['VA-132', 'The server shows a new key that none of your devices made. Nothing is done with it.'],
  'removed-device-writes': ['VA-136', 'A device that you removed still writes. What it writes is not shown.'],
} as const satisfies Record<string, readonly [rule: string, message: string]>;

export type FindingCode = keyof typeof TABLE;

/** Something that an honest server and honest devices never cause, whatever happens at once. */
export interface Finding {
  readonly code: FindingCode;
  readonly rule: string;
  readonly message: string;
  /** The device whose log is concerned, or that is named as the writer; 16 bytes as hex. */
  readonly deviceId: string | undefined;
  readonly recordId: string | undefined;
}

export function finding(
  code: FindingCode,
  about: { readonly deviceId?: string; readonly recordId?: string; readonly rule?: string },
): Finding {
  const [rule, message] = TABLE[code];
  return { code, rule: about.rule ?? rule, message, deviceId: about.deviceId, recordId: about.recordId };
}
