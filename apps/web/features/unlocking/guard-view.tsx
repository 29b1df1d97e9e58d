import { useEffect, useState } from 'react';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';
import { type Guard, startGuard } from './guard.ts';
import { u } from './words.ts';
import './unlocking.css';

const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;

/** Watches whether somebody is here while an account is open, and says so before it locks. */
export default function GuardView() {
  const { guardable } = useApp();
  const [guard, setGuard] = useState<Guard>();
  useEffect(() => {
    const started = startGuard(guardable);
    setGuard(started);
    const options = { capture: true, passive: true };
    for (const touch of TOUCHES) addEventListener(touch, started.active, options);
    return () => {
      for (const touch of TOUCHES) removeEventListener(touch, started.active, options);
      started.stop();
    };
  }, [guardable]);
  return guard === undefined ? null : <Warning guard={guard} />;
}

function Warning({ guard }: { guard: Guard }) {
  const { guardable } = useApp();
  const { secondsLeft } = useStore(guard.state);
  return (
    <div className="guard" role="alert">
      {secondsLeft !== undefined && (
        <div className="guard-card row">
          <p>
            {u('guard.near')} {guardable.hasDraft() && u('guard.draft')}
          </p>
          <span className="note" aria-hidden="true">
            {u('guard.seconds', { seconds: secondsLeft })}
          </span>
          <button type="button" className="button primary" onClick={guard.active}>
            {u('guard.stay')}
          </button>
        </div>
      )}
    </div>
  );
}
