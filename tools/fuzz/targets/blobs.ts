/** Sealed files: what a hostile server may give back for their parts, and what a device that went wrong may write of them in a message. */
import { encodeBase64, parseBase64, parseHex } from '@sotto/bytes';
import { ATTACHMENT_LIMIT, parseAttachments } from '@sotto/client/attachments';
import { VaultError } from '@sotto/vault';
import { BlobKey, openBlob } from '@sotto/vault/blob';
import { loadVectors, lossyText } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

interface BlobVector {
  readonly key: string;
  readonly expectedBlobId: string;
  readonly expectedLength: number;
  readonly parts: readonly string[];
  readonly expect: unknown;
}
const blobs = loadVectors<BlobVector[]>('vault-blob/blobs.json');
const first = blobs[0] as BlobVector;
/** Whole files that the twin sealed; every one of them may open. */
const KNOWN_BLOBS = new Set(blobs.filter(({ expect }) => expect === 'accept').map(({ parts }) => parts.join()));
const expected = {
  key: new BlobKey(parseHex(first.key)),
  expectedBlobId: parseHex(first.expectedBlobId),
  expectedLength: first.expectedLength,
};
const entry = {
  blobId: first.expectedBlobId,
  key: first.key,
  name: 'swifts.txt',
  mediaType: 'text/plain',
  bytes: 9000,
  thumbnail: { mediaType: 'image/jpeg', data: 'AAAA' },
};

export const blobTargets: readonly Target[] = [
  {
    name: 'vault/blob',
    errors: [VaultError],
    share: 2000,
    corpus: () => blobs.map(({ parts }): Input => parts.map((part) => parseBase64(part))),
    async run(parts) {
      const opener = await openBlob(expected, parts[0] ?? new Uint8Array());
      for (let i = 0; i < Math.max(opener.parts, parts.length); i++) await opener.open(i, parts[i] ?? new Uint8Array());
      insist(KNOWN_BLOBS.has(parts.map(encodeBase64).join()), 'a file that nobody sealed was opened');
    },
  },
  {
    name: 'client/attachments',
    errors: [],
    corpus: () => [[new TextEncoder().encode(JSON.stringify([entry, entry]))], [new TextEncoder().encode('[]')]],
    run([part = new Uint8Array(0)]) {
      let value: unknown;
      try {
        value = JSON.parse(lossyText(part));
      } catch {
        return 'not-json';
      }
      const read = parseAttachments(value as Parameters<typeof parseAttachments>[0]);
      insist(read.length <= ATTACHMENT_LIMIT, 'more files than a message may have');
      for (const { blobId, bytes, name } of read) {
        insist(/^[0-9a-f]{32}$/.test(blobId), 'an id that is a path');
        insist(Number.isSafeInteger(bytes) && bytes >= 0 && name.length <= 255, 'a length or name without an end');
      }
      return undefined;
    },
  },
];
