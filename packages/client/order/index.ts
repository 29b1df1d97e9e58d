/** The order of a history (spec/client.md "Order"): folders, pins, tags, and what goes. Loaded when somebody uses one of them. */
export { type FolderChange, INSTRUCTIONS_LIMIT, NAME_LIMIT, Order, type OrderPorts, TAGS_AT_ONCE } from './order.ts';
export { Removal, type RemovalPorts, UNDO_MS } from './removal.ts';
export {
  type ClockHints,
  type ClockVerdict,
  dueChats,
  goesAtMs,
  judgeClock,
  RETENTION_GRACE_MS,
} from './retention.ts';
export { type ArrangedChat, arrangedChats, type OrderTarget } from './target.ts';
export { openTemporaryHistory } from './temporary.ts';
