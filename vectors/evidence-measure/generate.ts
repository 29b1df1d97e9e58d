/**
 * Writes launches.json: one failure each, and launches that are right (spec/evidence-measure.md). Deterministic. Digests that are
 * accepted come from the twin below, which follows the formulas of the specification and not the product's code.
 *
 *   node vectors/evidence-measure/generate.ts
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { concatBytes, encodeBase64, encodeHex, parseHex } from '@sotto/bytes';
import { encodeFirmware, FIRMWARE_GUIDS, type FirmwareFake, guidEntry } from '@sotto/testkit/evidence-measure';
import { littleEndian } from '@sotto/testkit/evidence-tpm';

type Section = readonly [gpa: number, size: number, type: number];
const sections: readonly Section[] = [
  [0x800000, 0x2000, 1],
  [0x80a000, 0x1000, 2],
  [0x80b000, 0x1000, 3],
  [0x80c000, 0x1000, 4],
  [0x80d000, 0x1000, 0x10],
];
const firmware: FirmwareFake = { pages: 2, sections, hashesTableGpa: 0x80dc00, resetEip: 0x80b004 };
const good = encodeFirmware(firmware);
const kernel = { kernel_hash_hex: '11'.repeat(32), initrd_hash_hex: '22'.repeat(32), append: 'quiet' };
const base = { ovmf: encodeBase64(good), vcpus: 2, vcpu_type: 'EPYC-Genoa', guest_features: 1, mode: 'snp' };
const image = (change: Partial<FirmwareFake>) => ({
  ...base,
  ovmf: encodeBase64(encodeFirmware({ ...firmware, ...change })),
});
const bytes = (value: Uint8Array) => ({ ...base, ovmf: encodeBase64(value) });
const published = {
  ovmf_hash_hex: encodeHex(firmwarePages(good)),
  ovmf_sections: sections.map(([gpa, size, section_type]) => ({ gpa, size, section_type })),
  sev_hashes_table_gpa: 0x80dc00,
  sev_es_reset_eip: 0x80b004,
};
const { ovmf: _, ...withoutBytes } = base;

const malformed = { class: 'format', code: 'firmware-malformed' };
const one = (gpa: number, size: number, type: number) => image({ sections: [[gpa, size, type]] });
const rows: [id: string, rule: string, input: object, expect: object][] = [
  ['half-a-page', 'EV-390', bytes(good.slice(0, -2048)), malformed],
  ['no-page', 'EV-390', bytes(new Uint8Array()), malformed],
  ['no-table', 'EV-391', bytes(new Uint8Array(4096)), malformed],
  ['other-footer', 'EV-391', bytes(good.map((byte, at) => (at === good.length - 40 ? byte ^ 1 : byte))), malformed],
  [
    'table-without-length',
    'EV-391',
    { ...bytes(good.map((byte, at) => (at === good.length - 50 || at === good.length - 49 ? 0 : byte))), mode: 'sev' },
    malformed,
  ],
  ['entry-without-length', 'EV-391', image({ entries: [guidEntry('00'.repeat(16), new Uint8Array(4), 0)] }), malformed],
  ['entry-into-nothing', 'EV-391', image({ entries: [guidEntry('00'.repeat(16), new Uint8Array(4), 30)] }), malformed],
  ['entry-twice', 'EV-391', image({ entries: [guidEntry(FIRMWARE_GUIDS.resetBlock, new Uint8Array(4))] }), malformed],
  [
    'entry-too-short',
    'EV-391',
    image({ entries: [guidEntry(FIRMWARE_GUIDS.metadata, new Uint8Array(2))], sections: undefined }),
    malformed,
  ],
  [
    'metadata-before-the-start',
    'EV-392',
    image({ entries: [guidEntry(FIRMWARE_GUIDS.metadata, littleEndian(8193, 4))], sections: undefined }),
    malformed,
  ],
  [
    'metadata-beyond-the-end',
    'EV-391',
    image({ entries: [guidEntry(FIRMWARE_GUIDS.metadata, littleEndian(8, 4))], sections: undefined }),
    malformed,
  ],
  [
    'metadata-not-signed',
    'EV-392',
    image({ entries: [guidEntry(FIRMWARE_GUIDS.metadata, littleEndian(4096, 4))], sections: undefined }),
    malformed,
  ],
  ['metadata-version', 'EV-392', image({ version: 2 }), malformed],
  ['metadata-length', 'EV-392', image({ extraLength: 1 }), malformed],
  ['sections-65', 'EV-392', image({ sections: Array.from({ length: 65 }, (): Section => [0, 4096, 1]) }), malformed],
  ['section-kind', 'EV-392', one(0x800000, 4096, 5), malformed],
  ['section-unaligned', 'EV-392', one(0x800001, 4096, 1), malformed],
  ['section-part-of-a-page', 'EV-392', one(0x800000, 4095, 1), malformed],
  ['section-empty', 'EV-392', one(0x800000, 0, 1), malformed],
  ['cpuid-of-two-pages', 'EV-392', one(0x800000, 8192, 3), malformed],
  ['sections-of-1-gib', 'EV-392', one(0, 0x40000000, 1), malformed],
  [
    'kernel-no-section',
    'EV-393',
    { ...image({ sections: sections.slice(0, 4) }), ...kernel },
    { class: 'policy', code: 'kernel-not-measured' },
  ],
  [
    'kernel-no-table',
    'EV-393',
    { ...encodeWithoutTable(), ...kernel },
    { class: 'policy', code: 'kernel-not-measured' },
  ],
  [
    'kernel-no-table-sev',
    'EV-393',
    { ...encodeWithoutTable(), ...kernel, mode: 'sev' },
    { class: 'policy', code: 'kernel-not-measured' },
  ],
  ['table-beyond-its-page', 'EV-394', { ...image({ hashesTableGpa: 0x80df51 }), ...kernel }, malformed],
  ['table-at-its-page-end', 'EV-394', { ...image({ hashesTableGpa: 0x80df50 }), ...kernel }, accept({ table: 0xf50 })],
  ['no-processor', 'EV-396', { ...base, vcpus: 0 }, { class: 'format', code: 'launch-input-invalid' }],
  ['processors-4097', 'EV-396', { ...base, vcpus: 4097 }, { class: 'format', code: 'launch-input-invalid' }],
  ['processors-without-start', 'EV-396', { ...withoutBytes, ...published, sev_es_reset_eip: 0 }, malformed],
  [
    'hash-alone-sev',
    'EV-397',
    { ...withoutBytes, ...published, mode: 'sev' },
    { class: 'format', code: 'firmware-needed' },
  ],
  [
    'hash-alone-sev-es',
    'EV-397',
    { ...withoutBytes, ...published, mode: 'sev-es' },
    { class: 'format', code: 'firmware-needed' },
  ],
  [
    'hash-of-other-firmware',
    'EV-399',
    { ...base, ovmf_hash_hex: '00'.repeat(48) },
    { class: 'binding', code: 'firmware-hash-mismatch' },
  ],
  ['snp', 'EV-398', { ...base, ...kernel }, accept({ table: 0xc00 })],
  ['snp-without-kernel', 'EV-398', base, accept({ table: undefined })],
  ['snp-from-hash', 'EV-398', { ...withoutBytes, ...published, ...kernel }, accept({ table: 0xc00 })],
  ['snp-gce', 'EV-398', { ...base, vmm_type: 'gce' }, accept({ table: undefined, vmm: 'gce' })],
  ['snp-ec2', 'EV-398', { ...base, vmm_type: 'ec2' }, accept({ table: undefined, vmm: 'ec2' })],
  [
    'sev-es',
    'EV-398',
    { ...base, ...kernel, mode: 'sev-es' },
    { digest_hex: sha(256, good, hashes(), state('qemu', 0, 0n), state('qemu', 1, 0n)).toString('hex') },
  ],
  [
    'sev',
    'EV-398',
    { ...base, ...kernel, mode: 'sev', vcpu_type: undefined, vcpus: 0 },
    { digest_hex: sha(256, good, hashes()).toString('hex') },
  ],
];
const vectors = rows.map(([id, rule, input, expect]) => ({ id, rule, input, expect }));
const file = new URL('launches.json', import.meta.url);
writeFileSync(
  file,
  `${JSON.stringify({ note: 'spec/evidence-measure.md; input as stage measure-snp reads it', vectors }, null, 2)}\n`,
);

function encodeWithoutTable(): object {
  const { hashesTableGpa: _table, ...rest } = firmware;
  return { ...base, ovmf: encodeBase64(encodeFirmware(rest)) };
}

function sha(bits: 256 | 384, ...parts: Uint8Array[]): Buffer {
  return createHash(`sha${bits}`)
    .update(concatBytes(...parts))
    .digest();
}

function page(
  before: Uint8Array,
  type: number,
  address: bigint,
  contents: Uint8Array = new Uint8Array(48),
): Uint8Array {
  const where = new Uint8Array(8);
  new DataView(where.buffer).setBigUint64(0, address, true);
  return sha(384, before, contents, littleEndian(0x70, 2), Uint8Array.of(type, 0, 0, 0, 0, 0), where);
}

function firmwarePages(bytes: Uint8Array): Uint8Array {
  let digest: Uint8Array = new Uint8Array(48);
  for (let at = 0; at < bytes.length; at += 4096) {
    digest = page(digest, 1, BigInt(2 ** 32 - bytes.length + at), sha(384, bytes.slice(at, at + 4096)));
  }
  return digest;
}

function hashes(): Uint8Array {
  const entry = (guid: string, hash: Uint8Array) => concatBytes(parseHex(guid), littleEndian(50, 2), hash);
  return concatBytes(
    parseHex('06d63894224fc94cb479a793d411fd21'),
    littleEndian(168, 2),
    entry('d82dd09720bd944caa78e7714d36ab2a', sha(256, new TextEncoder().encode('quiet\0'))),
    entry('31f7ba442f3ad74b9af141e29169781d', parseHex(kernel.initrd_hash_hex)),
    entry('3794e74dd2ab7f42b835d5b172d2045b', parseHex(kernel.kernel_hash_hex)),
    new Uint8Array(8),
  );
}

/** A processor's page by its bytes: the reset state that all hypervisors share, and what each changes. */
function state(vmm: 'qemu' | 'ec2' | 'gce', index: number, features: bigint): Uint8Array {
  const eip = index === 0 ? 0xfffffff0 : 0x80b004;
  const cs = vmm === 'ec2' && index === 0 ? '9a' : '9b';
  const [ss, tr] = vmm === 'ec2' ? ['92', '83'] : ['93', '8b'];
  const usual = '00009300ffff00000000000000000000';
  const parts: [at: number, hex: string][] = [
    [0x00, usual],
    [0x10, `00f0${cs}00ffff0000${encodeHex(littleEndian((eip & 0xffff0000) >>> 0, 8))}`],
    [0x20, `0000${ss}00ffff00000000000000000000`],
    [0x30, usual],
    [0x40, usual],
    [0x50, usual],
    [0x60, '00000000ffff00000000000000000000'],
    [0x70, '00008200ffff00000000000000000000'],
    [0x80, '00000000ffff00000000000000000000'],
    [0x90, `0000${tr}00ffff00000000000000000000`],
    [0xd0, '0010'],
    [0x148, '40'],
    [0x158, '10'],
    [0x160, '0004'],
    [0x168, 'f00fffff'],
    [0x170, '02'],
    [0x178, encodeHex(littleEndian(eip & 0xffff, 2))],
    [0x268, vmm === 'gce' ? '060107' : '0604070006040700'],
    [0x310, vmm === 'qemu' ? encodeHex(littleEndian(0xa10f10, 4)) : '0006'],
    [0x3b0, encodeHex(littleEndian(Number(features), 8))],
    [0x3e8, '01'],
    ...(vmm === 'qemu'
      ? ([
          [0x408, '801f'],
          [0x410, '7f03'],
        ] as [number, string][])
      : []),
  ];
  const bytes = new Uint8Array(4096);
  for (const [at, hex] of parts) bytes.set(parseHex(hex), at);
  return bytes;
}

function accept({ table, vmm = 'qemu' }: { table: number | undefined; vmm?: 'qemu' | 'ec2' | 'gce' }): object {
  const image = table === 0xf50 ? encodeFirmware({ ...firmware, hashesTableGpa: 0x80df50 }) : good;
  let digest = firmwarePages(image);
  const memory = vmm === 'gce' ? 4 : 3;
  digest = page(page(digest, memory, 0x800000n), memory, 0x801000n);
  digest = page(digest, 5, 0x80a000n);
  if (vmm !== 'ec2') digest = page(digest, 6, 0x80b000n);
  digest = page(digest, 3, 0x80c000n);
  const contents = new Uint8Array(4096);
  if (table !== undefined) contents.set(hashes(), table);
  digest = table === undefined ? page(digest, 3, 0x80d000n) : page(digest, 1, 0x80d000n, sha(384, contents));
  if (vmm === 'ec2') digest = page(digest, 6, 0x80b000n);
  for (const index of [0, 1]) digest = page(digest, 2, 0xfffffffff000n, sha(384, state(vmm, index, 1n)));
  return { digest_hex: encodeHex(digest) };
}
