/** The node this browser talks to: pin, verification, the open session. Nothing is sent unless `ensure` resolved. */
import { type ErrorAction, SottoError } from '@sotto/bytes';
import type { ChatSession, ModelInfo, ReportLine, Services, VerificationReport } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { fingerprintOf, loadPin, savePin } from './pin.ts';

export type ProofState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'no-link' }
  | { readonly kind: 'machine-changed'; readonly expected: string; readonly seen: string }
  | { readonly kind: 'checking'; readonly sinceMs: number }
  | { readonly kind: 'development' | 'verified'; readonly report: VerificationReport; readonly bundle: Uint8Array }
  | { readonly kind: 'offline'; readonly code: string }
  | {
      readonly kind: 'failed';
      readonly code: string;
      /** `stop`, unless the person can put it right, such as a wrong clock. */
      readonly action: ErrorAction;
      readonly message: string;
      readonly report?: VerificationReport;
      /** It had been verified, and failed when it was asked again. */
      readonly live?: true;
    };

/** What is known of this moment, beyond what was checked when the session was opened. */
export type LiveState =
  | { readonly kind: 'idle' | 'asking' }
  | { readonly kind: 'proven'; readonly report: VerificationReport }
  /** No answer: nothing is known, and nobody is accused. */
  | { readonly kind: 'unknown'; readonly code: string };

export interface ProofModel {
  readonly state: ReadableStore<ProofState>;
  readonly models: ReadableStore<{ readonly list: readonly ModelInfo[]; readonly known: boolean }>;
  /** Reads the pin and opens a session ahead of the first question. */
  start(): Promise<void>;
  /** The verified session, opening one where needed. A failed verification is final until `retry`. */
  ensure(signal?: AbortSignal): Promise<ChatSession>;
  retry(): Promise<void>;
  readonly live: ReadableStore<LiveState>;
  /** Asks the machine to prove itself again, now. When it does not, the session is over and the state says why. */
  proveLive(): Promise<void>;
  /** Judges the link that was opened in this tab; what was typed and shown stays. */
  readLink(): Promise<void>;
  /** Replaces the pinned machine by the one of the link, after the person said so. */
  trustNewMachine(): Promise<void>;
  /** Drops the session: who this browser is has changed. */
  reset(): void;
}

type ProofErrorCode = 'proof-no-link' | 'proof-machine-changed' | 'proof-superseded';

/** Why nothing may be sent, before any node was asked. */
export class ProofError extends SottoError<ProofErrorCode> {
  constructor(code: ProofErrorCode) {
    super(code, 'no trusted machine', { action: 'stop' });
  }
}

/** Neither kind of machine is private from whoever runs it, and neither is ever shown as verified. */
const SHOWN_AS = { development: 'development', 'tpm-test': 'development', none: 'development' } as const;

/** Together longer than a server remembers that a machine did not answer. */
const RETRY_DELAYS_MS = [400, 1000, 2000];

