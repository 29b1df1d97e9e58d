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
    };

export interface ProofModel {
  readonly state: ReadableStore<ProofState>;
  readonly models: ReadableStore<{ readonly list: readonly ModelInfo[]; readonly known: boolean }>;
  /** Reads the pin and opens a session ahead of the first question. */
  start(): Promise<void>;
  /** The verified session, opening one where needed. A failed verification is final until `retry`. */
  ensure(signal?: AbortSignal): Promise<ChatSession>;
  retry(): Promise<void>;
  /** Judges the link that was opened in this tab; what was typed and shown stays. */
  readLink(): Promise<void>;
  /** Replaces the pinned machine by the one of the link, after the person said so. */
  trustNewMachine(): Promise<void>;
  /** Drops the session: who this browser is has changed. */
  reset(): void;
}

type ProofErrorCode = 'proof-no-link' | 'proof-machine-changed';

/** Why nothing may be sent, before any node was asked. */
export class ProofError extends SottoError<ProofErrorCode> {
  constructor(code: ProofErrorCode) {
    super(code, 'no trusted machine', { action: 'stop' });
  }
}

export function createProofModel(services: Pick<Services, 'clock' | 'device' | 'openSession' | 'page'>): ProofModel {
  const state = createStore<ProofState>({ kind: 'starting' });
  const models = createStore<{ list: readonly ModelInfo[]; known: boolean }>({ list: [], known: false });
  let fingerprint: string | undefined;
  let pinRead: Promise<void> | undefined;
  let session: ChatSession | undefined;
  let opening: Promise<ChatSession> | undefined;

  const readPin = async () => {
    const pin = await loadPin(services.device, services.page.fragment());
    if (pin.kind === 'pinned') {
      fingerprint = pin.fingerprint;
      services.page.clearFragment();
    } else if (pin.kind === 'missing') state.set({ kind: 'no-link' });
    else state.set({ kind: 'machine-changed', expected: pin.expected, seen: pin.seen });
  };

  const open = async (): Promise<ChatSession> => {
    pinRead ??= readPin();
    await pinRead;
    const current = state.get();
    if (fingerprint === undefined) {
      throw new ProofError(current.kind === 'no-link' ? 'proof-no-link' : 'proof-machine-changed');
    }
    state.set({ kind: 'checking', sinceMs: services.clock.nowMs() });
    try {
      const opened = await services.openSession({ fingerprint, onPhase: () => {} });
      session = opened;
      const trusted = opened.report.trust === 'development' ? 'development' : 'verified';
      state.set({ kind: trusted, report: opened.report, bundle: opened.bundle });
      void opened.closed.catch(() => {}).then(() => dropped(opened));
      void opened.models().then(
        (list) => models.set({ list, known: true }),
        (cause: unknown) =>
          models.set({ list: [], known: cause instanceof SottoError && cause.code === 'engine-missing' }),
      );
      return opened;
    } catch (cause) {
      state.set(failureOf(cause));
      throw cause;
    }
  };

  const dropped = (closed: ChatSession) => {
    if (session === closed) session = undefined;
  };

  const ensure = (): Promise<ChatSession> => {
    if (session !== undefined) return Promise.resolve(session);
    const current = state.get();
    // Never retried in silence (CL-05): the person decides.
    if (opening !== undefined && current.kind === 'failed') return opening;
    if (opening === undefined || current.kind !== 'checking') opening = open();
    return opening;
  };

  return {
    state,
    models,
    start: async () => {
      await ensure().catch(() => {});
    },
    ensure,
    retry: async () => {
      session?.close();
      session = undefined;
      opening = open();
      await opening.catch(() => {});
    },
    readLink: async () => {
      const named = fingerprintOf(services.page.fragment());
      if (named === undefined) return;
      if (named === fingerprint) return services.page.clearFragment();
      session?.close();
      session = undefined;
      fingerprint = undefined;
      pinRead = undefined;
      opening = open();
      await opening.catch(() => {});
    },
    trustNewMachine: async () => {
      const current = state.get();
      if (current.kind !== 'machine-changed') return;
      await savePin(services.device, current.seen);
      fingerprint = current.seen;
      services.page.clearFragment();
      opening = open();
      await opening.catch(() => {});
    },
    reset: () => {
      session?.close();
      session = undefined;
      opening = undefined;
    },
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
