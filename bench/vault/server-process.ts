/**
 * The server in a process of its own, for `sync.ts`: the real one, over its real database, with the limits of somebody who moves
 * years of chats in a minute. Prints `{"ready":true,"url":…}` and ends with its parent.
 *
 *   node bench/vault/server-process.ts --data DIR
 */
import { parseArgs } from 'node:util';
import { startServer } from '../../apps/server/start.ts';
import { endWithParent } from '../engines.ts';

const { values } = parseArgs({ options: { data: { type: 'string' } } });
if (values.data === undefined) throw new Error('--data DIR is needed');

const server = await startServer({
  ...{ port: 0, dataDir: values.data, webDir: '/nowhere', nodes: [], logSink: () => undefined },
  limits: { recordWrites: { burst: 1e6, perSecond: 1e6 }, recordWriteBytes: { burst: 1e10, perSecond: 1e10 } },
});
endWithParent(() => server.close());
process.stdout.write(`${JSON.stringify({ ready: true, url: server.url })}\n`);
