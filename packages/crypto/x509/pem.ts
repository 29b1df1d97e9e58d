/** PEM (RFC 7468), strictly: what stands between the lines is one base64 text, and what stands around them is nothing. */
import { parseBase64 } from '@sotto/bytes';
import { CertificateError } from './error.ts';

/** Room for the longest revocation list in base64. */
const PEM_LIMIT = 2 * 1024 * 1024;

function notPem(message: string, cause?: unknown): CertificateError {
  return new CertificateError('pem-malformed', 'EV-360', message, cause);
}

/**
 * The blocks of one label, in order; there is at least one. Lines end with LF or CRLF, and may have any length.
 *
 * @param label such as `CERTIFICATE` or `X509 CRL`
 * @param limitBlocks how many there may be
 * @throws CertificateError `pem-malformed`
 */
export function parsePem(text: string, label: string, limitBlocks = 8): Uint8Array<ArrayBuffer>[] {
  // EV-360: without a limit the input decides how much time reading it takes.
  if (text.length > PEM_LIMIT) throw notPem('the text is longer than its limit');
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  let body: string[] | undefined;
  for (const line of linesOf(text)) {
    if (body === undefined && line === begin) body = [];
    else if (body !== undefined && line === end) {
      // EV-360: a hundred certificates where three belong would all be parsed.
      if (blocks.length === limitBlocks) throw notPem('there are too many blocks');
      blocks.push(decode(body));
      body = undefined;
    } else if (body !== undefined) {
      // EV-360: an empty line in a block would be read over, and another could be put there unseen.
      if (line === '') throw notPem('there is an empty line in a block');
      body.push(line);
    } else {
      // EV-360: text around a block would be read over, and could be changed unseen.
      if (line !== '') throw notPem('there is text that belongs to no block');
    }
  }
  // EV-360: a block that does not end may have been cut off.
  if (body !== undefined) throw notPem('the last block does not end');
  // EV-360: a chain of no certificates has nothing to refuse.
  if (blocks.length === 0) throw notPem('there is no block with this label');
  return blocks;
}

/** One by one: millions of empty lines are not to be in memory at once. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    yield text.slice(start, found > start && text[found - 1] === '\r' ? end - 1 : end);
    start = end + 1;
  }
}

function decode(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  try {
    return parseBase64(lines.join(''));
  } catch (error) {
    throw notPem('a block is not base64', error);
  }
}
