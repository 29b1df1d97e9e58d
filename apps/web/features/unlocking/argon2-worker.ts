/**
 * The worker in which a passphrase is stretched; the server's answer for this file alone allows WebAssembly, and nothing else
 * (apps/server/security-headers.ts). One message in, 32 bytes out, then it is ended.
 */
import { argon2id } from '@sotto/crypto/argon2';
import type { StretchRequest } from '@sotto/ports';

const answer = postMessage as (message: unknown) => void;

addEventListener('message', ({ data }: MessageEvent<StretchRequest>) => {
  argon2id(data).then(answer, () => answer(undefined));
});
