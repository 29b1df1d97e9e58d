/** What the stage's interface cannot ask for; everything else is tested through it (apps/cli/conformance/measure-snp.test.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchDigest } from './index.ts';

test('EV-397 a launch without firmware and without its hash has no digest', () => {
  const firmware = { sections: [], hashesTableGpa: undefined, resetEip: undefined };
  const launch = { hypervisor: 'qemu', firmware, processors: 1, processorSignature: 0, guestFeatures: 1n } as const;
  for (const mode of ['snp', 'sev-es', 'sev'] as const) {
    assert.throws(() => launchDigest({ ...launch, mode, kernel: undefined }), {
      code: 'firmware-needed',
      rule: 'EV-397',
    });
  }
});
