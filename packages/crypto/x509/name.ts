/** The one part of a name that is read: chains compare whole names by their bytes. */
import { BytesError, parseUtf8 } from '@sotto/bytes';
import { parseDer } from './der.ts';
import { DerFields, readObjectIdentifier } from './der-values.ts';

const COMMON_NAME = '2.5.4.3';

/** The common name of a name in DER (`Certificate.subject`, `.issuer`); undefined unless there is exactly one, in UTF-8. */
export function commonName(name: Uint8Array): string | undefined {
  const found: Uint8Array[] = [];
  for (const set of parseDer(name).children) {
    for (const attribute of set.children) {
      const fields = new DerFields(attribute);
      const isCommonName = readObjectIdentifier(fields.next()) === COMMON_NAME;
      const { content } = fields.next();
      if (isCommonName) found.push(content);
    }
  }
  try {
    return found[0] === undefined || found.length > 1 ? undefined : parseUtf8(found[0]);
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}
