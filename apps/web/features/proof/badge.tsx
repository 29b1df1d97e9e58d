import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Bar, HatchedRing, OpenRing, Seal } from '../../ui/icons.tsx';
import { useStore } from '../../ui/use-store.ts';
import type { ProofState } from './model.ts';

/** The five things a badge can say; told apart by word and by shape, never by colour alone. */
export type Standing = 'development' | 'verified' | 'failed' | 'checking' | 'offline';

export function standingOf(state: ProofState): Standing {
  switch (state.kind) {
    case 'development':
    case 'verified':
    case 'failed':
    case 'offline':
      return state.kind;
    case 'no-link':
    case 'machine-changed':
      return 'failed';
    default:
      return 'checking';
  }
}

const SHAPES = { development: HatchedRing, verified: Seal, failed: Bar, checking: OpenRing, offline: Bar } as const;

/** How far the machine is trusted, one glance away; opens the proof. */
export function Badge() {
  const { proof, panels } = useApp();
  const standing = standingOf(useStore(proof.state));
  const { proof: open } = useStore(panels);
  const Shape = SHAPES[standing];
  return (
    <button
      type="button"
      className={`badge ${standing}`}
      aria-expanded={open}
      title={t('proof.open')}
      onClick={() => panels.patch({ proof: !open })}
    >
      <Shape />
      <span>{t(`proof.badge.${standing}`)}</span>
    </button>
  );
}
