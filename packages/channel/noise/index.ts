/** Noise, whole: for the judge (`sotto conformance`) and for suites other than ours. `sotto-1` imports the core only. */
export { type HandshakeKeys, type HandshakeOptions, type HandshakeRole, HandshakeState } from './handshake.ts';
export type { HandshakePattern, Token } from './pattern.ts';
export { findPattern, type HybridKind, type NamedPattern } from './pattern-table.ts';
export { type NoiseProtocol, parseProtocolName } from './protocol-name.ts';
export { rekey } from './rekey.ts';
export { type Replay, type ReplayParty, replay } from './replay.ts';
export { run, runAsync, runSync, type Steps } from './steps.ts';
export type { NoiseAlgorithms } from './symmetric-state.ts';
