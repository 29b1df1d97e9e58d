/** Makes synthetic exports in the form of ChatGPT's `conversations.json`, with what was put in counted. Tests only. */
import type { Random } from '@sotto/ports';

export interface SyntheticExport {
  readonly list: readonly object[];
  /** What an import must say of it. */
  readonly counts: {
    chats: number;
    messages: number;
    images: number;
    files: number;
    tools: number;
    reasoning: number;
    hidden: number;
  };
}

type Node = { id: string; parent: string | null; children: string[]; message: object | null };

export function syntheticChatGpt(random: Random, chats: number): SyntheticExport {
  const counts = { chats, messages: 0, images: 0, files: 0, tools: 0, reasoning: 0, hidden: 0 };
  const roll = (sides: number) => (random.bytes(1)[0] as number) % sides;
  const list = Array.from({ length: chats }, (_, chat) => {
    const nodes: Node[] = [];
    const at = 1_700_000_000 + chat * 1000;
    const add = (parent: Node | undefined, message: object | null): Node => {
      const node = { id: `node-${chat}-${nodes.length}`, parent: parent?.id ?? null, children: [], message };
      parent?.children.push(node.id);
      nodes.push(node);
      return node;
    };
    const said = (role: string, parts: unknown[], more: object = {}, type = 'text') => ({
      author: { role },
      content: { content_type: type, parts },
      create_time: at + nodes.length + 0.25,
      recipient: 'all',
      metadata: role === 'assistant' ? { model_slug: 'gpt-x' } : {},
      ...more,
    });
    const hidden = (parent: Node) => {
      counts.hidden++;
      return add(
        parent,
        said('system', ['secret prompt'], { metadata: { is_visually_hidden_from_conversation: true } }),
      );
    };
    let last = hidden(add(undefined, null));
    for (let turn = 0; turn <= roll(4); turn++) {
      const image = roll(3) === 0;
      const parts = image ? [{ content_type: 'image_asset_pointer', asset_pointer: 'x' }, `q${turn}`] : [`q${turn}`];
      if (image) counts.images++;
      const withFile = roll(3) === 0;
      if (withFile) counts.files++;
      const metadata = withFile ? { attachments: [{ name: 'a.pdf', mime_type: 'application/pdf' }] } : {};
      const question = add(last, said('user', parts, { metadata }, image ? 'multimodal_text' : 'text'));
      counts.messages++;
      for (let branch = 0; branch <= roll(2); branch++) {
        let above = question;
        if (roll(2) === 0) {
          counts.reasoning++;
          above = add(above, said('assistant', [], {}, 'thoughts'));
          counts.tools += 2;
          above = add(add(above, said('assistant', ['search()'], { recipient: 'web' })), said('tool', ['found']));
        }
        counts.messages++;
        last = add(above, said('assistant', [`a${turn}.${branch}`]));
      }
    }
    return {
      conversation_id: `chat-${chat}`,
      title: `Chat ${chat}`,
      create_time: at,
      update_time: at + 500,
      current_node: last.id,
      mapping: Object.fromEntries(nodes.map((node) => [node.id, node])),
    };
  });
  return { list, counts };
}
