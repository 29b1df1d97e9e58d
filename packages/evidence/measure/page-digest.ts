/**
 * The chain of SHA-384 that a launch digest is (SEV-SNP ABI, PAGE_INFO). spec/evidence-measure.md §pages.
 *
 *   digest ← SHA-384(digest ‖ [48] contents ‖ u16 112 ‖ u8 type ‖ u8 0 ‖ u8 0, 0, 0, 0 ‖ u64 address), little-endian
 */
import { sha384 } from '@sotto/crypto/hash';
import { PAGE_BYTES } from './firmware.ts';

const DIGEST_BYTES = 48;
const INFO_BYTES = 112;
const TYPE_AT = 2 * DIGEST_BYTES + 2;
const ADDRESS_AT = INFO_BYTES - 8;
const TYPE = { normal: 1, processor: 2, zero: 3, unmeasured: 4, secrets: 5, cpuid: 6 } as const;
/** Where each processor's page is counted, wherever it lies. */
const PROCESSOR_ADDRESS = 0xffff_ffff_f000;
const ZEROS = new Uint8Array(DIGEST_BYTES);

/** Pages in the order in which the host adds them. */
export class PageDigest {
  #value: Uint8Array;

  /** @param start 48 bytes: what earlier pages came to */
  constructor(start: Uint8Array = ZEROS) {
    this.#value = start;
  }

  get value(): Uint8Array {
    return this.#value;
  }

  /** Pages with contents that count. */
  addData(gpa: number, data: Uint8Array): this {
    for (let at = 0; at < data.length; at += PAGE_BYTES) {
      this.#add(TYPE.normal, gpa + at, sha384(data.subarray(at, at + PAGE_BYTES)));
    }
    return this;
  }

  addZeros(gpa: number, sizeBytes: number): void {
    for (let at = 0; at < sizeBytes; at += PAGE_BYTES) this.#add(TYPE.zero, gpa + at, ZEROS);
  }

  /** Pages whose contents the host may choose. */
  addUnmeasured(gpa: number, sizeBytes: number): void {
    for (let at = 0; at < sizeBytes; at += PAGE_BYTES) this.#add(TYPE.unmeasured, gpa + at, ZEROS);
  }

  addSecrets(gpa: number): void {
    this.#add(TYPE.secrets, gpa, ZEROS);
  }

  addCpuid(gpa: number): void {
    this.#add(TYPE.cpuid, gpa, ZEROS);
  }

  addProcessor(state: Uint8Array): void {
    this.#add(TYPE.processor, PROCESSOR_ADDRESS, sha384(state));
  }

  #add(type: number, gpa: number, contents: Uint8Array): void {
    const info = new Uint8Array(INFO_BYTES);
    info.set(this.#value);
    info.set(contents, DIGEST_BYTES);
    const view = new DataView(info.buffer);
    view.setUint16(2 * DIGEST_BYTES, INFO_BYTES, true);
    view.setUint8(TYPE_AT, type);
    view.setBigUint64(ADDRESS_AT, BigInt(gpa), true);
    this.#value = sha384(info);
  }
}
