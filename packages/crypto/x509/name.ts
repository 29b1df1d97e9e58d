/** The one part of a name that is read: chains compare whole names by their bytes. */
import { parseUtf8 } from '@sotto/bytes';
import { parseDer } from './der.ts';
import { DerFields, readObjectIdentifier } from './der-values.ts';

const COMMON_NAME = '2.5.4.3';

/**
 * The common name of a name in DER (`Certificate.subject`, `.issuer`); undefined when there is none, or more than one.
 *
 * @throws CertificateError `der-malformed`, BytesError for text that is not UTF-8
 */
export function commonName(name: Uint8Array): string | undefined {
  const found: string[] = [];
  for (const set of parseDer(name).children) {
    for (const attribute of set.children) {
      const fields = new DerFields(attribute);
      const isCommonName = readObjectIdentifier(fields.next()) === COMMON_NAME;
      const { content } = fields.next();
      if (isCommonName) found.push(parseUtf8(content));
    }
  }
  return found.length === 1 ? found[0] : undefined;
}
