/**
 * `sotto chat`: a chat in the terminal through the same verified client as the web app. Nothing is sent before the node
 * passed the policy; nothing is kept afterwards.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { SottoError } from '@sotto/bytes';
import type { NodeSession } from '@sotto/client';
import { type Policy, parsePolicy } from '@sotto/verify';
import { defineCommand } from 'citty';
import { dataFolderAt } from '../data-folder.ts';
import { connectToNode } from '../node-connection.ts';
import { expectedFingerprint, parsePinnedAddress } from '../pins.ts';
import { EXIT, PlainError } from '../plain-error.ts';
import { DEFAULT_PORT } from '../up/port.ts';

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

export const chatCommand = defineCommand({
  meta: { name: 'chat' },
  args: {
    address: { type: 'positional', required: false, default: `http://localhost:${DEFAULT_PORT}` },
    policy: { type: 'string' },
    prompt: { type: 'string' },
    data: { type: 'string' },
  },
  async run({ args }) {
    const address = parsePinnedAddress(args.address);
    const policy: Policy =
      args.policy === undefined
        ? {
            kind: 'dev',
            version: 1,
            fingerprint: expectedFingerprint(dataFolderAt(args.data, process.env).pins, address, Date.now()),
          }
        : loadPolicy(args.policy);
    try {
      await converse(() => connectToNode(address.origin, policy), args.prompt);
    } catch (error) {
      throw error instanceof SottoError ? inPlainWords(error) : error;
    }
  },
});

/** @param open connects anew once a line was lost: its answer was fetched, the session is over */
async function converse(open: () => Promise<NodeSession>, prompt: string | undefined): Promise<void> {
  let session = await open();
  try {
    await talk(session, async () => (session = session.isOpen ? session : await open()), prompt);
  } finally {
    session.close();
  }
}

const NOT_PRIVATE = {
  development: 'Development machine: not private from whoever runs it.',
  'tpm-test': 'A TPM says what was started there, for tests: not private from whoever runs it.',
} as const;

async function talk(
  session: NodeSession,
  ensure: () => Promise<NodeSession>,
  prompt: string | undefined,
): Promise<void> {
  const [model] = await session.models();
  if (model === undefined) {
    throw new PlainError(
      'No language model is running there.',
      'Start it with one: sotto up --model FILE',
      EXIT.unavailable,
    );
  }
  const turns: Turn[] = [];
  if (prompt !== undefined) return ask(session, model.id, turns, prompt);
  process.stderr.write(
    `Connected to a checked machine (trust: ${session.node.trust}), model ${model.id}.\n` +
      `${NOT_PRIVATE[session.node.trust]} Nothing is kept. An empty line or Ctrl-D ends.\n`,
  );
  const reader = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: process.stdin.isTTY === true,
  });
  reader.setPrompt('> ');
  let atEnd = false;
  reader.once('close', () => (atEnd = true));
  reader.prompt();
  for await (const line of reader) {
    if (line.trim() === '') break;
    await ask(await ensure(), model.id, turns, line);
    // The input may have ended while the answer came: lines typed before are still answered.
    if (!atEnd) reader.prompt();
  }
  reader.close();
}

async function ask(session: NodeSession, model: string, turns: Turn[], text: string): Promise<void> {
  turns.push({ role: 'user', content: text });
  let answer = '';
  const onLine = (line: 'lost' | 'back'): void => {
    if (line === 'lost') process.stderr.write('\nThe connection was lost. Getting the rest of the answer…\n');
  };
  for await (const event of session.chat({ model, messages: turns }, { onLine })) {
    if (event.kind !== 'text-delta') continue;
    answer += event.text;
    process.stdout.write(printable(event.text));
  }
  process.stdout.write('\n');
  turns.push({ role: 'assistant', content: answer });
}

/** A model's words are untrusted: they must not steer the terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');
}

function loadPolicy(path: string): Policy {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new PlainError(`The policy ${path} cannot be read.`, 'It must be a JSON file.', EXIT.noInput, error);
  }
  return parsePolicy(value);
}

function inPlainWords(error: SottoError): PlainError {
  const rule = error.rule === undefined ? '' : ` (rule ${error.rule})`;
  if (error.action === 'stop') {
    return new PlainError(
      `Stopped: ${error.message}${rule}`,
      'Nothing you typed after this was sent. If the machine was set up anew, compare the address that `sotto up` prints there.',
      EXIT.refused,
      error,
    );
  }
  const advice =
    error.action === 'retry' ? 'Is `sotto up` running there? Try again in a moment.' : 'See `sotto --help`.';
  return new PlainError(`${error.message}${rule}`, advice, EXIT.unavailable, error);
}
