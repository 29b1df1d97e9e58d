/**
 * Passkeys, for signing in only: what unlocks chats (the PRF output) never comes here. Answers of authenticators are
 * hostile; @simplewebauthn/server checks them, and whatever it throws is a refusal. spec/server.md §passkeys.
 */

import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { encodeHex, parseBase64Url, parseHex } from '@sotto/bytes';
import { parsePasskeyOptions } from '@sotto/wire';
import { Hono } from 'hono';
import { readJson } from '../body.ts';
import { createChallenge, useChallenge } from '../challenges.ts';
import { ServerError } from '../errors.ts';
import {
  type AppContext,
  type AppEnv,
  addressOf,
  requireAccount,
  requireStanding,
  type Services,
  spend,
} from '../services.ts';
import { passkeyProof, signIn } from '../sign-in.ts';

const TIMEOUT_MS = 120_000;
/** Ed25519, ES256, RS256. */
const ALGORITHMS = [-8, -7, -257];
const TRANSPORTS = new Set(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb']);

export function passkeyRoutes(services: Services): Hono<AppEnv> {
  const { db, clock, limits, rates } = services;
  const readResponse = async (c: AppContext) => parsePasskeyOptions(await readJson(c.req.raw, limits.jsonBytes));

  return new Hono<AppEnv>()
    .post('/passkeys/register/options', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.passkeys, addressOf(c));
      const known = await db.selectFrom('credentials').select('credential_id').where('account_id', '=', id).execute();
      // SV-21: a list that grows without end is storage that anybody may fill.
      if (known.length >= limits.credentialsPerAccount) throw new ServerError('locks-full');
      const options = await generateRegistrationOptions({
        rpName: 'Sotto',
        rpID: c.get('site').rpId,
        userID: parseHex(id, 16),
        userName: `Sotto ${id.slice(0, 6)}`,
        challenge: await createChallenge(services, { purpose: 'register', accountId: id }),
        attestationType: 'none',
        timeout: TIMEOUT_MS,
        excludeCredentials: known.map(({ credential_id }) => ({ id: credential_id })),
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
        supportedAlgorithmIDs: ALGORITHMS,
      });
      return c.json(options);
    })
    .post('/passkeys/register', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.passkeys, addressOf(c));
      const response = (await readResponse(c)) as unknown as RegistrationResponseJSON;
      const { origin, rpId } = c.get('site');
      const { registrationInfo } = await refusing(() =>
        verifyRegistrationResponse({
          response: { ...response, clientExtensionResults: {} },
          expectedChallenge: (text) => useChallenge(services, text, { purpose: 'register', accountId: id }),
          expectedOrigin: origin,
          expectedRPID: rpId,
          requireUserVerification: true,
          supportedAlgorithmIDs: ALGORITHMS,
        }),
      );
      // SV-15: a passkey that was not proven would let its maker sign in to this account.
      if (registrationInfo === undefined) throw new ServerError('passkey-refused');
      const { id: credentialId, publicKey, counter } = registrationInfo.credential;
      await db.transaction().execute(async (transaction) => {
        await requireStanding(transaction, c);
        const taken = await transaction
          .selectFrom('credentials')
          .select('account_id')
          .where('credential_id', '=', credentialId)
          .executeTakeFirst();
        const mine = await transaction
          .selectFrom('credentials')
          .select('credential_id')
          .where('account_id', '=', id)
          .execute();
        // SV-21: options may be asked for many times before the first answer is sent.
        if (mine.length >= limits.credentialsPerAccount) throw new ServerError('locks-full');
        // SV-17: a credential opens one account; the second to name it must not take it over.
        if (taken !== undefined) throw new ServerError('passkey-taken');
        await transaction
          .insertInto('credentials')
          .values({
            credential_id: credentialId,
            account_id: id,
            public_key: new Uint8Array(publicKey),
            counter,
            transports: transportsOf(response),
            created_at_ms: clock.nowMs(),
            last_used_at_ms: null,
          })
          .execute();
      });
      return c.json({ credentialId }, 201);
    })
    .post('/sign-in/passkey/options', async (c) => {
      spend(rates.passkeys, addressOf(c));
      const options = await generateAuthenticationOptions({
        rpID: c.get('site').rpId,
        challenge: await createChallenge(services, { purpose: 'sign-in' }),
        timeout: TIMEOUT_MS,
        userVerification: 'required',
      });
      return c.json(options);
    })
    .post('/sign-in/passkey', async (c) => {
      const answer = await readResponse(c);
      const owner = await passkeyOwner(services, c, answer);
      return signIn(c, services, owner, 200, passkeyProof(owner, String(answer.id)));
    });
}

/**
 * The account whose passkey signed a challenge of this server.
 *
 * @throws ServerError `passkey-unknown`, `passkey-refused`, `rate-limited`
 */
export async function passkeyOwner(services: Services, c: AppContext, answer: object): Promise<string> {
  const { db, clock, rates } = services;
  spend(rates.passkeys, addressOf(c));
  const response = answer as AuthenticationResponseJSON;
  const row = await db
    .selectFrom('credentials')
    .selectAll()
    .where('credential_id', '=', String(response.id))
    .executeTakeFirst();
  if (row === undefined) throw new ServerError('passkey-unknown');
  const { origin, rpId } = c.get('site');
  const { verified, authenticationInfo } = await refusing(() =>
    verifyAuthenticationResponse({
      response: { ...response, clientExtensionResults: {} },
      expectedChallenge: (text) => useChallenge(services, text, { purpose: 'sign-in' }),
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      credential: { id: row.credential_id, publicKey: row.public_key, counter: row.counter },
    }),
  );
  // SV-15: the signature is the only proof that the passkey's owner is here.
  if (!verified) throw new ServerError('passkey-refused');
  const namesAnother = response.response.userHandle !== undefined && handleOf(response) !== row.account_id;
  // SV-17: an authenticator that speaks for another account is mixed up, or lying.
  if (namesAnother) throw new ServerError('passkey-refused');
  await db
    .updateTable('credentials')
    .set({ counter: authenticationInfo.newCounter, last_used_at_ms: clock.nowMs() })
    .where('credential_id', '=', row.credential_id)
    .execute();
  return row.account_id;
}

/** Whatever the library throws at a malformed or false answer is one refusal of ours. */
async function refusing<T>(verify: () => Promise<T>): Promise<T> {
  try {
    return await verify();
  } catch (error) {
    throw error instanceof ServerError ? error : new ServerError('passkey-refused', error);
  }
}

function handleOf(response: AuthenticationResponseJSON): string | undefined {
  try {
    return encodeHex(parseBase64Url(String(response.response.userHandle)));
  } catch {
    return undefined;
  }
}

/** Only words of WebAuthn's own list are kept: the field is free text otherwise. */
function transportsOf(response: RegistrationResponseJSON): string {
  const given: unknown = response.response?.transports;
  return Array.isArray(given) ? [...new Set(given.filter((word) => TRANSPORTS.has(word)))].join(' ') : '';
}
