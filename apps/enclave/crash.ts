/**
 * What the process leaves behind when it fails: a code and places in our own source, never a message, never memory
 * (spec/enclave.md §silence). Exceptions may quote a prompt in their message.
 */
import { fileURLToPath } from 'node:url';
import type { Log } from './log.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FRAME_LIMIT = 12;

/**
 * The stack of an exception as `path:line:column` of our own and Node's source.
 * The message is removed as a whole before lines are read: it may hold lines that look like frames.
 */
export function describeStack(error: unknown): readonly string[] {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return [];
  const header = `${error.name}: ${error.message}`;
  // EN-14: a stack that does not begin with the message we know how to remove may hold content anywhere.
  if (error.message !== '' && !error.stack.startsWith(header)) return [];
  const frames: string[] = [];
  for (const line of error.stack.slice(error.message === '' ? error.name.length : header.length).split('\n')) {
    const place = /^ {4}at (?:.*\()?((?:file:\/\/|node:)[^\s()]+:\d+:\d+)\)?$/.exec(line)?.[1];
    if (place === undefined) continue;
    const path = place.startsWith('node:') ? place : place.slice('file://'.length);
    if (path.startsWith('node:')) frames.push(path);
    else if (path.startsWith(ROOT)) frames.push(path.slice(ROOT.length));
  }
  return frames.slice(0, FRAME_LIMIT);
}

/** Installs the last handlers of the process: they print what `describeStack` leaves, and exit with 1. */
export function installCrashHandlers(log: Log, printLine: (line: string) => void): void {
  const fail = (error: unknown): void => {
    log('crash', { code: 'internal' });
    for (const frame of describeStack(error)) printLine(`  at ${frame}`);
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
}

/** Node's options that write memory, code or traffic where the host can read it. */
const LOUD_OPTIONS =
  /(?:^|\s)-r|--(?:env-file|experimental-config|experimental-default-config|debug|perf-|inspect|heapsnapshot|heap-prof|cpu-prof|prof\b|report|diagnostic|trace|redirect-warnings|import|require|loader|experimental-loader|abort-on-uncaught)/;

/** True when the process was started with an option under which plaintext could leave it. */
export function isStartedLoud(execArgv: readonly string[], nodeOptions: string | undefined): boolean {
  return LOUD_OPTIONS.test([...execArgv, nodeOptions ?? ''].join(' '));
}
