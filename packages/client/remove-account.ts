/**
 * Removing an account (spec/client.md "Order"): the server wants a lock of it at hand, so that an unlocked device in other hands
 * is not enough; then everything of it goes from this device, too.
 */
import { encodeBase64 } from '@sotto/bytes';
import { deriveRecovery, PASSKEY_PRF_INPUT } from '@sotto/vault';
import type { AccountPorts, OpenAccount, PasskeyAuthenticator } from './account-types.ts';
import { forgetAccount } from './archive/local-key.ts';
import { forgetDevice } from './device-sign-in.ts';
import { forgetEpochs } from './epochs/epoch-memory.ts';
import { ClientError } from './errors.ts';
import { parseRecoveryText } from './unlock.ts';
import { forgetWatchState } from './watch/state.ts';

/** A recovery code or phrase as it was typed, or one of the account's passkeys. */
export type LockAtHand = { readonly code: string } | { readonly passkeys: PasskeyAuthenticator };

/**
 * @throws VaultError `recovery-code-…` before anything is sent; ClientError `recovery-refused`, `passkey-unknown`, `network-unreachable`:
 *   then nothing was removed here
 */
export async function removeAccount(ports: AccountPorts, account: OpenAccount, lock: LockAtHand): Promise<void> {
  const { accountId } = account;
  try {
    await ports.api.removeAccount(await proofOf(ports, lock));
  } catch (error) {
    // An answer that was lost: the person asked for it, and the server has done it.
    if (!(error instanceof ClientError) || error.code !== 'account-deleted') throw error;
  }
  ports.api.signsInWith(undefined);
  await forgetDevice(ports, accountId);
  await forgetEpochs(ports.device, accountId);
  await forgetWatchState(ports.device, accountId);
  if (ports.sealed !== undefined) await forgetAccount(ports.sealed, accountId);
}

async function proofOf({ api }: AccountPorts, lock: LockAtHand) {
  if ('code' in lock) {
    const { lookupId, authenticator } = deriveRecovery((await parseRecoveryText(lock.code)).secret);
    return { recovery: { lookupId: encodeBase64(lookupId), authenticator: encodeBase64(authenticator) } };
  }
  const { response } = await lock.passkeys.get(await api.passkeyRequestOptions(), PASSKEY_PRF_INPUT);
  return { passkey: response };
}
