/** AEAD calls of the node for each token of an answer, in virtual time. */
import { encodeUtf8 } from '@sotto/bytes';
import type { IncomingRequest } from '@sotto/channel/responder';
import { type AeadKey, type Primitives, primitives } from '@sotto/crypto/primitives';
import { createManualClock, openChannelPair } from '@sotto/testkit';
import { round } from '../statistics.ts';

const SECONDS = 10;

/** @param perSecond tokens, each written by itself */
export async function measureCalls(perSecond: number): Promise<Record<string, number>> {
  let [seals, opens] = [0, 0];
  const counted: Primitives = {
    ...primitives,
    importAead: (key) => {
      const aead = primitives.importAead(key) as AeadKey;
      return {
        seal: (nonce, plaintext, aad) => {
          seals += 1;
          return aead.seal(nonce, plaintext, aad);
        },
        open: (nonce, ciphertext, aad) => {
          opens += 1;
          return aead.open(nonce, ciphertext, aad);
        },
      };
    },
  };
  const clock = createManualClock();
  const tokens = SECONDS * perSecond;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const answer = async (request: IncomingRequest) => {
    const writer = request.respond(encodeUtf8('ok'));
    const token = encodeUtf8(' word');
    const writes: Promise<void>[] = [];
    for (let count = 0; count < tokens; count++) {
      writes.push(writer.write(token));
      await clock.sleep(1000 / perSecond);
    }
    await Promise.all(writes);
    await writer.end();
  };
  const pair = await openChannelPair({
    clock,
    profile: 'balanced',
    primitives: counted,
    onRequest: (request) => void answer(request).catch(() => undefined),
  });
  const { body } = pair.channel.request(encodeUtf8('head'));
  void (async () => {
    for await (const _ of body);
    resolve();
  })();
  await clock.advance(100);
  [seals, opens] = [0, 0];
  // Both ends of the pair count: what one seals the other opens, so that each end makes half of the calls.
  let isOver = false;
  void done.then(() => {
    isOver = true;
  });
  while (!isOver) await clock.advance(100);
  const perEnd = (seals + opens) / 2;
  pair.channel.close();
  return { tokens, 'AEAD calls at the node': perEnd, 'tokens per AEAD call': round(tokens / perEnd) };
}
