/**
 * One pass over much memory for many secrets. A freed block loses its first bytes to the allocator, so each form is looked
 * for by both of its halves.
 */

export interface Secret {
  readonly name: string;
  readonly bytes: Buffer;
  readonly kind: 'text' | 'key';
}

interface Piece {
  readonly bytes: Buffer;
  readonly told: string;
}

const PIECE_BYTES = 12;
const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** The forms in which a secret may lie in memory. */
function formsOf({ bytes, kind }: Secret): readonly (readonly [string, Buffer])[] {
  const base64 = ([0, 1, 2] as const).map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const whole = text.slice([0, 2, 3][shift], Math.floor(((shift + bytes.length) * 8) / 6));
    return [`base64+${shift}`, latin1(whole)] as const;
  });
  const forms = [['raw', bytes], ['hex', latin1(bytes.toString('hex'))], ...base64] as const;
  return kind === 'key' ? forms : [...forms, ['utf-16le', Buffer.from(bytes.toString(), 'utf16le')]];
}

export class Needles {
  readonly #byHead = new Map<number, Piece[]>();
  readonly #heads = new Uint8Array(65_536);
  readonly #found = new Set<string>();
  searchedBytes = 0;

  constructor(secrets: readonly Secret[]) {
    for (const secret of secrets) {
      for (const [form, bytes] of formsOf(secret)) {
        const told = `${secret.name} as ${form}`;
        this.#add(bytes.subarray(0, PIECE_BYTES), told);
        this.#add(bytes.subarray(bytes.length - PIECE_BYTES), told);
      }
    }
  }

  /** `secret as form`, each once, of everything searched so far. */
  get found(): readonly string[] {
    return [...this.#found].sort();
  }

  search(bytes: Buffer): void {
    this.searchedBytes += bytes.length;
    const last = bytes.length - PIECE_BYTES;
    for (let at = 0; at <= last; at++) {
      if (this.#heads[((bytes[at] as number) << 8) | (bytes[at + 1] as number)] === 0) continue;
      for (const piece of this.#byHead.get(bytes.readInt32LE(at)) ?? []) {
        if (piece.bytes.compare(bytes, at, at + PIECE_BYTES) === 0) this.#found.add(piece.told);
      }
    }
  }

  #add(bytes: Buffer, told: string): void {
    const head = bytes.readInt32LE(0);
    this.#byHead.set(head, [...(this.#byHead.get(head) ?? []), { bytes, told }]);
    this.#heads[((bytes[0] as number) << 8) | (bytes[1] as number)] = 1;
  }
}
