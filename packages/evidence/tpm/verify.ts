/**
 * Whether a TPM quoted these registers for this nonce. spec/evidence-tpm.md. Pure. A TPM vouches for what was started on its machine; in
 * a virtual machine it belongs to the host, and vouches for the host's word.
 */
import { concatBytes, equalBytes } from '@sotto/bytes';
import { sha256, sha384 } from '@sotto/crypto/hash';
import { verifySignature } from '@sotto/crypto/verify';
import { assertValidAt, type Certificate, type PublicKey, verifyChain } from '@sotto/crypto/x509';
import { type Bank, checkRegisters, type LoggedEvent, parseEventLog } from '../event-log/index.ts';
import { JudgementError } from '../judgement-error.ts';
import type { TpmCode } from './error.ts';
import { parseTpmQuote, type TpmQuote } from './quote.ts';
import { parseTpmSignature, signatureBytesFor, type TpmSignature } from './signature.ts';

/** The key that quotes: pinned by its owner, or certified by the TPM's maker. */
export type AttestationKey =
  | { readonly kind: 'key'; readonly publicKey: PublicKey }
  | {
      readonly kind: 'chain';
      /** Leaf first. */
      readonly chain: readonly Certificate[];
      readonly roots: readonly Certificate[];
      /** Seconds since the Unix epoch; undefined: the dates are not judged. */
      readonly timeSeconds: number | undefined;
    };

export interface TpmInput {
  /** TPMS_ATTEST. */
  readonly quote: Uint8Array;
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
  readonly attestationKey: AttestationKey;
  readonly expectedNonce: Uint8Array;
  /** Values of exactly the quoted registers, by number. */
  readonly registers: ReadonlyMap<number, Uint8Array>;
  /** A binary TCG log that must give the same values. */
  readonly eventLog?: Uint8Array | undefined;
}

export interface TpmVerdict {
  /** SHA-256 of the attestation key's SPKI: what a policy pins. */
  readonly attestationKey: Uint8Array;
  readonly bank: Bank;
  readonly registers: ReadonlyMap<number, Uint8Array>;
  readonly quote: TpmQuote;
  /** Entries of the log, in its order; each digest is proven, its data is not. */
  readonly events: readonly LoggedEvent[];
}

const BANK_BYTES: Readonly<Record<Bank, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };
/** Extensions of certificates of attestation keys: use, policies and other names; they narrow nothing that is asked here. */
const KNOWN_CRITICAL = ['2.5.29.17', '2.5.29.32', '2.5.29.37'];

/** @throws JudgementError with a `TpmCode` or an `EventLogCode`; CertificateError */
export async function verifyTpmQuote(input: TpmInput): Promise<TpmVerdict> {
  // Class format
  const quote = parseTpmQuote(input.quote);
  const signature = parseTpmSignature(input.signature);
  const log = input.eventLog === undefined ? undefined : parseEventLog(input.eventLog, 'tcg2');

  // Class chain
  const { attestationKey } = input;
  const chain = attestationKey.kind === 'chain' ? await verifyTpmChain(attestationKey) : [];
  const key = attestationKey.kind === 'chain' ? (chain[0] as Certificate).publicKey : attestationKey.publicKey;

  // Class signature
  const isSigned = await isQuoteSigned(key, input.quote, signature);
  // EV-336: without it anybody could have written the quote.
  if (!isSigned) throw refusal('quote-signature-invalid', 'signature', 'EV-336', 'the attestation key did not sign');

  // Class binding
  const isAnswer = equalBytes(quote.nonce, input.expectedNonce);
  // EV-340: an old quote, or one that was made for somebody else, is as well signed.
  if (!isAnswer) throw refusal('nonce-mismatch', 'binding', 'EV-340', 'the quote was made for another nonce');
  checkQuotedRegisters(quote, signature, input.registers);
  // EV-343: a log that is shown and not replayed would be read as what happened.
  if (log !== undefined) checkRegisters(log, named(input.registers));

  // Class freshness
  const time = attestationKey.kind === 'chain' ? attestationKey.timeSeconds : undefined;
  // EV-337: a certificate that is out of date says nothing of who holds the key.
  if (time !== undefined) assertValidAt(chain, time);
  return {
    attestationKey: sha256(key.spki),
    bank: quote.bank,
    registers: input.registers,
    quote,
    events: log?.events ?? [],
  };
}

function verifyTpmChain({ chain, roots }: Extract<AttestationKey, { kind: 'chain' }>): Promise<readonly Certificate[]> {
  return verifyChain({ chain, roots, knownCritical: KNOWN_CRITICAL });
}

async function isQuoteSigned(key: PublicKey, quote: Uint8Array, signature: TpmSignature): Promise<boolean> {
  const bytes = signatureBytesFor(key, signature);
  return bytes !== undefined && verifySignature(signature.scheme, key, quote, bytes, 'raw');
}

function checkQuotedRegisters(
  quote: TpmQuote,
  signature: TpmSignature,
  registers: ReadonlyMap<number, Uint8Array>,
): void {
  const values = quote.selected.map((index) => registers.get(index));
  const isWhole = values.every((value) => value?.length === BANK_BYTES[quote.bank]);
  // EV-341: a value that was not quoted would be shown beside those that were, and two lengths can make up for each other.
  if (!isWhole || registers.size !== quote.selected.length) {
    throw refusal('register-set-mismatch', 'binding', 'EV-341', 'the values are not those of the quoted registers');
  }
  const hash = signature.hash === 'sha256' ? sha256 : sha384;
  const isDigest = equalBytes(hash(concatBytes(...(values as Uint8Array[]))), quote.digest);
  // EV-342: the values come from the host; the quote holds their digest.
  if (!isDigest) throw refusal('register-digest-mismatch', 'binding', 'EV-342', 'the registers hold other values');
}

function named(registers: ReadonlyMap<number, Uint8Array>): Map<string, Uint8Array> {
  return new Map([...registers].map(([index, value]) => [`pcr${index}`, value]));
}

function refusal(code: TpmCode, failureClass: 'signature' | 'binding', rule: string, message: string): JudgementError {
  return new JudgementError(code, failureClass, rule, message);
}
