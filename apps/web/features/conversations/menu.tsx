import type { ConversationSummary } from '../../shell/services.ts';
import type { Store } from '../../shell/store.ts';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { useSelected } from '../../ui/use-store.ts';
import type { InHand } from './model.ts';

export const MENU_ID = 'chat-menu';
const ANCHOR_ID = 'chat-menu-anchor';

/** Before the browser shows the menu for `button`: says for which chat, and marks the place. */
export function chooseForMenu(
  inHand: Store<InHand>,
  { chosen, rowId, button }: { chosen: ConversationSummary; rowId: string; button: HTMLElement },
): void {
  // Another row's button then opens it there, instead of closing it.
  if (inHand.get().rowId !== rowId) document.getElementById(MENU_ID)?.hidePopover();
  inHand.patch({ chosen, rowId });
  const { left, top, width, height } = button.getBoundingClientRect();
  const place = { left, top, width, height };
  const anchor = document.getElementById(ANCHOR_ID);
  for (const [side, px] of Object.entries(place)) anchor?.style.setProperty(side, `${px}px`);
}

/** One menu for all chats, beside the list and not in a row: a row that moves would close it. */
export function ChatMenu() {
  const { arrange, removeChat, conversations } = useApp();
  const { inHand } = conversations;
  const chosen = useSelected(inHand, (state) => state.chosen);
  const hides = { popoverTarget: MENU_ID, popoverTargetAction: 'hide' } as const;
  const on = (act: (conversationId: string) => void) => () => chosen !== undefined && act(chosen.conversationId);
  return (
    <>
      <span id={ANCHOR_ID} className="menu-anchor" />
      <div
        id={MENU_ID}
        popover="auto"
        className="menu"
        onToggle={({ newState }) => newState === 'closed' && inHand.patch({ chosen: undefined, rowId: undefined })}
      >
        {/* The list may have moved beside it. */}
        <p className="note">{chosen?.title}</p>
        <button type="button" {...hides} onClick={on(() => inHand.patch({ renaming: inHand.get().rowId }))}>
          {t('list.rename')}
        </button>
        <button type="button" {...hides} onClick={on((id) => arrange({ kind: 'chat', conversationId: id }))}>
          {t('list.order')}
        </button>
        <button type="button" className="danger" {...hides} onClick={on((id) => void removeChat(id))}>
          {t('list.delete')}
        </button>
      </div>
    </>
  );
}
