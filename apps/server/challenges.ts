/** Challenges of passkeys and devices: random, stored as a digest, good for one use within minutes. */
import { encodeBase64Url, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { ServerError } from './errors.ts';
import type { Services } from './services.ts';

const CHALLENGE_BYTES = 32;

export interface ChallengeUse {
  readonly purpose: 'register' | 'sign-in' | 'device-sign-in';
  /** The account that asked, for `register`. */
  readonly accountId?: string;
}

/** @returns the challenge as the authenticator gets it */
export async function createChallenge(services: Services, use: ChallengeUse): Promise<Uint8Array<ArrayBuffer>> {
  const challenge = services.random.bytes(CHALLENGE_BYTES);
  await services.db
    .insertInto('challenges')
    .values({
      challenge_hash: hashOf(encodeBase64Url(challenge)),
      account_id: use.accountId ?? null,
      purpose: use.purpose,
      expires_at_ms: services.clock.nowMs() + services.limits.challengeMs,
    })
    .execute();
  return challenge;
}

/** Takes the challenge out of the store, so that it works once. @param text as it stands in the client data. @throws ServerError `challenge-expired` */
export async function useChallenge(services: Services, text: string, use: ChallengeUse): Promise<true> {
  const row = await services.db
    .deleteFrom('challenges')
    .where('challenge_hash', '=', hashOf(text))
    .returningAll()
    .executeTakeFirst();
  const fits = row !== undefined && row.purpose === use.purpose && row.account_id === (use.accountId ?? null);
  // SV-16: a challenge that is not ours, or was used, lets a recorded answer be played again.
  if (!fits) throw new ServerError('challenge-expired');
  // SV-16: an answer given long ago may have been collected for later.
  if (row.expires_at_ms <= services.clock.nowMs()) throw new ServerError('challenge-expired');
  return true;
}

function hashOf(text: string): string {
  return encodeHex(sha256(encodeUtf8(text)));
}
