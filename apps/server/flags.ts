/** The server's flags, from whoever starts it: trusted, and still checked word by word. */
import { parseArgs } from 'node:util';
import type { CollateralConfig } from './collateral/collateral.ts';
import { StartError } from './errors.ts';
import type { ServerConfig } from './graph.ts';
import { parseNodeAddress } from './node-directory.ts';

export const USAGE = `sotto server: accounts, ciphertext and relay. It can read no chat.

  --data DIR      where the database is kept (required)
  --node URL      an enclave, as [NODE_ID=]http://HOST:PORT; repeat for more
  --web DIR       the built web app (required)
  --port N        port to listen on (default 8787; 0 for any free one)
  --host ADDRESS  address to listen on (default 127.0.0.1)
  --cert FILE     with --key FILE: serve TLS
  --collateral X  what vendors publish for judging hardware: online, or a folder (default: none)
`;

const DEFAULT_PORT = 8787;

/** @throws StartError `flags-invalid`, with a sentence that names the flag */
export function parseFlags(args: readonly string[]): ServerConfig {
  const { data, node, web, port, host, cert, key, collateral } = parse(args);
  if (data === undefined || web === undefined) throw invalid('--data and --web are needed.');
  const portNumber = Number(port ?? DEFAULT_PORT);
  if (!/^\d{1,5}$/.test(port ?? '0') || portNumber > 65_535) throw invalid('--port is a number from 0 to 65535.');
  if ((cert === undefined) !== (key === undefined)) throw invalid('--cert and --key come together.');
  const nodes = (node ?? []).map((text) => {
    const address = parseNodeAddress(text);
    if (address === undefined) throw invalid('--node looks like http://127.0.0.1:9000.');
    return address;
  });
  return {
    port: portNumber,
    dataDir: data,
    webDir: web,
    nodes,
    ...(host === undefined ? {} : { host }),
    ...(collateral === undefined ? {} : { collateral: collateralOf(collateral) }),
    ...(cert === undefined || key === undefined ? {} : { tls: { certFile: cert, keyFile: key } }),
  };
}

function collateralOf(text: string): CollateralConfig {
  return text === 'online' ? { kind: 'online' } : { kind: 'folder', folder: text };
}

function parse(args: readonly string[]) {
  try {
    const text = { type: 'string' } as const;
    const options = { data: text, web: text, port: text, host: text, cert: text, key: text, collateral: text };
    return parseArgs({ args: [...args], options: { ...options, node: { type: 'string', multiple: true } } }).values;
  } catch (error) {
    throw invalid(error instanceof Error ? (error.message.split('\n')[0] ?? '') : '');
  }
}

function invalid(detail: string): StartError {
  return new StartError('flags-invalid', undefined, detail);
}
