/**
 * The Noise core for handshakes that others compose, with the algorithms of `sotto-1`: X25519 and ML-KEM-768, AES-256-GCM,
 * SHA-256. Their patterns are constants of theirs, as pattern.ts has ours.
 */
export { ALGORITHMS } from '../suite.ts';
export { type HandshakeKeys, type HandshakeRole, HandshakeState } from './handshake.ts';
export type { HandshakePattern } from './pattern.ts';
export { run } from './steps.ts';
