/** One of several, each as likely as the others. */
import { ByteReader } from '@sotto/bytes';
import type { Random } from '@sotto/ports';

export function chooseOne<T>(items: readonly T[], random: Random): T | undefined {
  if (items.length === 0) return undefined;
  // Values above the last whole multiple would favour the first items; they are drawn again.
  const limit = 2 ** 32 - (2 ** 32 % items.length);
  for (;;) {
    const drawn = new ByteReader(random.bytes(4)).u32();
    if (drawn < limit) return items[drawn % items.length];
  }
}
