/** Makes synthetic exports in the form of Claude's, with what was put in counted. Tests only. */
import type { Random } from '@sotto/ports';

export interface SyntheticClaude {
  readonly conversations: readonly object[];
  readonly projects: readonly object[];
  readonly memories: readonly object[];
  /** What an import must say of it. */
  readonly counts: {
    chats: number;
    messages: number;
    folders: number;
    memories: number;
    images: number;
    files: number;
    tools: number;
    reasoning: number;
    hidden: number;
    unreadable: number;
  };
}

export function syntheticClaude(random: Random, chats: number): SyntheticClaude {
  const counts = {
    chats,
    messages: 0,
    folders: 2,
    memories: 2,
    images: 0,
    files: 0,
    tools: 0,
    reasoning: 0,
    hidden: 0,
    unreadable: 0,
  };
  const roll = (sides: number) => (random.bytes(1)[0] as number) % sides;
  const at = (n: number) => new Date(1_750_000_000_000 + n * 60_000).toISOString();
  const count = (kind: keyof typeof counts, times: number) => {
    counts[kind] += times;
    return times > 0;
  };
  const projects = ['Garden', 'Taxes'].map((name, i) => {
    const docs = Array.from({ length: roll(3) }, (_, n) => ({ uuid: `doc-${n}`, filename: 'a.txt', content: 'text' }));
    count('files', docs.length);
    return {
      uuid: `project-${i}`,
      name,
      description: 'd',
      prompt_template: `Rules of ${name}`,
      docs,
      created_at: at(i),
    };
  });
  const conversations = Array.from({ length: chats }, (_, chat) => {
    const messages: object[] = [];
    let parent = '00000000-0000-4000-8000-000000000000';
    const add = (sender: string, content: object[], more: object = {}, under = parent) => {
      const uuid = `m-${chat}-${messages.length}`;
      messages.push({
        uuid,
        sender,
        text: 'old form',
        content,
        created_at: at(messages.length),
        parent_message_uuid: under,
        ...more,
      });
      parent = uuid;
      return uuid;
    };
    const text = (words: string) => ({ type: 'text', text: words });
    for (let turn = 0; turn <= roll(4); turn++) {
      const pasted = roll(3) === 0 ? [{ file_name: 'notes.txt', extracted_content: `pasted ${turn}` }] : [];
      const lost = roll(3) === 0 ? [{ file_name: 'a.pdf', extracted_content: '' }] : [];
      const files = roll(3) === 0 ? [{ file_name: 'a.png', file_kind: 'image' }, { file_name: 'b.zip' }] : [];
      count('files', lost.length + (files.length > 0 ? 1 : 0));
      count('images', files.length > 0 ? 1 : 0);
      count('messages', 1);
      const question = add('human', [text(`q${turn}`)], { attachments: [...pasted, ...lost], files });
      for (let branch = 0; branch <= roll(2); branch++) {
        const blocks: object[] = [];
        if (count('reasoning', roll(2))) blocks.push({ type: 'thinking', thinking: 'hm' });
        if (count('tools', 2 * roll(2))) blocks.push({ type: 'tool_use', name: 'web' }, { type: 'tool_result' });
        if (count('hidden', roll(2))) blocks.push({ type: 'token_budget' });
        count('messages', 1);
        add('assistant', [...blocks, text(`a${turn}.${branch}`)], {}, question);
      }
    }
    if (count('unreadable', roll(2))) messages.push({ uuid: 'odd', sender: 'nobody' });
    return {
      uuid: `chat-${chat}`,
      name: `Chat ${chat}`,
      created_at: at(0),
      updated_at: at(90),
      is_starred: chat % 2 === 0,
      ...(chat % 3 === 0 ? { project_uuid: `project-${chat % 2}` } : {}),
      current_leaf_message_uuid: parent,
      chat_messages: messages,
    };
  });
  const memories = [
    { conversations_memory: 'Likes short answers.', project_memories: { 'project-0': 'Grows beans.' } },
  ];
  return { conversations, projects, memories, counts };
}
