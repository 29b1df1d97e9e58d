/** Every target there is. */
import type { Target } from '../target.ts';
import { blobTargets } from './blobs.ts';
import { bytesTargets } from './bytes.ts';
import { channelTargets } from './channel.ts';
import { clientTargets } from './client.ts';
import { conferTargets } from './confer.ts';
import { evidenceTargets } from './evidence.ts';
import { hardwareTargets } from './hardware.ts';
import { judgeTargets } from './judge.ts';
import { linkTargets } from './link.ts';
import { markdownTargets } from './markdown.ts';
import { platformTargets } from './platforms.ts';
import { recoveryTargets } from './recovery.ts';
import { serverTargets } from './server.ts';
import { vaultTargets } from './vault.ts';
import { wireTargets } from './wire.ts';

export const targets: readonly Target[] = [
  ...bytesTargets,
  ...wireTargets,
  ...channelTargets,
  ...conferTargets,
  ...evidenceTargets,
  ...hardwareTargets,
  ...platformTargets,
  ...recoveryTargets,
  ...vaultTargets,
  ...blobTargets,
  ...linkTargets,
  ...clientTargets,
  ...judgeTargets,
  ...serverTargets,
  ...markdownTargets,
];
