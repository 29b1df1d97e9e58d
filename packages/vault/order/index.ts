/** The order of a history (spec/vault.md, "Order"): folders, where a conversation stands, and order keys. */
export {
  type Arrangement,
  arrangementOf,
  normalTag,
  type Retention,
  retentionOf,
  TAG_PREFIX,
  withRoom,
} from './arrangement.ts';
export {
  buildFolders,
  encodeFolder,
  FILE_PREFIX,
  FOLDER_TYPE,
  type Folder,
  type FolderContent,
  parseFolder,
} from './folder.ts';
export { MEMORY_SETTING, type Memory, memoriesOf } from './memory.ts';
export { comparePlaced, isOrderKey, ORDER_KEY_LIMIT, orderKeyBetween, type Placed, place } from './order-key.ts';
