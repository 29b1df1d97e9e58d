/** Files that go with messages (spec/client.md "Files"): apart from the rest, so that an app loads them when somebody attaches or opens one. */
export {
  ATTACHMENT_LIMIT,
  type Attachment,
  encodeAttachments,
  parseAttachments,
  THUMBNAIL_LIMIT_BYTES,
  type Thumbnail,
} from './attachment.ts';
export { type AttachmentPorts, Attachments, type FileToAttach, type TransferState, type Usage } from './attachments.ts';
export { LOCAL_LIMITS, type LocalLimits } from './limits.ts';
export { type RemoteBlobs, remoteBlobs } from './remote-blobs.ts';
