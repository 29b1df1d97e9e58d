/** Request bodies: bounded before they are held, JSON only where JSON is expected, and never with a passkey's PRF output. */
import { concatBytes } from '@sotto/bytes';
import { parseJson } from '@sotto/wire';
import { ServerError } from './errors.ts';

/** @throws ServerError `too-large`; `bad-request` for a body that was cut */
export async function readBytes(request: Request, limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of piecesOf(request)) {
    length += part.length;
    // SV-07: an uncapped body is memory that anybody may fill.
    if (length > limitBytes) throw new ServerError('too-large');
    parts.push(part);
  }
  return concatBytes(...parts);
}

async function* piecesOf(request: Request): AsyncIterable<Uint8Array> {
  try {
    yield* request.body ?? [];
  } catch (error) {
    // SV-141: whoever hangs up in the middle would write errors of the server into its log.
    throw new ServerError('bad-request', error);
  }
}

/** @throws ServerError `bad-request`, `prf-refused`, `too-large`; WireError when it is not JSON */
export async function readJson(request: Request, limitBytes: number): Promise<unknown> {
  const mediaType = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  // SV-05: form and text bodies are what a foreign page can send without being asked.
  if (mediaType !== 'application/json') throw new ServerError('bad-request');
  const value = parseJson(await readBytes(request, limitBytes), limitBytes);
  // SV-08: with the PRF output the server could open the account's passkey lock.
  if (holdsPrf(value)) throw new ServerError('prf-refused');
  return value;
}

/** Looks at every key, without recursion: nesting is the sender's choice. */
function holdsPrf(value: unknown): boolean {
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, inner] of Object.entries(next)) {
      if (key.toLowerCase() === 'prf') return true;
      pending.push(inner);
    }
  }
  return false;
}
