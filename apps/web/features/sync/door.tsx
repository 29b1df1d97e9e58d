import { onDemand } from '../../ui/on-demand.tsx';
import type { FindingSummary } from '../conversations/model.ts';

/** What is not yet sent, of an account. A guest's chats go nowhere. */
export const SyncLine = onDemand(
  async () => (await import('./line.tsx')).Line,
  () => null,
);

interface FindingsProps {
  readonly findings: readonly FindingSummary[];
}

/** What the server shows that the person's devices did not write so. Most servers show what they were given. */
export const Findings = onDemand<FindingsProps>(
  async () => (await import('./findings.tsx')).Findings,
  Unexplained,
  Unexplained,
);

function Unexplained({ findings }: FindingsProps) {
  return (
    <div className="findings alarm" role="alert">
      {findings.map(({ rule, message }) => (
        <p key={rule}>
          {message} <code>{rule}</code>
        </p>
      ))}
    </div>
  );
}
