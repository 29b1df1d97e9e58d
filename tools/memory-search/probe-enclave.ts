/**
 * The real enclave with an engine whose answers hold a secret that only computing brings forth, and a door to its memory:
 * for the search of what an answer leaves behind. Never part of the product, which refuses to start where its memory can be
 * read (EN-22). Flags: --data DIR [--plant]. Messages: `{snapshot: FILE}`, answered with `{done: FILE}`.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encodeUtf8 } from '@sotto/bytes';
import { deriveRoots } from '@sotto/channel/recovery';
import { hmacSha256 } from '@sotto/crypto/hash';
import type { Engine } from '../../apps/enclave/engine.ts';
import { KeptAnswers } from '../../apps/enclave/kept-answers.ts';
import { startEnclave } from '../../apps/enclave/start.ts';

const { values } = parseArgs({ options: { data: { type: 'string' }, plant: { type: 'boolean' } } });

/** What a control run must find: the same secrets, held on purpose, in the forms in which one could keep them. */
const planted: unknown[] = [];

const WORDS = 40;
const engine: Engine = {
  model: { id: 'probe', label: 'Probe', parameters: 0, contextTokens: 100_000, starter: false },
  async *generate({ messages, signal }) {
    const prompt = messages.at(-1)?.content ?? '';
    const answer = answerTo(prompt);
    if (values.plant) plant(prompt, answer);
    for (let index = 0; index < WORDS && !signal.aborted; index++) {
      await delay(25);
      yield { text: index % 4 === 0 ? ` ${answer}` : ' and' };
    }
    yield { finish: 'stop', promptTokens: 1, completionTokens: WORDS };
  },
  close: async () => undefined,
};

/** The secret of the answer: it stands in no file and in no request. */
function answerTo(prompt: string): string {
  const secret = /prompt-[a-z0-9]+/.exec(prompt)?.[0] ?? '';
  return `answer-${createHash('sha256').update(secret).digest('hex').slice(0, 40)}`;
}

function plant(prompt: string, answer: string): void {
  const secret = /prompt-[a-z0-9]+/.exec(prompt)?.[0] ?? '';
  for (const text of [secret, answer]) {
    const bytes = Buffer.from(text);
    planted.push(
      bytes.toString(),
      bytes.toString('hex'),
      bytes.toString('base64'),
      bytes,
      Buffer.from(text, 'utf16le'),
    );
  }
}

if (values.plant) {
  const begin = KeptAnswers.prototype.begin;
  KeptAnswers.prototype.begin = function keepKeys(recoveryKey, reader, stop) {
    const chain = deriveRoots(recoveryKey).chainKey;
    planted.push(recoveryKey.slice(), chain, hmacSha256(chain, encodeUtf8('sotto/recovery/chunk/v1')));
    return begin.call(this, recoveryKey, reader, stop);
  };
}

const enclave = await startEnclave({ engine, dataDir: values.data ?? '', port: 0 });
process.stdout.write(
  `${JSON.stringify({ ready: true, url: enclave.url, nodeId: enclave.nodeId, devFingerprint: enclave.devFingerprint })}\n`,
);

setFlagsFromString('--heap-snapshot-string-limit=100000000');
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

process.on('message', async ({ snapshot }: { snapshot: string }) => {
  for (let round = 0; round < 6; round++) {
    collect();
    await delay(30);
  }
  writeHeapSnapshot(snapshot);
  process.send?.({ done: snapshot, planted: planted.length });
});
process.once('disconnect', () => process.exit(0));
