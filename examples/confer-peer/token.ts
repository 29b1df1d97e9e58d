/** Access tokens as the confer protocol has them: JWT, HS256, `iss` "kerf". Shares no code with packages/. */
import { createHmac, timingSafeEqual } from 'node:crypto';

const sign = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest();
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function mintToken(secret: string, claims: Record<string, unknown>, header: unknown = { alg: 'HS256' }): string {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${sign(secret, text).toString('base64url')}`;
}

export function isTokenGood(secret: string, token: string, nowSeconds: number): boolean {
  const [head = '', body = '', mac = ''] = token.split('.');
  const expected = sign(secret, `${head}.${body}`);
  const given = Buffer.from(mac, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iss?: string; exp?: number };
  return claims.iss === 'kerf' && (claims.exp === undefined || claims.exp >= nowSeconds);
}
