/**
 * `sotto measure`: the launch digest that a guest of AMD SEV-SNP must report for the files of a release (spec/evidence-measure.md).
 * Offline. What it prints belongs into a policy's `measurements`.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { encodeHex } from '@sotto/bytes';
import { JudgementError } from '@sotto/evidence/judgement';
import {
  type Firmware,
  firmwareHash,
  HYPERVISORS,
  LAUNCH_MODES,
  type Launch,
  launchDigest,
  PROCESSORS,
  parseFirmware,
} from '@sotto/evidence/measure';
import { defineCommand } from 'citty';
import { EXIT, PlainError } from '../plain-error.ts';

export const measureCommand = defineCommand({
  meta: { name: 'measure' },
  args: {
    ovmf: { type: 'string' },
    kernel: { type: 'string' },
    initrd: { type: 'string' },
    append: { type: 'string' },
    vcpus: { type: 'string', default: '1' },
    'vcpu-type': { type: 'string' },
    vmm: { type: 'string', default: 'qemu' },
    'guest-features': { type: 'string', default: '0x1' },
    mode: { type: 'string', default: 'snp' },
    json: { type: 'boolean', default: false },
  },
  async run({ args }) {
    if (args.ovmf === undefined) throw misused('`sotto measure` needs the firmware: --ovmf FILE.');
    const mode = oneOf('--mode', LAUNCH_MODES, args.mode);
    const hypervisor = oneOf('--vmm', HYPERVISORS, args.vmm);
    const kernel = kernelOf(args);
    const processors = wholeNumber('--vcpus', args.vcpus);
    const isModelMeasured = hypervisor === 'qemu' && mode !== 'sev';
    const model = isModelMeasured ? oneOf('--vcpu-type', Object.keys(PROCESSORS), args['vcpu-type'] ?? '') : undefined;
    const guestFeatures = wholeNumber('--guest-features', args['guest-features']);
    const measured = inPlainWords(() => {
      const firmware = parseFirmware(readOrSay(args.ovmf as string));
      const launch: Launch = {
        ...{ mode, hypervisor, firmware, kernel },
        processors: Number(processors),
        processorSignature: model === undefined ? 0 : (PROCESSORS[model] as number),
        guestFeatures,
      };
      return { digest: encodeHex(launchDigest(launch)), firmware };
    });
    const { digest, firmware } = measured;
    process.stdout.write(`${args.json ? asJson(digest, firmware, kernel) : asText(digest, kernel)}\n`);
  },
});

function asText(digest: string, kernel: Launch['kernel']): string {
  if (kernel !== undefined) return digest;
  return `${digest}\nNo kernel was given: the digest says nothing of which one is started.`;
}

/** With what a release publishes beside the digest, so that nobody needs the firmware to compute it again. */
function asJson(
  digest: string,
  { bytes, sections, hashesTableGpa, resetEip }: Firmware,
  kernel: Launch['kernel'],
): string {
  return JSON.stringify({
    digest,
    ovmf_hash: encodeHex(firmwareHash(bytes)),
    ovmf_sections: sections.map(({ gpa, sizeBytes: size, type }) => ({ gpa, size, section_type: type })),
    sev_hashes_table_gpa: hashesTableGpa ?? 0,
    sev_es_reset_eip: resetEip ?? 0,
    ...(kernel && {
      kernel_hash: encodeHex(kernel.kernelHash),
      ...(kernel.initrdHash && { initrd_hash: encodeHex(kernel.initrdHash) }),
      append: kernel.commandLine,
    }),
  });
}

function kernelOf(args: {
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly append?: string | undefined;
}): Launch['kernel'] {
  if (args.kernel !== undefined) {
    const initrdHash = args.initrd === undefined ? undefined : hashOf(args.initrd);
    return { kernelHash: hashOf(args.kernel), initrdHash, commandLine: args.append ?? '' };
  }
  if (args.initrd === undefined && args.append === undefined) return undefined;
  throw misused('--initrd and --append are measured only with --kernel FILE.');
}

function hashOf(path: string): Uint8Array {
  return createHash('sha256').update(readOrSay(path)).digest();
}

function readOrSay(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new PlainError(`The file ${path} cannot be read.`, 'Is the name right?', EXIT.noInput, error);
  }
}

function oneOf<const Word extends string>(option: string, words: readonly Word[], given: string): Word {
  const word = words.find((one) => one === given);
  if (word === undefined) throw misused(`${option} is one of: ${words.join(', ')}.`);
  return word;
}

/** Decimal, or hex behind 0x; at most 64 bits. */
function wholeNumber(option: string, text: string): bigint {
  const value = /^(?:\d{1,20}|0x[0-9a-f]{1,16})$/i.test(text) ? BigInt(text) : undefined;
  if (value === undefined || value >= 2n ** 64n) throw misused(`${option} is a whole number, such as 4 or 0x1.`);
  return value;
}

function inPlainWords<Value>(measure: () => Value): Value {
  try {
    return measure();
  } catch (error) {
    if (!(error instanceof JudgementError)) throw error;
    const sentence = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
    throw new PlainError(
      `${sentence} (rule ${error.rule}, ${error.code})`,
      'See spec/evidence-measure.md.',
      EXIT.noInput,
      error,
    );
  }
}

function misused(message: string): PlainError {
  return new PlainError(message, 'See `sotto --help`.', EXIT.usage);
}
