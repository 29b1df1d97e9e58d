/** Noise protocol names (revision 34, 8): `Noise_<pattern><modifiers>_<groups>_<cipher>_<hash>`. */
import { findPattern, type NamedPattern } from './pattern-table.ts';

export interface NoiseProtocol {
  readonly pattern: NamedPattern;
  /** `<groups>_<cipher>_<hash>`: what `createNoiseSuite` takes. */
  readonly suiteName: string;
}

/** @returns undefined for a name whose pattern Noise does not have; whether the suite exists, its library says */
export function parseProtocolName(name: string): NoiseProtocol | undefined {
  const [, patternName, suiteName] = /^Noise_([^_]+)_([^_]+_[^_]+_[^_]+)$/.exec(name) ?? [];
  if (patternName === undefined || suiteName === undefined) return undefined;
  const [, second] = (suiteName.split('_')[0] as string).split('+');
  const hybrid = second === undefined ? 'none' : second === 'MLKEM768' ? 'kem' : 'dh';
  const pattern = findPattern(patternName, hybrid);
  return pattern && { pattern, suiteName };
}
