/**
 * Passkeys with the PRF extension (spec/vault.md, locks). The PRF result is a key: it is handed over apart, and the
 * response that goes to the server is built field by field without any extension result. `toJSON()` is never used: it
 * contains the PRF output (measured).
 */
import { encodeBase64Url, parseBase64Url } from '@sotto/bytes';
import { BrowserError } from './error.ts';

/** What the server needs; it holds no extension result. */
export interface PasskeyResponse {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: Readonly<Record<string, string | readonly string[]>>;
  readonly clientExtensionResults: Readonly<Record<string, never>>;
}

export interface PasskeyResult {
  readonly response: PasskeyResponse;
  /** 32 bytes where the authenticator evaluates PRF, else undefined. */
  readonly prf: Uint8Array<ArrayBuffer> | undefined;
}

export interface BrowserPasskeys {
  /** False where the browser has no passkeys at all (`navigator.credentials` missing, insecure page). */
  isAvailable(): boolean;
  create(options: unknown, prfInput: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<PasskeyResult>;
  get(options: unknown, prfInput: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<PasskeyResult>;
}

interface DescriptorJson {
  readonly id: string;
  readonly transports?: AuthenticatorTransport[];
}

interface OptionsJson {
  readonly challenge: string;
  readonly user?: { id: string; name: string; displayName: string };
  readonly excludeCredentials?: readonly DescriptorJson[];
  readonly allowCredentials?: readonly DescriptorJson[];
}

/** CL-20: what the server says of these is not asked: a passkey's secret must depend on the person, and on this host alone. */
const CREATE_ALWAYS = {
  attestation: 'none',
  authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
} as const;

export const browserPasskeys: BrowserPasskeys = {
  isAvailable: () =>
    typeof PublicKeyCredential === 'function' &&
    typeof navigator.credentials?.create === 'function' &&
    typeof navigator.credentials.get === 'function',

  create: async (options, prfInput, signal) => {
    const json = options as OptionsJson;
    const build = () => ({
      ...(json as object),
      ...CREATE_ALWAYS,
      rp: { name: 'Sotto', id: location.hostname },
      challenge: parseBase64Url(json.challenge),
      user: { ...json.user, id: parseBase64Url(json.user?.id ?? '') },
      excludeCredentials: descriptors(json.excludeCredentials),
      extensions: { prf: { eval: { first: prfInput } }, credProps: true },
    });
    return ceremony(() => {
      const publicKey = build() as unknown as PublicKeyCredentialCreationOptions;
      return navigator.credentials.create({ publicKey, ...(signal && { signal }) });
    });
  },

  get: async (options, prfInput, signal) => {
    const json = options as OptionsJson;
    const build = () => ({
      ...(json as object),
      userVerification: 'required',
      rpId: location.hostname,
      challenge: parseBase64Url(json.challenge),
      allowCredentials: descriptors(json.allowCredentials),
      extensions: { prf: { eval: { first: prfInput } } },
    });
    return ceremony(() => {
      const publicKey = build() as unknown as PublicKeyCredentialRequestOptions;
      return navigator.credentials.get({ publicKey, ...(signal && { signal }) });
    });
  },
};

function descriptors(list: readonly DescriptorJson[] | undefined): PublicKeyCredentialDescriptor[] {
  return (list ?? []).map((one) => ({ ...one, type: 'public-key', id: parseBase64Url(one.id) }));
}

async function ceremony(run: () => Promise<Credential | null>): Promise<PasskeyResult> {
  if (!browserPasskeys.isAvailable()) throw new BrowserError('passkey-unavailable');
  try {
    const credential = await run();
    if (!(credential instanceof PublicKeyCredential)) throw new BrowserError('passkey-failed');
    return resultOf(credential);
  } catch (cause) {
    if (cause instanceof BrowserError) throw cause;
    const name = cause instanceof Error || cause instanceof DOMException ? cause.name : '';
    throw new BrowserError(
      name === 'NotAllowedError' || name === 'AbortError' ? 'passkey-cancelled' : 'passkey-failed',
      cause,
    );
  }
}

/** Splits a credential into what may travel and what must not. */
export function resultOf(credential: PublicKeyCredential): PasskeyResult {
  const raw = credential.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  const text = (buffer: ArrayBuffer) => encodeBase64Url(new Uint8Array(buffer));
  const response: Record<string, string | readonly string[]> = { clientDataJSON: text(raw.clientDataJSON) };
  if (raw.attestationObject) {
    response.attestationObject = text(raw.attestationObject);
    response.transports = raw.getTransports?.() ?? [];
  } else {
    response.authenticatorData = text(raw.authenticatorData);
    response.signature = text(raw.signature);
    if (raw.userHandle) response.userHandle = text(raw.userHandle);
  }
  return {
    response: {
      id: credential.id,
      rawId: text(credential.rawId),
      type: 'public-key',
      response,
      clientExtensionResults: {},
    },
    prf: prfOf(credential.getClientExtensionResults()),
  };
}

function prfOf(results: AuthenticationExtensionsClientOutputs): Uint8Array<ArrayBuffer> | undefined {
  const first = results.prf?.results?.first;
  if (first === undefined) return undefined;
  const bytes = first instanceof ArrayBuffer ? new Uint8Array(first) : new Uint8Array(first.buffer as ArrayBuffer);
  return bytes.length === 32 ? bytes : undefined;
}
