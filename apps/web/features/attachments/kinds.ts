/** What a file is taken for: by its name and what its system said, never by what is in it. Nothing here runs or renders a file. */

export type FileKind = 'text' | 'picture' | 'other';

const TEXT_NAMES =
  /\.(txt|md|markdown|csv|tsv|json|jsonl|yaml|yml|toml|ini|log|xml|html?|css|scss|js|mjs|cjs|ts|tsx|jsx|py|rb|rs|go|java|kt|c|h|cc|cpp|hpp|cs|php|swift|sh|sql|r|tex|diff|patch|srt|vtt)$/i;
const TEXT_TYPES = /^(text\/[\w.+-]+|application\/(json|xml|x-yaml|toml|sql))$/;
/** What a canvas reads and writes again. SVG is not among them: it is a document, which can hold programs. */
const PICTURE_TYPES = /^image\/(jpeg|png|webp|gif|avif|bmp)$/;

export function kindOf({ name, mediaType }: { readonly name: string; readonly mediaType: string }): FileKind {
  if (PICTURE_TYPES.test(mediaType)) return 'picture';
  if (TEXT_NAMES.test(name) || TEXT_TYPES.test(mediaType)) return 'text';
  return 'other';
}
