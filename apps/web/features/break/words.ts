/** The words of "Try to break it", loaded with it: a table of the same kind as the app's own. */

const en = {
  title: 'Try to break it',
  lead: 'Each attack puts a hostile network between this browser and the real server and machine, and changes what an operator could change. It gets a fresh connection or a throw-away history of its own, and never your words: all that is at stake is “{words}”.',
  runAll: 'Run all',
  run: 'Run',
  runNamed: 'Run: {title}',
  running: 'Running',
  summary: '{refused} refused, {missed} not detected in this version, {failed} failed',
  untried: ', {untried} could not be tried',
  tried: 'Tried',
  sees: 'A person sees',
  left: 'Words that left',

  'verdict.refused': 'Refused by {rule}',
  'verdict.missed': 'Not detected in this version',
  'verdict.failed': 'FAILED: {rule} did not refuse it',
  'verdict.untried': 'Could not be tried',

  'left.nothing': 'None: 0 bytes.',
  'left.sealed':
    '{bytes} bytes, encrypted, to the machine that was verified, as always. Nobody on the way can read them.',
  'left.leaked': '{bytes} bytes went out before anything was refused.',
  'left.clear': 'They went out readable.',
  'left.store': 'None: 0 bytes. This history lived in this page’s memory only.',

  'seen.answer': 'An answer, as if nothing had happened: “{text}”',
  'seen.silence': 'Nothing: no answer and no warning within {seconds} seconds.',
  'seen.swapped': 'Each chat with the words of the other, as if nothing had happened.',
  'seen.older': 'After a reload the message reads “{text}”, as before it was corrected, and nothing says so.',
  otherSentence: 'another test sentence',

  'other-machine.title': 'Put another machine in its place',
  'other-machine.tried':
    'This connection trusts a fingerprint that is not this machine’s: what answers is not the machine it was told to trust.',
  'evidence.title': 'Alter the evidence',
  'evidence.tried':
    'One bit of the machine’s evidence is turned over in the server’s copy, and again in what the machine then sends itself.',
  'suite.title': 'Talk down the encryption',
  'suite.tried': 'The server lists the machine with a weaker kind of encryption first.',
  'handshake.title': 'Alter the handshake',
  'handshake.tried': 'One bit of the machine’s half of the key agreement is turned over on its way.',
  'replay.title': 'Replay a handshake',
  'replay.tried': 'The machine’s half of the key agreement is replaced by the one of an earlier connection.',
  'low-order.title': 'Agree on a key everybody knows',
  'low-order.tried': 'The machine’s public key is replaced by one with which every agreement has the same result.',
  'answer-bit.title': 'Alter an answer',
  'answer-bit.tried': 'One bit of an encrypted answer is turned over on its way.',
  'answer-frame.title': 'Leave a piece of an answer out',
  'answer-frame.tried': 'One encrypted piece of an answer never arrives; those after it do.',
  'splice.title': 'Answer with pieces of another connection',
  'splice.tried':
    'The encrypted pieces of an answer are replaced by those of another connection with the same machine.',
  'records.title': 'Swap two chats',
  'records.tried': 'The store returns the sealed message of one chat as that of another, and the other way round.',
  'rollback.title': 'Bring an older version back',
  'rollback.tried': 'A message was corrected. After a reload the store returns it as it was before.',
} as const;

export type BreakWordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function b(key: BreakWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}
