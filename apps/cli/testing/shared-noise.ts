/** The shared Noise vectors in the words of the judge: each file spells its fields in its own way. */
import { existsSync, readFileSync } from 'node:fs';

export interface NoiseCase {
  readonly id: string;
  readonly stage: 'noise';
  readonly input: {
    readonly messages: readonly { payload: string; ciphertext: string }[];
    readonly [name: string]: unknown;
  };
}

const ROOT = process.env.SOTTO_VECTORS ?? new URL('../../../../shared/vectors', import.meta.url).pathname;

export const areSharedVectorsAbsent = !existsSync(`${ROOT}/noise`) && process.env.SOTTO_REQUIRE_VECTORS !== '1';

/** Words about a vector, not parts of it. */
const DESCRIPTIVE = new Set(['name', 'pattern', 'dh', 'hybrid', 'cipher', 'hash']);

type Row = Record<string, unknown> & { name?: string; protocol?: string };

/** @returns all 1,423, in the order of their files */
export function loadSharedNoiseCases(): NoiseCase[] {
  const files = ['cacophony.txt', 'snow.txt', 'noise-c-hybrid.448.shared.json', 'xxhfs-mlkem768-v1.json'];
  return files.flatMap((file) => {
    const { vectors } = JSON.parse(readFileSync(`${ROOT}/noise/${file}`, 'utf8')) as { vectors: Row[] };
    return vectors.map((row, index) => ({
      id: `${file} ${index}`,
      stage: 'noise' as const,
      input: (row.protocol === undefined ? fromNoiseC(row) : fromLibp2p(row)) as NoiseCase['input'],
    }));
  });
}

/** cacophony and snow say `protocol_name`, noise-c says `name` and describes it in its parts. */
function fromNoiseC(row: Row): Row {
  const kept = Object.fromEntries(Object.entries(row).filter(([name]) => !DESCRIPTIVE.has(name)));
  return row.name === undefined ? kept : { ...kept, protocol_name: row.name };
}

function fromLibp2p(row: Row): Row {
  return {
    protocol_name: row.protocol,
    init_prologue: row.prologue,
    resp_prologue: row.prologue,
    init_static: row.static_i_private,
    resp_static: row.static_r_private,
    init_ephemeral: row.ephemeral_dh_i_private,
    resp_ephemeral: row.ephemeral_dh_r_private,
    kem_i_seed_d_z: row.kem_i_seed_d_z,
    encap_seed: row.encap_seed,
    messages: ['msg_a', 'msg_b', 'msg_c'].map((name) => ({ payload: '', ciphertext: row[name] })),
    handshake_hash: row.handshake_hash,
  };
}
