/** Sealing of what the engine keeps on this device, under the local key and the value's name (spec/client.md "On this device"). */
import type { Random } from '@sotto/ports';
import { type LocalOwner, openLocal, sealLocal } from '@sotto/vault';

type Bytes = Uint8Array<ArrayBuffer>;

export interface LocalSeal {
  seal(name: string, content: Uint8Array): Promise<Bytes>;
  /** @throws SottoError for what was not sealed here, or under another name */
  open(name: string, sealed: Uint8Array): Promise<Bytes>;
}

export function localSeal(owner: LocalOwner, random: Random): LocalSeal {
  return {
    seal: (name, content) => sealLocal(owner, name, content, random),
    open: (name, sealed) => openLocal(owner, name, sealed),
  };
}
