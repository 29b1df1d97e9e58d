/**
 * Devices and their way of signing in: a signature of the device's key over a challenge. A device is registered by who is
 * signed in to its account; it opens nothing, the vault's own device set decides whose writes count. spec/server.md "Devices".
 */
import { encodeBase64, encodeBase64Url, parseBase64, parseHex } from '@sotto/bytes';
import { verifyEd25519 } from '@sotto/crypto/sign';
import { deviceSignInMessage, parseDeviceRequest, parseDeviceSignInRequest } from '@sotto/wire';
import { Hono } from 'hono';
import { readJson } from '../body.ts';
import { createChallenge, useChallenge } from '../challenges.ts';
import { wasRemoved } from '../deleted-accounts.ts';
import { ServerError } from '../errors.ts';
import { type AppEnv, addressOf, requireAccount, requireStanding, type Services, spend } from '../services.ts';
import { type Proof, signIn } from '../sign-in.ts';

export function deviceRoutes(services: Services): Hono<AppEnv> {
  const { db, clock, limits, rates } = services;
  return new Hono<AppEnv>()
    .post('/devices', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.accountCalls, id);
      const { publicKey, record } = parseDeviceRequest(await readJson(c.req.raw, limits.jsonBytes));
      const key = parseBase64(publicKey);
      await db.transaction().execute(async (transaction) => {
        await requireStanding(transaction, c);
        const known = await transaction
          .selectFrom('devices')
          .select('public_key')
          .where('account_id', '=', id)
          .execute();
        if (known.some(({ public_key }) => encodeBase64(public_key) === publicKey)) return;
        // SV-112: a list that grows without end is storage that anybody may fill.
        if (known.length >= limits.devicesPerAccount) throw new ServerError('devices-full');
        const row = { account_id: id, public_key: key, signed_record: parseBase64(record) };
        await transaction
          .insertInto('devices')
          .values({ ...row, created_at_ms: clock.nowMs() })
          .execute();
      });
      return c.json({ accountId: id });
    })
    .post('/sign-in/device/options', async (c) => {
      spend(rates.deviceSignIns, addressOf(c));
      return c.json({ challenge: encodeBase64(await createChallenge(services, { purpose: 'device-sign-in' })) });
    })
    .post('/sign-in/device', async (c) => {
      const request = parseDeviceSignInRequest(await readJson(c.req.raw, limits.jsonBytes));
      const { accountId } = request;
      spend(rates.deviceSignIns, addressOf(c));
      spend(rates.deviceSignIns, `account ${accountId}`);
      const [publicKey, challenge] = [parseBase64(request.publicKey), parseBase64(request.challenge)];
      await useChallenge(services, encodeBase64Url(challenge), { purpose: 'device-sign-in' });
      const message = deviceSignInMessage(parseHex(accountId, 16), c.get('site').origin, challenge);
      const isSigned = await verifyEd25519(publicKey, message, parseBase64(request.signature));
      const find: Proof = (store) =>
        store
          .selectFrom('devices')
          .select('account_id')
          .where('account_id', '=', accountId)
          .where('public_key', '=', publicKey)
          .executeTakeFirst();
      const device = await find(db);
      // SV-110: the signature is the only proof that the device is the one that it names.
      if (!isSigned) throw new ServerError('device-refused');
      // SV-132: whoever could sign in is told why it cannot any more.
      if (device === undefined && (await wasRemoved(services, accountId))) throw new ServerError('account-deleted');
      // SV-111: a device that was removed, or never was, gets what a wrong signature gets.
      if (device === undefined) throw new ServerError('device-refused');
      return signIn(c, services, accountId, 200, find);
    });
}
