/** The pictures and files of one of ChatGPT's messages. The export names them by ids; what they are lies beside the chats, or not. */
import { FILES_LIMIT, type FindFile, type ForeignFile, isObject, type LeaveOut, stringOf } from './foreign.ts';

type Json = Readonly<Record<string, unknown>>;

/** Pictures stand among the parts, files beside them; a picture that a person sent stands in both. */
export function filesOf(
  parts: readonly unknown[],
  attachments: unknown,
  leaveOut: LeaveOut,
  findFile: FindFile,
): ForeignFile[] {
  const listed: readonly unknown[] = Array.isArray(attachments) ? attachments : [];
  const described = listed.filter(isObject);
  const files: ForeignFile[] = [];
  const take = (kind: ForeignFile['kind'], id: string | undefined, about: Json | undefined): void => {
    const found = id === undefined || files.length >= FILES_LIMIT ? undefined : findFile(id);
    if (found === undefined) {
      leaveOut(kind);
      return;
    }
    const { entryName, bytes, pieces } = found;
    const name = stringOf(about?.name) ?? entryName.slice(entryName.lastIndexOf('/') + 1);
    const ending = /\.(png|webp|gif)$/i.exec(name)?.[1]?.toLowerCase() ?? 'jpeg';
    const mediaType =
      stringOf(about?.mime_type) ?? (kind === 'images' ? `image/${ending}` : 'application/octet-stream');
    files.push({ kind, name, mediaType, bytes, pieces });
  };
  for (const part of parts) {
    if (!isObject(part) || part.content_type !== 'image_asset_pointer') continue;
    const id = stringOf(part.asset_pointer)?.replace(/^[a-z-]+:\/\//, '');
    const about = described.find((each) => each.id === id);
    take('images', id, about);
  }
  for (const about of described) {
    if (!String(about.mime_type).startsWith('image/')) take('files', stringOf(about.id), about);
  }
  leaveOut('files', listed.length - described.length);
  return files;
}
