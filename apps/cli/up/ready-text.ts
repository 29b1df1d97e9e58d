/** What `sotto up` says when the app can be opened. The address stands on a line of its own. */

export interface ReadyFacts {
  readonly url: string;
  /** For people, such as "Starter (135M)"; undefined where nothing answers yet. */
  readonly model: string | undefined;
  /** The small model that only checks that everything works. */
  readonly starter: boolean;
  readonly modelPending: boolean;
  /** Set when another program computes the answers. */
  readonly externalEngine: string | undefined;
}

export function readyText(facts: ReadyFacts): string {
  return [
    '',
    'Sotto is ready. Open this address in a browser on this machine:',
    '',
    facts.url,
    '',
    'What is private in this mode, and what is not:',
    '- Your chats are encrypted in the browser to the enclave program; the server only passes on and keeps ciphertext.',
    '- This is a development machine: whoever runs it can read what the enclave computes. Not private from them.',
    facts.externalEngine === undefined
      ? '- The model runs on this machine; nothing you write leaves it.'
      : `- Answers are computed by ${facts.externalEngine} on this machine, which can read them.`,
    '- Until you press "Keep my chats", they live in that one browser only.',
    '',
    modelLine(facts),
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

function modelLine(facts: ReadyFacts): string {
  if (facts.model !== undefined) {
    return facts.starter
      ? `Model: ${facts.model}. A better one, where a model hub can be reached: npm start -- --model qwen3-1.7b (1.8 GB)`
      : `Model: ${facts.model}`;
  }
  if (facts.modelPending) return 'Model: still being fetched. The page works already; answers come when it is here.';
  return 'Model: none yet. The page opens, but nothing can answer. Give one with: npm start -- --model FILE.gguf';
}
