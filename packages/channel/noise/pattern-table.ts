/**
 * Every handshake pattern of Noise (revision 34: 7.4, 7.5 and appendix 18.1; XXfallback of 10.2) and its modifiers, by
 * name. Suites of ours do not come this way: theirs is a constant in pattern.ts.
 */
import type { HandshakePattern, Token } from './pattern.ts';

/** A line is a name, the keys that were exchanged before, `...` and the messages; the initiator's point right. */
const TABLE = `
  N     <- s ... -> e es
  K     -> s <- s ... -> e es ss
  X     <- s ... -> e es s ss

  NN    -> e <- e ee
  NK    <- s ... -> e es <- e ee
  NX    -> e <- e ee s es
  XN    -> e <- e ee -> s se
  XK    <- s ... -> e es <- e ee -> s se
  XX    -> e <- e ee s es -> s se
  KN    -> s ... -> e <- e ee se
  KK    -> s <- s ... -> e es ss <- e ee se
  KX    -> s ... -> e <- e ee se s es
  IN    -> e s <- e ee se
  IK    <- s ... -> e es s ss <- e ee se
  IX    -> e s <- e ee se s es

  NK1   <- s ... -> e <- e ee es
  NX1   -> e <- e ee s -> es
  X1N   -> e <- e ee -> s <- se
  X1K   <- s ... -> e es <- e ee -> s <- se
  XK1   <- s ... -> e <- e ee es -> s se
  X1K1  <- s ... -> e <- e ee es -> s <- se
  X1X   -> e <- e ee s es -> s <- se
  XX1   -> e <- e ee s -> es s se
  X1X1  -> e <- e ee s -> es s <- se
  K1N   -> s ... -> e <- e ee -> se
  K1K   -> s <- s ... -> e es <- e ee -> se
  KK1   -> s <- s ... -> e <- e ee se es
  K1K1  -> s <- s ... -> e <- e ee es -> se
  K1X   -> s ... -> e <- e ee s es -> se
  KX1   -> s ... -> e <- e ee se s -> es
  K1X1  -> s ... -> e <- e ee s -> se es
  I1N   -> e s <- e ee -> se
  I1K   <- s ... -> e es s <- e ee -> se
  IK1   <- s ... -> e s <- e ee se es
  I1K1  <- s ... -> e s <- e ee es -> se
  I1X   -> e s <- e ee s es -> se
  IX1   -> e s <- e ee se s -> es
  I1X1  -> e s <- e ee s -> se es

  XXfallback  -> e ... <- e ee s es -> s se
`;

/** What the second half of a protocol's key agreement is, for the modifier `hfs`. */
export type HybridKind = 'none' | 'dh' | 'kem';

export interface NamedPattern extends HandshakePattern {
  /** Who sends the first message: the responder where a handshake falls back to this pattern. */
  readonly firstSender: 'initiator' | 'responder';
  /** The initiator sends everything, after the handshake too. */
  readonly isOneWay: boolean;
}

interface Row {
  readonly before: NonNullable<HandshakePattern['before']>;
  readonly messages: readonly (readonly Token[])[];
  readonly firstSender: 'initiator' | 'responder';
}

const ROWS: ReadonlyMap<string, Row> = new Map(TABLE.split('\n').flatMap((line) => parseRow(line.trim())));

function parseRow(line: string): [string, Row][] {
  const [, name, text] = /^(\S+)\s+(.+)$/.exec(line) ?? [];
  if (name === undefined || text === undefined) return [];
  const [messages = '', before = ''] = text.split('...').reverse();
  const tokensOf = (part: string) => part.trim().split(' ') as Token[];
  const known = { initiator: [] as Token[], responder: [] as Token[] };
  for (const [, arrow, tokens = ''] of before.matchAll(/(->|<-)([^<>-]+)/g)) {
    known[arrow === '->' ? 'initiator' : 'responder'] = tokensOf(tokens);
  }
  const sent = [...messages.matchAll(/(->|<-)([^<>-]+)/g)];
  const firstSender = sent[0]?.[1] === '<-' ? 'responder' : 'initiator';
  return [[name, { before: known, messages: sent.map(([, , tokens = '']) => tokensOf(tokens)), firstSender }]];
}

/**
 * @param name such as `XX`, `IKpsk2`, `XXfallback+psk0`, `NXhfs`
 * @returns undefined for a name that Noise does not have, or `hfs` without a hybrid algorithm or the other way round
 */
export function findPattern(name: string, hybrid: HybridKind): NamedPattern | undefined {
  const [, base = '', list = ''] = /^([A-Z1]+(?:fallback)?)(?:\+?([^+].*))?$/.exec(name) ?? [];
  const row = ROWS.get(base);
  const modifiers = list === '' ? [] : list.split('+');
  if (row === undefined || new Set(modifiers).size !== modifiers.length) return undefined;
  if (modifiers.includes('hfs') !== (hybrid !== 'none')) return undefined;
  let messages = row.messages;
  for (const modifier of modifiers) {
    const changed = modifier === 'hfs' ? withHybrid(messages, hybrid, base) : withPsk(messages, modifier);
    if (changed === undefined) return undefined;
    messages = changed;
  }
  return {
    name,
    messages,
    before: row.before,
    usesPsk: messages.some((tokens) => tokens.includes('psk')),
    firstSender: row.firstSender,
    isOneWay: base.length === 1,
  };
}

/** `psk0` begins the first message; `psk1` ends it, `psk2` ends the second, and so on (9.4). */
function withPsk(messages: Row['messages'], modifier: string): Row['messages'] | undefined {
  const [, digit] = /^psk([0-9])$/.exec(modifier) ?? [];
  if (digit === undefined || Number(digit) > messages.length) return undefined;
  const place = Math.max(0, Number(digit) - 1);
  return messages.map((tokens, index) => {
    if (index !== place) return tokens;
    return digit === '0' ? ['psk', ...tokens] : [...tokens, 'psk'];
  });
}

/**
 * Two groups, as noise-c has them: each side's `e1` follows its `e`, and `ee1` follows `ee`. A KEM, as the extension's
 * later draft has it: the initiator's `e1` follows its `e`, or the Diffie-Hellman directly after that, and `ekem1` follows `ee`.
 */
function withHybrid(messages: Row['messages'], hybrid: HybridKind, base: string): Row['messages'] | undefined {
  if (base.length === 1 || base.endsWith('fallback')) return undefined;
  return messages.map((tokens, index) => {
    const changed = tokens.flatMap((token): Token[] =>
      token === 'ee' ? ['ee', hybrid === 'kem' ? 'ekem1' : 'ee1'] : [token],
    );
    if (!tokens.includes('e') || (hybrid === 'kem' && index > 0)) return changed;
    const at = changed.indexOf('e') + 1;
    const isAfterDh = hybrid === 'kem' && changed[at] === 'es';
    return changed.toSpliced(isAfterDh ? at + 1 : at, 0, 'e1');
  });
}
