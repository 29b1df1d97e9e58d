/**
 * A passkey authenticator in software, for tests: ES256, resident keys, the PRF extension. Its answers are those of a real one
 * (WebAuthn Level 3, "none" attestation); options let a test make them false. Never for people.
 */
import { concatBytes, encodeBase64Url, encodeUtf8, parseBase64Url } from '@sotto/bytes';
import { hmacSha256, sha256 } from '@sotto/crypto/hash';
import type { Random } from '@sotto/ports';
import { derEcdsaSignature } from './der.ts';

export interface SoftwareAuthenticatorOptions {
  /** What the browser would write into the client data, `http://localhost:PORT`. */
  readonly origin: string;
  readonly random: Random;
  /** False for an authenticator without the PRF extension. */
  readonly prf?: boolean;
  /** False for one that did not check who its user is. */
  readonly userVerified?: boolean;
}

/** The answer without extension results, and beside it what must never travel with it. */
export interface SoftwarePasskeyResult {
  readonly response: {
    readonly id: string;
    readonly rawId: string;
    readonly type: 'public-key';
    readonly response: Readonly<Record<string, string | readonly string[]>>;
    readonly clientExtensionResults: Readonly<Record<string, never>>;
  };
  readonly prf: Uint8Array<ArrayBuffer> | undefined;
}

export interface SoftwareAuthenticator {
  create(options: unknown, prfInput?: Uint8Array): Promise<SoftwarePasskeyResult>;
  /** Signs in with the passkey made last. @throws Error when there is none for this site */
  get(options: unknown, prfInput?: Uint8Array): Promise<SoftwarePasskeyResult>;
}

interface Passkey {
  readonly id: Uint8Array<ArrayBuffer>;
  readonly rpId: string;
  readonly userHandle: string;
  readonly sign: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  readonly prfSecret: Uint8Array;
}

interface OptionsJson {
  readonly challenge: string;
  readonly rp?: { readonly id: string };
  readonly rpId?: string;
  readonly user?: { readonly id: string };
}

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED_DATA = 0x40;

export function createSoftwareAuthenticator(options: SoftwareAuthenticatorOptions): SoftwareAuthenticator {
  const { origin, random } = options;
  const passkeys: Passkey[] = [];
  let counter = 0;

  const clientData = (type: string, challenge: string) =>
    encodeUtf8(JSON.stringify({ type, challenge, origin, crossOrigin: false }));

  /** WebAuthn §6.1: RP id hash, flags, counter, then attested data. */
  const authenticatorData = (rpId: string, attested?: Uint8Array) => {
    const verified = options.userVerified === false ? 0 : USER_VERIFIED;
    const flags = USER_PRESENT | verified | (attested === undefined ? 0 : ATTESTED_DATA);
    return concatBytes(sha256(encodeUtf8(rpId)), Uint8Array.of(flags), uint32(++counter), attested ?? new Uint8Array());
  };

  const result = (
    passkey: Passkey,
    response: Record<string, string | readonly string[]>,
    prfInput?: Uint8Array,
  ): SoftwarePasskeyResult => {
    const id = encodeBase64Url(passkey.id);
    const evaluates = options.prf !== false && prfInput !== undefined;
    return {
      response: { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} },
      prf: evaluates ? hmacSha256(passkey.prfSecret, prfInput) : undefined,
    };
  };

  return {
    async create(given, prfInput) {
      const { challenge, rp, user } = given as OptionsJson;
      const keys = await globalThis.crypto.subtle.generateKey(ES256, true, ['sign', 'verify']);
      const passkey: Passkey = {
        id: random.bytes(16),
        rpId: rp?.id ?? new URL(origin).hostname,
        userHandle: user?.id ?? '',
        sign: async (bytes) => new Uint8Array(await globalThis.crypto.subtle.sign(ES256, keys.privateKey, bytes)),
        prfSecret: random.bytes(32),
      };
      passkeys.push(passkey);
      const point = new Uint8Array(await globalThis.crypto.subtle.exportKey('raw', keys.publicKey));
      const attested = concatBytes(new Uint8Array(16), uint16(passkey.id.length), passkey.id, coseKey(point));
      const response = {
        clientDataJSON: encodeBase64Url(clientData('webauthn.create', challenge)),
        attestationObject: encodeBase64Url(attestationObject(authenticatorData(passkey.rpId, attested))),
        transports: ['internal'],
      };
      return result(passkey, response, prfInput);
    },

    async get(given, prfInput) {
      const { challenge, rpId } = given as OptionsJson;
      const passkey = passkeys.findLast((one) => one.rpId === rpId);
      if (passkey === undefined) throw new Error('no passkey for this site');
      const data = authenticatorData(passkey.rpId);
      const client = clientData('webauthn.get', challenge);
      const signed = concatBytes(data, sha256(client));
      const signature = await passkey.sign(signed);
      const response = {
        clientDataJSON: encodeBase64Url(client),
        authenticatorData: encodeBase64Url(data),
        signature: encodeBase64Url(derEcdsaSignature(signature)),
        userHandle: encodeBase64Url(parseBase64Url(passkey.userHandle)),
      };
      return result(passkey, response, prfInput);
    },
  };
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
}

/** COSE key map {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}; `point` is 0x04 ‖ x ‖ y. */
function coseKey(point: Uint8Array): Uint8Array {
  const head = Uint8Array.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01);
  return concatBytes(
    head,
    Uint8Array.of(0x21, 0x58, 32),
    point.slice(1, 33),
    Uint8Array.of(0x22, 0x58, 32),
    point.slice(33),
  );
}

/** CBOR {"fmt": "none", "attStmt": {}, "authData": bytes}. */
function attestationObject(authData: Uint8Array): Uint8Array {
  const text = (value: string) => concatBytes(Uint8Array.of(0x60 | value.length), encodeUtf8(value));
  return concatBytes(
    Uint8Array.of(0xa3),
    text('fmt'),
    text('none'),
    text('attStmt'),
    Uint8Array.of(0xa0),
    text('authData'),
    Uint8Array.of(0x59),
    uint16(authData.length),
    authData,
  );
}
