/**
 * From a machine's evidence to `ThirdPartyAttested`: parsing and the binding to this connection's key are ours, the third
 * party's signature is the judge's, whom the caller must bring. Nobody is believed by default (spec/confer.md, attestation).
 */
import { concatBytes, equalBytes } from '@sotto/bytes';
import { ConferError } from '@sotto/channel/confer';
import { WireError } from '@sotto/wire';
import { type ConferEvidence, parseConferEvidence } from '@sotto/wire/confer';
import { ATTESTED_KEY, ThirdPartyAttested } from './attested.ts';

/** What the third party vouches for, once its signature was checked. */
export interface ThirdPartyJudgement {
  /** 64 bytes: what the hardware was asked to sign. */
  readonly reportData: Uint8Array;
  /** When the statement ends, in milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
}

/** Checks what we do not: signatures of the third party and over the manifest, and the measurement against it. */
export interface ThirdPartyJudge {
  /** Who it is that vouches, for people. */
  readonly name: string;
  /** Rejects unless every check passed. */
  judge(evidence: ConferEvidence, signal?: AbortSignal): Promise<ThirdPartyJudgement>;
}

/**
 * @param expectedPeerKey the handshake's static key, 32 bytes
 * @throws ConferError `confer-evidence-malformed`, `confer-not-attested`, `confer-binding-mismatch`, `confer-attestation-expired`
 */
export async function judgeEvidence(
  bytes: Uint8Array,
  expectedPeerKey: Uint8Array,
  judge: ThirdPartyJudge,
  nowMs: number,
  signal?: AbortSignal,
): Promise<ThirdPartyAttested> {
  const evidence = parseOrThrow(bytes);
  let judgement: ThirdPartyJudgement;
  try {
    judgement = await judge.judge(evidence, signal);
  } catch (cause) {
    throw new ConferError('confer-not-attested', { rule: 'CO-51', cause });
  }
  const { reportData, notAfterMs } = judgement;
  const isBound = equalBytes(reportData, concatBytes(expectedPeerKey, new Uint8Array(32)));
  // CO-52: true evidence of another machine, passed on by this one, proves nothing about this one.
  if (!isBound) throw new ConferError('confer-binding-mismatch', { rule: 'CO-52' });
  assertCurrent(notAfterMs, nowMs);
  return new ThirdPartyAttested(ATTESTED_KEY, {
    attestedBy: judge.name,
    platform: evidence.platform,
    peerKey: expectedPeerKey,
    notAfterMs,
  });
}

/** @throws ConferError `confer-attestation-expired` */
export function assertCurrent(notAfterMs: number, nowMs: number): void {
  // CO-54: there is no nonce, so its end is all that keeps an old statement from being shown for ever.
  if (!(nowMs <= notAfterMs)) throw new ConferError('confer-attestation-expired', { rule: 'CO-54' });
}

function parseOrThrow(bytes: Uint8Array): ConferEvidence {
  try {
    return parseConferEvidence(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new ConferError('confer-evidence-malformed', { rule: 'CO-50' });
  }
}
