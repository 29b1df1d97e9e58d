/** Every target there is. */
import type { Target } from '../target.ts';
import { bytesTargets } from './bytes.ts';
import { channelTargets } from './channel.ts';
import { evidenceTargets } from './evidence.ts';
import { judgeTargets } from './judge.ts';
import { markdownTargets } from './markdown.ts';
import { vaultTargets } from './vault.ts';
import { wireTargets } from './wire.ts';

export const targets: readonly Target[] = [
  ...bytesTargets,
  ...wireTargets,
  ...channelTargets,
  ...evidenceTargets,
  ...vaultTargets,
  ...judgeTargets,
  ...markdownTargets,
];
