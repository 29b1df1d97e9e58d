/** Whom a limit by address counts: who has one IPv6 address has 2^64 of them, and an IPv4 address may be spelled as an IPv6 one. */

/** @param address as the operating system spells it @returns an IPv4 address, or the first 64 bits of an IPv6 one */
export function networkOf(address: string): string {
  const text = address.replace(/^::ffff:(?=\d+\.)/i, '');
  // SV-137: limits by address would bind nobody who has IPv6.
  if (text.includes(':')) return firstGroups(text).join(':');
  return text;
}

/** The first four of the eight groups. */
function firstGroups(address: string): string[] {
  const [head = '', tail = ''] = address.split('::');
  const [left, right] = [head.split(':'), tail.split(':')];
  const zeros = address.includes('::') ? Array.from({ length: 8 - left.length - right.length }, () => '0') : [];
  return [...left, ...zeros, ...right].slice(0, 4).map((group) => group || '0');
}