export function createProofModel(services: Pick<Services, 'clock' | 'device' | 'openSession' | 'page'>): ProofModel {
  const state = createStore<ProofState>({ kind: 'starting' });
  const models = createStore<{ list: readonly ModelInfo[]; known: boolean }>({ list: [], known: false });
  const live = createStore<LiveState>({ kind: 'idle' });
  let fingerprint: string | undefined;
  let pinRead: Promise<void> | undefined;
  let session: ChatSession | undefined;
  let opening: Promise<ChatSession> | undefined;
  let attempt = 0;

  /** Drops what is open or being opened; an attempt that is still under way must not speak any more. */
  const drop = (): void => {
    attempt++;
    session?.close();
    session = undefined;
    opening = undefined;
    live.set({ kind: 'idle' });
  };

  const readPin = async () => {
    const pin = await loadPin(services.device, services.page.fragment());
    if (pin.kind === 'pinned') {
      fingerprint = pin.fingerprint;
      services.page.clearFragment();
    } else if (pin.kind === 'missing') state.set({ kind: 'no-link' });
    else state.set({ kind: 'machine-changed', expected: pin.expected, seen: pin.seen });
  };

  const open = async (): Promise<ChatSession> => {
    const mine = attempt;
    pinRead ??= readPin();
    await pinRead;
    if (mine !== attempt) throw new ProofError('proof-superseded');
    if (fingerprint === undefined) {
      throw new ProofError(state.get().kind === 'no-link' ? 'proof-no-link' : 'proof-machine-changed');
    }
    state.set({ kind: 'checking', sinceMs: services.clock.nowMs() });
    try {
      const opened = await connect(fingerprint, mine);
      if (mine !== attempt) {
        // The person may trust another machine by now: this session must not be used.
        opened.close();
        throw new ProofError('proof-superseded');
      }
      accept(opened);
      return opened;
    } catch (cause) {
      if (mine === attempt) state.set(failureOf(cause));
      throw cause;
    }
  };

  const accept = (opened: ChatSession): void => {
    session = opened;
    live.set({ kind: 'idle' });
    const show = () => {
      state.set({ kind: SHOWN_AS[opened.report.trust], report: opened.report, bundle: opened.bundle });
    };
    show();
    opened.onRenewed = () => {
      if (session === opened) show();
    };
    void opened.closed
      .catch(() => {})
      .then(() => {
        if (session === opened) session = undefined;
      });
    void opened.models().then(
      (list) => models.set({ list, known: true }),
      (cause: unknown) =>
        models.set({ list: [], known: cause instanceof SottoError && cause.code === 'engine-missing' }),
    );
  };

  /** A server or machine that is just starting gets a few tries; a machine that failed verification gets none (CL-05). */
  const connect = async (trusted: string, mine: number): Promise<ChatSession> => {
    for (const delayMs of RETRY_DELAYS_MS) {
      try {
        return await services.openSession({ fingerprint: trusted, onPhase: () => {} });
      } catch (cause) {
        const passing = cause instanceof SottoError && cause.action === 'retry' && !('report' in cause);
        if (!passing) throw cause;
        await services.clock.sleep(delayMs);
        if (mine !== attempt) throw cause;
      }
    }
    return services.openSession({ fingerprint: trusted, onPhase: () => {} });
  };

  const ensure = (): Promise<ChatSession> => {
    // A machine that stops lets the answers that run come to their end; the next question needs another session.
    if (session?.isOpen) return Promise.resolve(session);
    const current = state.get();
    // Never retried in silence (CL-05): the person decides.
    if (opening !== undefined && current.kind === 'failed') return opening;
    if (opening === undefined || current.kind !== 'checking') opening = open();
    return opening;
  };

  const askLive = async (): Promise<void> => {
    if (live.get().kind === 'asking') return;
    // A session that cannot be opened says so itself.
    const asked = await ensure().catch(() => undefined);
    if (asked === undefined) return;
    live.set({ kind: 'asking' });
    try {
      const report = await asked.proveLive();
      if (session === asked) live.set({ kind: 'proven', report });
    } catch (cause) {
      const failure = failureOf(cause);
      const isRefused = failure.kind === 'failed' && failure.report !== undefined;
      // The session closed itself; another one may be open by now, and this says nothing about it.
      if (session !== asked && session !== undefined) return;
      if (!isRefused)
        return live.set({ kind: 'unknown', code: cause instanceof SottoError ? cause.code : 'unexpected' });
      drop();
      opening = Promise.reject(cause);
      opening.catch(() => {});
      state.set({ ...failure, live: true });
    }
  };

  return {
    state,
    models,
    live,
    proveLive: askLive,
    start: async () => {
      await ensure().catch(() => {});
    },
    ensure,
    retry: async () => {
      drop();
      opening = open();
      await opening.catch(() => {});
    },
    readLink: async () => {
      const named = fingerprintOf(services.page.fragment());
      if (named === undefined) return;
      if (named === fingerprint) return services.page.clearFragment();
      drop();
      fingerprint = undefined;
      pinRead = undefined;
      opening = open();
      await opening.catch(() => {});
    },
    trustNewMachine: async () => {
      const current = state.get();
      if (current.kind !== 'machine-changed') return;
      await savePin(services.device, current.seen);
      drop();
      fingerprint = current.seen;
      services.page.clearFragment();
      opening = open();
      await opening.catch(() => {});
    },
    reset: drop,
  };
}

function failureOf(cause: unknown): ProofState {
  if (!(cause instanceof SottoError)) return { kind: 'offline', code: 'unexpected' };
  if (cause.action === 'retry') return { kind: 'offline', code: cause.code };
  const report = 'report' in cause ? (cause.report as VerificationReport | undefined) : undefined;
  return { kind: 'failed', code: cause.code, action: cause.action, message: cause.message, ...(report && { report }) };
}

/** Failed checks first, the others in their order. */
export function orderedChecks(report: VerificationReport): readonly ReportLine[] {
  const failed = report.checks.filter((check) => check.status === 'failed');
  return [...failed, ...report.checks.filter((check) => check.status !== 'failed')];
}
