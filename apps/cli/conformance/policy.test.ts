/** The policy of a stage: the product's own, read strictly, or the one that exists for this interface alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Malformed, Rejected } from './outcome.ts';
import { policyFor } from './policy.ts';

const tdx = {
  ...{ kind: 'tdx', version: 1 },
  measurements: [{ mrtd: '00'.repeat(48), rtmrs: ['01', '02', '03'].map((octet) => octet.repeat(48)) }],
  tcb: { statuses: ['UpToDate'], minimumEvaluation: 17 },
};

test('CF-03 a policy that is neither the product’s own nor exactly signature-only is not read', () => {
  const read = policyFor('tdx');
  assert.equal(read({ kind: 'signature-only' }, 'policy'), undefined);
  assert.equal(read(tdx, 'policy')?.kind, 'tdx');
  for (const wrong of [
    undefined,
    null,
    'signature-only',
    {},
    { kind: 'signature-only', version: 1 },
    { ...tdx, tcp: 1 },
  ]) {
    assert.throws(
      () => read(wrong, 'policy'),
      (error) => error instanceof Malformed && error.field === 'policy',
    );
  }
});

test('EV-51 a policy for other machines is refused, not malformed', () => {
  const isRefused = (error: unknown) => error instanceof Rejected && error.code === 'platform-not-allowed';
  assert.throws(() => policyFor('sev-snp')(tdx, 'policy'), isRefused);
});
