/** Ed25519 on WebCrypto; on noble (loaded only then) where the browser does not have it. */
import { concatBytes, parseBase64Url } from '@sotto/bytes';
import { assertLength, type Bytes } from './error.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

/** RFC 8410 PKCS #8 header; WebCrypto imports no raw private Ed25519 key. */
const PKCS8_HEADER = Uint8Array.of(0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32);

let native: Promise<boolean> | undefined;

/** Asked once, with a key of our own, so that a peer's key can never switch the implementation. */
function isNative(): Promise<boolean> {
  native ??= importPrivate(new Uint8Array(32)).then(
    () => true,
    () => false,
  );
  return native;
}

function importPrivate(privateKey: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', concatBytes(PKCS8_HEADER, privateKey), 'Ed25519', true, ['sign']);
}

const noble = async () => (await import('@noble/curves/ed25519.js')).ed25519;

/** A fresh pair, 32 bytes each. */
export async function generateEd25519(): Promise<{ privateKey: Bytes; publicKey: Bytes }> {
  const privateKey = crypto.getRandomValues(new Uint8Array(32));
  return { privateKey, publicKey: await ed25519PublicKey(privateKey) };
}

/** The 32-byte public key of a 32-byte private key. */
export async function ed25519PublicKey(privateKey: Uint8Array): Promise<Bytes> {
  assertLength(privateKey, 32);
  if (!(await isNative())) return (await noble()).getPublicKey(privateKey) as Bytes;
  const { x } = await crypto.subtle.exportKey('jwk', await importPrivate(privateKey));
  return parseBase64Url(x as string);
}

/** The 64-byte signature (RFC 8032). */
export async function signEd25519(privateKey: Uint8Array, message: Uint8Array): Promise<Bytes> {
  assertLength(privateKey, 32);
  if (!(await isNative())) return (await noble()).sign(message, privateKey) as Bytes;
  return new Uint8Array(await crypto.subtle.sign('Ed25519', await importPrivate(privateKey), message as Bytes));
}

/** False for anything but a good signature, wrong lengths included; never throws on what a peer sent. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    if (!(await isNative())) return (await noble()).verify(signature, message, publicKey, { zip215: false });
    const key = await crypto.subtle.importKey('raw', publicKey as Bytes, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, signature as Bytes, message as Bytes);
  } catch {
    return false;
  }
}
