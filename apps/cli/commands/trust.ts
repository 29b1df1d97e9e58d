/** `sotto trust`: the fingerprints that this person accepts. */
import { defineCommand } from 'citty';
import { dataFolderAt } from '../data-folder.ts';
import { loadPins, parsePinnedAddress, savePins } from '../pins.ts';
import { EXIT, PlainError } from '../plain-error.ts';

const data = { type: 'string' } as const;

export const trustCommand = defineCommand({
  meta: { name: 'trust' },
  subCommands: {
    add: defineCommand({
      args: { address: { type: 'positional', required: true }, data },
      run({ args }) {
        const { pins: path } = dataFolderAt(args.data, process.env);
        const { origin, fingerprint } = parsePinnedAddress(args.address);
        if (fingerprint === undefined) {
          throw new PlainError(
            'There is no fingerprint after a #.',
            'Copy the whole line that `sotto up` printed.',
            EXIT.usage,
          );
        }
        const others = loadPins(path).filter((pin) => pin.origin !== origin);
        savePins(path, [...others, { origin, fingerprint, addedAtMs: Date.now() }]);
        process.stdout.write(`Remembered: ${origin} is trusted with fingerprint ${fingerprint}\n`);
      },
    }),
    list: defineCommand({
      args: { data },
      run({ args }) {
        const pins = loadPins(dataFolderAt(args.data, process.env).pins);
        const lines = pins.map(
          (pin) => `${pin.origin}  ${pin.fingerprint}  since ${new Date(pin.addedAtMs).toISOString().slice(0, 10)}`,
        );
        process.stdout.write(`${lines.join('\n') || 'Nothing is remembered yet.'}\n`);
      },
    }),
    remove: defineCommand({
      args: { address: { type: 'positional', required: true }, data },
      run({ args }) {
        const { pins: path } = dataFolderAt(args.data, process.env);
        const { origin } = parsePinnedAddress(args.address);
        const pins = loadPins(path);
        const kept = pins.filter((pin) => pin.origin !== origin);
        if (kept.length === pins.length)
          throw new PlainError(`${origin} is not remembered.`, 'See `sotto trust list`.', EXIT.noInput);
        savePins(path, kept);
        process.stdout.write(`Forgotten: ${origin}\n`);
      },
    }),
  },
});
