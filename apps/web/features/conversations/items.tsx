import { type ComponentType, type HTMLAttributes, useState } from 'react';
import type { ConversationSummary } from '../../shell/services.ts';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Dots } from '../../ui/icons.tsx';
import { useStore } from '../../ui/use-store.ts';
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

/** One chat: opened, and changed from its menu. */
export function Item({ conversation, onChosen, drag }: ItemProps & { drag?: HTMLAttributes<HTMLLIElement> }) {
  const { chat, openChat, removeChat, arrange, conversations } = useApp();
  const current = useStore(chat.state).conversationId === conversation.conversationId;
  const [renaming, setRenaming] = useState(false);
  const menuId = `menu-${conversation.conversationId}`;
  if (renaming) {
    return (
      <li>
        <RenameField
          title={conversation.title}
          onDone={(title) => {
            setRenaming(false);
            if (title !== undefined) void conversations.rename(conversation.conversationId, title);
          }}
        />
      </li>
    );
  }
  return (
    <li className={current ? 'current' : undefined} {...drag}>
      <button
        type="button"
        className="chat-link"
        aria-current={current ? 'page' : undefined}
        onClick={() => {
          openChat(conversation.conversationId);
          onChosen();
        }}
      >
        {conversation.title}
      </button>
      <button
        type="button"
        className="icon-button small"
        aria-label={t('list.menu', { title: conversation.title })}
        popoverTarget={menuId}
      >
        <Dots />
      </button>
      <div id={menuId} popover="auto" className="menu">
        <button type="button" popoverTarget={menuId} popoverTargetAction="hide" onClick={() => setRenaming(true)}>
          {t('list.rename')}
        </button>
        <button
          type="button"
          popoverTarget={menuId}
          popoverTargetAction="hide"
          onClick={() => arrange({ kind: 'chat', conversationId: conversation.conversationId })}
        >
          {t('list.order')}
        </button>
        <button
          type="button"
          className="danger"
          popoverTarget={menuId}
          popoverTargetAction="hide"
          onClick={() => void removeChat(conversation.conversationId)}
        >
          {t('list.delete')}
        </button>
      </div>
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
