/** The person attaches two files, and opens the first on a device that has nothing but the server's word. */
import { randomBytes } from 'node:crypto';
import { equalBytes } from '@sotto/bytes';
import { ServerApi } from '@sotto/client';
import { draftAccount, registerAccount } from '@sotto/client/accounts';
import { Attachments, remoteBlobs } from '@sotto/client/attachments';
import type { Clock, Fetch, Random } from '@sotto/ports';
import { createMemoryDeviceStore, createMemorySealedStore } from '@sotto/testkit';
import { createRecoveryCode } from '@sotto/vault';

/** Three parts, so that one can be cut from the end. */
const FILE_BYTES = 600_000;

export async function openFile(ports: { clock: Clock; random: Random; fetch: Fetch }, url: string): Promise<string> {
  const { clock, random, fetch } = ports;
  const accountPorts = { api: new ServerApi(fetch, url), random, clock, device: createMemoryDeviceStore() };
  const account = await registerAccount(accountPorts, await draftAccount(createRecoveryCode(random).code, random));
  const onDevice = () =>
    new Attachments({
      sealed: createMemorySealedStore(),
      owner: { accountId: account.accountId, key: account.accountKey },
      clock,
      random,
      takingTurns: (_, work) => work(),
      remote: remoteBlobs(fetch, url),
    });
  const files = onDevice();
  const contents = [new Uint8Array(randomBytes(FILE_BYTES)), new Uint8Array(randomBytes(FILE_BYTES))] as const;
  const attachments = await Promise.all(
    contents.map((bytes, i) =>
      files.attach({
        name: `file ${i}`,
        mediaType: 'application/octet-stream',
        bytes: bytes.length,
        read: async function* () {
          yield bytes;
        },
      }),
    ),
  );
  await files.keep('chat', attachments);
  await files.push();
  if (files.state.problem !== undefined) throw files.state.problem;
  const [first] = attachments;
  if (first === undefined) throw new Error('nothing was attached');
  const opened = await onDevice().read(first, 'chat');
  return equalBytes(opened, contents[0]) ? 'their own file' : 'another file than theirs';
}
