import { type ComponentType, type HTMLAttributes, useId, useState } from 'react';
import type { ConversationSummary } from '../../shell/services.ts';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dots } from '../../ui/icons.tsx';
import { useSelected } from '../../ui/use-store.ts';
import { chooseForMenu, MENU_ID } from './menu.tsx';
import type { ConversationGroup } from './model.ts';

interface ItemProps {
  readonly conversation: ConversationSummary;
  readonly onChosen: () => void;
}

/** Chats by day. */
export function Days(props: {
  groups: readonly ConversationGroup[];
  Item: ComponentType<ItemProps>;
  onChosen: () => void;
}) {
  const { groups, Item, onChosen } = props;
  return (
    <>
      {groups.length === 0 && <p className="note">{t('list.empty')}</p>}
      {groups.map(({ day, conversations: inDay }) => (
        <section key={day} aria-labelledby={`day-${day}`}>
          <h2 id={`day-${day}`}>{t(`list.${day}`)}</h2>
          <ul>
            {inDay.map((one) => (
              <Item key={one.conversationId} conversation={one} onChosen={onChosen} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

/** One chat: opened, and changed from the list's menu. */
export function Item({ conversation, onChosen, drag }: ItemProps & { drag?: HTMLAttributes<HTMLLIElement> }) {
  const { chat, openChat, conversations } = useApp();
  const { conversationId, title } = conversation;
  const { inHand } = conversations;
  const isCurrent = useSelected(chat.state, (state) => state.conversationId === conversationId);
  const rowId = useId();
  const isRenamed = useSelected(inHand, ({ renaming }) => renaming === rowId);
  if (isRenamed) {
    return (
      <li>
        <RenameField
          title={title}
          onDone={(text) => {
            inHand.patch({ renaming: undefined });
            if (text !== undefined) void conversations.rename(conversationId, text);
          }}
        />
      </li>
    );
  }
  return (
    <li className={isCurrent ? 'current' : undefined} {...drag}>
      <button
        type="button"
        className="chat-link"
        aria-current={isCurrent ? 'page' : undefined}
        onClick={() => {
          openChat(conversationId);
          onChosen();
        }}
      >
        {title}
      </button>
      <button
        type="button"
        className="icon-button small"
        aria-label={t('list.menu', { title })}
        popoverTarget={MENU_ID}
        onClick={(event) => chooseForMenu(inHand, { chosen: conversation, rowId, button: event.currentTarget })}
      >
        <Dots />
      </button>
    </li>
  );
}

/** @param props.onDone called once, with undefined when the person gave up */
function RenameField({ title, onDone }: { title: string; onDone: (title: string | undefined) => void }) {
  const [text, setText] = useState(title);
  return (
    <input
      autoComplete="off"
      className="rename"
      // biome-ignore lint/a11y/noAutofocus: the person has just asked to write here
      autoFocus
      value={text}
      maxLength={120}
      aria-label={t('list.renameLabel')}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => onDone(text)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur();
        if (event.key === 'Escape') {
          event.stopPropagation();
          onDone(undefined);
        }
      }}
    />
  );
}
