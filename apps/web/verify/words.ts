/** Every word of the page that judges evidence, so that a translation is one more table of this shape. */
export const words = {
  title: 'Judge evidence yourself',
  lead: 'Drop the evidence of a machine here: a TDX quote, a SEV-SNP report or NVIDIA reports, with what belongs to it (collateral, certificates, manifests). It is judged on this device. Nothing is uploaded, and this page asks nobody anything.',
  choose: 'Choose files',
  drop: 'or drop them here',
  at: 'Judge for this time',
  now: 'Now',
  nonce: 'Nonce of NVIDIA devices (64 hex digits)',
  policy: 'Your policy (JSON; without it: is the hardware genuine?)',
  flip: 'Flip one bit of the evidence, to see what notices it',
  flipped: 'One bit of byte {offset} of {name} was flipped.',
  judging: 'Judging',
  back: 'Back to Sotto',
  verdict: {
    genuine: 'Genuine hardware',
    accepted: 'Accepted by your policy',
    refused: 'Refused',
  },
  explain: {
    genuine:
      'Hardware of this maker signed it. Whether its program and firmware are good was not asked: give a policy.',
    accepted: 'Hardware of this maker signed it, and it is what your policy asks.',
    refused: '{message} Rule {rule}, class {class}.',
  },
  notAConnection: 'It is about a machine, not about a connection: it does not say that you talk to that machine.',
  status: {
    passed: 'Passed',
    failed: 'Failed',
    'not-applicable': 'Does not apply here',
    'not-checked': 'Not checked: nothing was shown to check it with',
    'not-reached': 'Not reached',
  },
  expected: 'Expected',
  seen: 'Seen',
  claims: 'What the hardware says of itself',
  policyMalformed: 'The policy cannot be used: {message}',
  timeMalformed: 'This is not a time.',
  nonceMalformed: 'A nonce is 64 hex digits.',
  failed: 'These files could not be judged.',
} as const;

/** Puts values into a text's `{names}`. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
