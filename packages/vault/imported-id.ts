/**
 * Ids of imported records (spec/client.md "Taking chats along"): the same source gives the same id in one account, so that importing
 * twice makes no doubles; whoever sees ids and knows the source, as the store may, cannot tell that it was imported.
 */
import { ByteWriter, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import { type AccountKey, unsafeRevealSecret } from './keys.ts';

const LABEL = encodeUtf8('sotto/vault/imported-id/v1');

/** 16 bytes as hex, from any list of texts that names the source. */
export function deriveImportedId(
  { accountKey, accountId }: { readonly accountKey: AccountKey; readonly accountId: Uint8Array },
  source: readonly string[],
): string {
  const named = new ByteWriter()
    .raw(LABEL)
    .raw(sha256(encodeUtf8(JSON.stringify(source))))
    .finish();
  return encodeHex(hkdfSha256(unsafeRevealSecret(accountKey), accountId, named, 16));
}
