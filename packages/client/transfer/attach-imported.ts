/** Keeps the files of an imported message: sealed while they are read, before the message that names them is written. */
import type { JsonValue } from '@sotto/vault';
import { type Attachment, encodeAttachments } from '../attachments/attachment.ts';
import type { Attachments } from '../attachments/attachments.ts';
import { TransferError } from './error.ts';
import type { ForeignFile } from './foreign.ts';

/** @returns the value of the message's field; `leaveOut` is told of files that are not whole */
export type AttachFiles = (
  conversationId: string,
  files: readonly ForeignFile[],
  text: string,
  leaveOut: (file: ForeignFile) => void,
) => Promise<readonly JsonValue[]>;

/** @throws SottoError what the device says that has no room: the import ends there, and can be repeated */
export function attachImported(attachments: Pick<Attachments, 'attach' | 'keep'>): AttachFiles {
  return async (conversationId, files, text, leaveOut) => {
    const kept: Attachment[] = [];
    for (const file of files) {
      try {
        const { name, mediaType, bytes } = file;
        kept.push(await attachments.attach({ name, mediaType, bytes, read: () => file.pieces() }));
      } catch (error) {
        // CL-292: a device without room would lose every file that follows, and say that all was taken
        if (!(error instanceof TransferError)) throw error;
        leaveOut(file);
      }
    }
    await attachments.keep(conversationId, kept);
    return encodeAttachments(kept, text.length * 3);
  };
}
