/** One quiet line under the list: what is kept on this device and not yet sent, and why. */
import { useEffect, useState } from 'react';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';
import { createSyncLine } from './model.ts';
import { w } from './words.ts';

export function Line() {
  const { transferable } = useApp();
  const { sync } = transferable.history();
  const [line, setLine] = useState<ReturnType<typeof createSyncLine>>();
  useEffect(() => {
    if (sync === undefined) return;
    const followed = createSyncLine(sync, transferable.clock);
    setLine(followed);
    return () => followed.stop();
  }, [sync, transferable.clock]);
  if (sync === undefined || line === undefined) return null;
  return <Shown line={line} onTryNow={() => sync.wake()} />;
}

function Shown({ line, onTryNow }: { line: ReturnType<typeof createSyncLine>; onTryNow: () => void }) {
  const { words, count, mayTryNow } = useStore(line.state);
  // The element stays, so that a screen reader hears what comes into it.
  return (
    <div role="status" className="sync">
      {words !== undefined && <p className="note">{w(words, { count })}</p>}
      {mayTryNow && (
        <button type="button" className="quiet" onClick={onTryNow}>
          {w('sync.now')}
        </button>
      )}
    </div>
  );
}
