/** Ends whatever session there was and starts one of the account. */
import type { AppContext, Services } from './services.ts';

export async function signIn(
  c: AppContext,
  { sessions, onSessionEnd, log }: Services,
  accountId: string,
  status: 200 | 201,
): Promise<Response> {
  const before = c.get('session');
  if (before !== undefined) {
    await sessions.end(before);
    onSessionEnd(before.tokenHash);
  }
  c.header('set-cookie', await sessions.start({ kind: 'account', id: accountId }, c.get('site')));
  log.write({ event: status === 201 ? 'account-created' : 'signed-in', subject: accountId });
  return c.json({ accountId }, status);
}
