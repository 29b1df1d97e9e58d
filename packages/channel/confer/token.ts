/**
 * The access token of the public protocol: a JWT under HS256 in the WebSocket's query (spec/confer.md, token). Whoever
 * connects made the text; nothing in it counts before its MAC does. It says who may ask, never who is asking.
 */
import { BytesError, encodeUtf8, equalBytes, parseBase64Url, parseUtf8 } from '@sotto/bytes';
import { hmacSha256 } from '@sotto/crypto/hash';
import { ConferError } from './errors.ts';

const TOKEN_LIMIT_LENGTH = 8192;
const ISSUER = 'kerf';

export interface ConferClaims {
  readonly expiresAtMs: number;
  /** True only when the token says exactly that. */
  readonly isSubscribed: boolean;
}

/**
 * @param secret the key that this service shares with whoever mints tokens
 * @throws ConferError `confer-token-malformed`, `confer-token-forged`, `confer-token-expired`
 */
export function verifyConferToken(token: string, secret: Uint8Array, nowMs: number): ConferClaims {
  const [head, body, mac, ...more] = token.length > TOKEN_LIMIT_LENGTH ? [] : token.split('.');
  if (head === undefined || body === undefined || mac === undefined || more.length > 0) throw malformed();
  const expected = hmacSha256(secret, encodeUtf8(`${head}.${body}`));
  const isAuthentic = equalBytes(
    parseOrThrow(() => parseBase64Url(mac)),
    expected,
  );
  // CO-40: anybody can write claims.
  if (!isAuthentic) throw new ConferError('confer-token-forged', { rule: 'CO-40' });
  const header = parseObject(head);
  // CO-40: the token must not choose how it is checked.
  if (header.alg !== 'HS256') throw new ConferError('confer-token-forged', { rule: 'CO-40' });
  const claims = parseObject(body);
  // CO-41: a token that another service made with the same key is no token for us.
  if (claims.iss !== ISSUER) throw new ConferError('confer-token-forged', { rule: 'CO-41' });
  const { exp } = claims;
  // CO-42: a token without an end is a key that nobody can take back.
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw malformed();
  const verified = { expiresAtMs: exp * 1000, isSubscribed: claims.subscribed === true };
  // CO-42: after its end it is anybody's.
  if (nowMs > verified.expiresAtMs) throw new ConferError('confer-token-expired', { rule: 'CO-42' });
  return verified;
}

/** Whether a request of a connection that is already open must be paid for first (status 402). */
export function isPaymentRequired(claims: ConferClaims, nowMs: number): boolean {
  return !claims.isSubscribed && nowMs > claims.expiresAtMs;
}

function parseObject(part: string): Record<string, unknown> {
  const value = parseOrThrow((): unknown => JSON.parse(parseUtf8(parseBase64Url(part))));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  return value as Record<string, unknown>;
}

function parseOrThrow<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof BytesError || error instanceof SyntaxError) throw malformed();
    throw error;
  }
}

function malformed(): ConferError {
  return new ConferError('confer-token-malformed', { rule: 'CO-40' });
}
