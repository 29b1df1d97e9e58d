/** How full the account is, and which chats take the room: looked up when it is asked for, because every chat is read for it. */
import { parseAttachments, type Usage } from '@sotto/client/attachments';
import type { History } from '../../shell/services.ts';
import type { Files } from './files.ts';

export interface ChatUsage {
  readonly conversationId: string;
  readonly title: string;
  readonly bytes: number;
  readonly files: number;
}

export interface RoomReport {
  /** Undefined for a guest. */
  readonly server: Usage | undefined;
  /** Of all files, true lengths. */
  readonly bytes: number;
  readonly waiting: number;
  /** Of which this device lost a part before they were sent. */
  readonly lost: number;
  /** Why the last try to send ended early. */
  readonly problem: unknown;
  /** Largest first. */
  readonly chats: readonly ChatUsage[];
}

const CHATS_SHOWN = 5;

/** Also removes what lies on the server although no message has named it for a month. */
export async function lookAtRoom(
  history: Pick<History, 'eachConversation' | 'damagedCount' | 'findings'>,
  { attachments }: Files,
): Promise<RoomReport> {
  const named = new Set<string>();
  const chats: ChatUsage[] = [];
  for await (const { summary, records } of history.eachConversation()) {
    const mine = new Map<string, number>();
    for (const { content } of records) {
      if (content.type !== 'message') continue;
      for (const { blobId, bytes } of parseAttachments(content.unknownFields?.attachments)) mine.set(blobId, bytes);
    }
    for (const blobId of mine.keys()) named.add(blobId);
    const bytes = [...mine.values()].reduce((sum, each) => sum + each, 0);
    if (mine.size > 0)
      chats.push({ conversationId: summary.conversationId, title: summary.title, bytes, files: mine.size });
  }
  // What does not open, or is withheld, may be a message whose files would be taken for nobody's.
  if (history.damagedCount === 0 && history.findings.length === 0) await attachments.collectRemote(named);
  return {
    server: await attachments.usage(),
    bytes: chats.reduce((sum, chat) => sum + chat.bytes, 0),
    waiting: attachments.state.waiting,
    lost: attachments.state.lost ?? 0,
    problem: attachments.state.problem,
    chats: chats.sort((a, b) => b.bytes - a.bytes).slice(0, CHATS_SHOWN),
  };
}
