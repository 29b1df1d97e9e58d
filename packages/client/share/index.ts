/** Sharing a chat by a link (spec/client.md "Sharing"). Loaded when somebody shares, or opens a link. */
export {
  copyOf,
  openShared,
  SHARE_FRAGMENT,
  type SharedLink,
  type SharePorts,
  shareChat,
  sharedLinks,
  takeBack,
} from './share.ts';
