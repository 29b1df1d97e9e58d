/** The pacer of a side and profile (spec/shaping.md, profiles). */
import type { HandshakeRole } from '../noise/handshake.ts';
import { createBalancedClientPacer, createStrictClientPacer } from './answering-pacer.ts';
import { createCompactPacer, type Pacer } from './pacer.ts';
import type { Profile } from './profiles.ts';
import { createBalancedNodePacer, createStrictNodePacer } from './ticking-pacer.ts';

/** @param nowMs when it begins */
export function createPacer(role: HandshakeRole, profile: Profile, coalesceMs: number, nowMs: number): Pacer {
  if (profile === 'compact') return createCompactPacer(coalesceMs);
  if (role === 'initiator') return profile === 'balanced' ? createBalancedClientPacer() : createStrictClientPacer();
  return profile === 'balanced' ? createBalancedNodePacer(coalesceMs) : createStrictNodePacer(nowMs);
}
