/** A certificate for tests of TLS: P-256, signed by itself, made anew each time, so that no key lies in the tree. */
import { concatBytes, encodeBase64, encodeUtf8 } from '@sotto/bytes';
import { der, derEcdsaSignature, derInteger } from './der.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** ecdsa-with-SHA256, as an AlgorithmIdentifier. */
const SIGNED_WITH = der(0x30, Uint8Array.of(0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const COMMON_NAME = Uint8Array.of(0x06, 3, 0x55, 0x04, 0x03);
const ALTERNATIVE_NAMES = Uint8Array.of(0x06, 3, 0x55, 0x1d, 0x11);

/** @param names host names that the certificate holds, the first one as its subject */
export async function createSelfSignedCertificate(names: readonly string[]): Promise<{ cert: string; key: string }> {
  const { subtle } = globalThis.crypto;
  const keys = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const publicKey = new Uint8Array(await subtle.exportKey('spki', keys.publicKey));
  const privateKey = new Uint8Array(await subtle.exportKey('pkcs8', keys.privateKey));

  const name = der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, encodeUtf8(names[0] ?? '')))));
  const time = (text: string) => der(0x17, encodeUtf8(text));
  const hosts = der(0x30, ...names.map((host) => der(0x82, encodeUtf8(host))));
  const statement = der(
    0x30,
    der(0xa0, derInteger(Uint8Array.of(2))),
    derInteger(globalThis.crypto.getRandomValues(new Uint8Array(8))),
    SIGNED_WITH,
    name,
    der(0x30, time('250101000000Z'), time('491231235959Z')),
    name,
    publicKey,
    der(0xa3, der(0x30, der(0x30, ALTERNATIVE_NAMES, der(0x04, hosts)))),
  );
  const signature = derEcdsaSignature(new Uint8Array(await subtle.sign(ALGORITHM, keys.privateKey, statement)));
  const certificate = der(0x30, statement, SIGNED_WITH, der(0x03, concatBytes(Uint8Array.of(0), signature)));
  return { cert: pem('CERTIFICATE', certificate), key: pem('PRIVATE KEY', privateKey) };
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
