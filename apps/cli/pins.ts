/**
 * Fingerprints of development machines that this person has accepted (`sotto trust add URL#FINGERPRINT`). The file is
 * the person's own, mode 0600. A server whose machine shows another fingerprint is never talked to.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXIT, explainWriteError, PlainError } from './plain-error.ts';

export interface Pin {
  /** `http://localhost:7070` */
  readonly origin: string;
  /** 64 hex digits. */
  readonly fingerprint: string;
  readonly addedAtMs: number;
}

/** The address that `sotto up` prints: `URL#dev=FINGERPRINT`, or `URL#FINGERPRINT`. */
export interface PinnedAddress {
  readonly origin: string;
  readonly fingerprint: string | undefined;
}

/** @throws PlainError unless it is an http(s) address, with a fingerprint of 64 hex digits or none */
export function parsePinnedAddress(text: string): PinnedAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new PlainError(
      `${JSON.stringify(text)} is no address.`,
      'Copy the whole line that `sotto up` printed.',
      EXIT.usage,
    );
  }
  const fragment = url.hash.replace(/^#(dev=)?/, '');
  if (fragment === '') return { origin: url.origin, fingerprint: undefined };
  if (!/^[0-9a-f]{64}$/.test(fragment)) {
    throw new PlainError(
      'The fingerprint after # is not 64 hex digits.',
      'Copy the whole line that `sotto up` printed.',
      EXIT.usage,
    );
  }
  return { origin: url.origin, fingerprint: fragment };
}

/** @throws PlainError when the file is damaged: a pin must not be lost in silence */
export function loadPins(path: string): readonly Pin[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const { pins } = JSON.parse(text) as { pins?: unknown };
    if (!Array.isArray(pins)) throw new Error('no list');
    return (pins as Partial<Pin>[]).map((pin) => {
      const { origin, fingerprint } = parsePinnedAddress(`${pin.origin}#${pin.fingerprint}`);
      if (fingerprint === undefined) throw new Error('no fingerprint');
      return { origin, fingerprint, addedAtMs: Number(pin.addedAtMs) || 0 };
    });
  } catch (error) {
    throw new PlainError(
      `The list of trusted machines is damaged: ${path}`,
      'Look at it, remove it, and add what you trust again with `sotto trust add`.',
      EXIT.configuration,
      error,
    );
  }
}

/** Written whole or not at all, readable by this person alone. */
export function savePins(path: string, pins: readonly Pin[]): void {
  const next = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(next, `${JSON.stringify({ version: 1, pins }, null, 2)}\n`, { mode: 0o600 });
    chmodSync(next, 0o600);
    renameSync(next, path);
  } catch (error) {
    throw explainWriteError(error, dirname(path));
  }
}

/**
 * The fingerprint to demand of a server: the one that was pinned, or the one in the address, which is pinned now.
 *
 * @throws PlainError when both are there and differ, or neither is
 */
export function expectedFingerprint(path: string, address: PinnedAddress, nowMs: number): string {
  const pins = loadPins(path);
  const pinned = pins.find(({ origin }) => origin === address.origin)?.fingerprint;
  if (pinned !== undefined && address.fingerprint !== undefined && pinned !== address.fingerprint) {
    throw new PlainError(
      `Stopped: ${address.origin} was trusted with another fingerprint. Nothing was sent.`,
      'If you know why it changed (a new data folder, another machine), remove the old one: sotto trust remove ' +
        address.origin,
      EXIT.refused,
    );
  }
  if (pinned !== undefined) return pinned;
  if (address.fingerprint === undefined) {
    throw new PlainError(
      `${address.origin} is not trusted yet, so nothing was sent.`,
      'Give the whole address that `sotto up` printed, with what stands after the #, or `--policy FILE`.',
      EXIT.refused,
    );
  }
  savePins(path, [...pins, { origin: address.origin, fingerprint: address.fingerprint, addedAtMs: nowMs }]);
  return address.fingerprint;
}
