import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createSelfSignedCertificate } from '@sotto/testkit';
import { accountRequest, createBrowser, ORIGIN, randomHex, temporaryFolder } from './fixture-for-testing.ts';
import { parseFlags } from './flags.ts';
import { fetchLive } from './live-socket.ts';
import { HTTP_LIMITS, startServer } from './start.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const OPERATOR = fileURLToPath(new URL('./operator-main.ts', import.meta.url));

function run(t: TestContext, program: string, args: string[]): { child: ChildProcess; output: Promise<string> } {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text += chunk;
  });
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  return { child, output: once(child, 'close').then(() => text) };
}

test('SV-39 a taken port, an unusable folder and a bad certificate are named, and nothing is left running', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const dataDir = await temporaryFolder(t);
  const config = { port, dataDir, webDir: dataDir, nodes: [], logSink: () => undefined };
  await assert.rejects(startServer(config), { code: 'port-taken', message: /--port/ });
  await assert.rejects(startServer({ ...config, port: 0, host: '203.0.113.1' }), { code: 'host-unusable' });
  const file = join(dataDir, 'file');
  await writeFile(file, '');
  await assert.rejects(startServer({ ...config, port: 0, dataDir: join(file, 'x') }), { code: 'data-unwritable' });
  const tls = { certFile: file, keyFile: file };
  await assert.rejects(startServer({ ...config, port: 0, tls }), {
    code: 'tls-unreadable',
    message: /--cert and --key/,
  });
  const server = await startServer({ ...config, port: 0 });
  await server.close();
});

test('an idle connection stays open for longer than clients and proxies keep it, and half a request is cut', async (t) => {
  const dataDir = await temporaryFolder(t);
  const server = await startServer({ port: 0, dataDir, webDir: dataDir, nodes: [], logSink: () => undefined });
  t.after(() => server.close());
  const { headers } = await fetch(server.url);
  assert.equal(headers.get('keep-alive'), 'timeout=75');

  // The same limits, fifty times as fast: what is idle outlives the limit of headers, and what is half said does not.
  const limits = Object.entries(HTTP_LIMITS).map(([name, value]) => [
    name,
    name.endsWith('Timeout') ? value / 50 : value,
  ]);
  const quick = createHttpServer({ ...Object.fromEntries(limits), connectionsCheckingInterval: 20 }, (_, response) =>
    response.end('here'),
  );
  await new Promise<void>((resolve) => quick.listen(0, '127.0.0.1', resolve));
  t.after(() => quick.close());
  const { port } = quick.address() as { port: number };
  const answered = async (first: string, waitMs: number, second: string) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(first);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    socket.end(second);
    await closed;
    return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  };
  const whole = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
  assert.deepEqual(await answered(whole, 600, whole), [200, 200]);
  assert.deepEqual(await answered('GET / HTTP/1.1\r\n', 600, 'host: a\r\n\r\n'), [408]);
  assert.deepEqual(await answered('', 600, whole), [408]);
});

test('SV-01 SV-09 with a certificate the server answers at its names, with cookies that never leave TLS', async (t) => {
  const dataDir = await temporaryFolder(t);
  const { cert, key } = await createSelfSignedCertificate(['chat.example', 'localhost']);
  const tls = { certFile: join(dataDir, 'cert.pem'), keyFile: join(dataDir, 'key.pem') };
  await Promise.all([writeFile(tls.certFile, cert), writeFile(tls.keyFile, key)]);
  const server = await startServer({ port: 0, dataDir, webDir: dataDir, nodes: [], tls, logSink: () => undefined });
  t.after(() => server.close());
  assert.equal(server.url, `https://localhost:${server.port}`);
  const guest = (name: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { host: `${name}:${server.port}`, 'sotto-client': '1' };
      const asked = request(
        {
          host: '127.0.0.1',
          servername: name,
          port: server.port,
          path: '/api/guest',
          method: 'POST',
          headers,
          ca: cert,
        },
        (answer) => resolve(answer.resume()),
      );
      asked.on('error', reject).end();
    });
  for (const name of ['chat.example', 'localhost']) {
    const { statusCode, headers } = await guest(name);
    assert.equal(statusCode, 201);
    assert.match(headers['set-cookie']?.[0] ?? '', /^__Host-sotto=.*; Secure$/);
    assert.equal(headers['strict-transport-security'], name === 'localhost' ? undefined : 'max-age=31536000');
  }
  await assert.rejects(guest('evil.example'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('SV-39 flags are checked word by word', () => {
  const needed = ['--data', 'd', '--web', 'w'];
  const { nodes, ...rest } = parseFlags([
    ...needed,
    '--port',
    '0',
    '--node',
    'http://127.0.0.1:1',
    '--node',
    'ws://h:2/channel',
  ]);
  assert.deepEqual(rest, { port: 0, dataDir: 'd', webDir: 'w' });
  assert.equal(nodes.length, 2);
  assert.deepEqual(parseFlags([...needed, '--cert', 'c', '--key', 'k']).tls, { certFile: 'c', keyFile: 'k' });
  for (const args of [
    [],
    ['--data', 'd'],
    [...needed, '--port', '70000'],
    [...needed, '--port', 'x'],
    [...needed, '--port', '-1'],
    [...needed, '--cert', 'c'],
    [...needed, '--node', 'nowhere'],
    [...needed, '--unknown'],
    [...needed, 'word'],
  ]) {
    assert.throws(() => parseFlags(args), { code: 'flags-invalid' }, args.join(' '));
  }
});

test('SV-39 the program prints one ready line, serves, and ends on a signal', async (t) => {
  const dataDir = await temporaryFolder(t);
  await writeFile(join(dataDir, 'index.html'), 'the app');
  const { child, output } = run(t, MAIN, ['--data', join(dataDir, 'data'), '--web', dataDir, '--port', '0']);
  const [first] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const ready = JSON.parse(first.toString());
  assert.equal(ready.ready, true);
  assert.equal(ready.url, `http://localhost:${ready.port}`);
  assert.equal(await (await fetch(ready.url)).text(), 'the app');
  assert.equal((await fetch(`http://127.0.0.1:${ready.port}/`)).status, 421);
  const { memory } = await memoryOf(child.pid);
  assert.ok(memory < 150, `${memory} MB`);
  child.kill('SIGINT');
  await output;
  assert.equal(child.exitCode, 0);
  const wrong = run(t, MAIN, ['--data', dataDir]);
  assert.match(await wrong.output, /"code":"flags-invalid"[\s\S]*--web DIR/);
  assert.equal(wrong.child.exitCode, 1);
});

test('SV-23 SV-10 after a crash everything answered is there, the session works, and the next start needs no help', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data');
  const { child } = run(t, MAIN, ['--data', dataDir, '--web', dataDir, '--port', '0']);
  const [first] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const { url, port } = JSON.parse(first.toString());
  const send = (origin: string) => (path: string, init: RequestInit) =>
    fetch(path.replace(ORIGIN, origin), { ...init, headers: { ...(init.headers as object), origin } });
  const browser = createBrowser(send(url));
  await browser.call('POST', '/api/accounts', accountRequest().body);
  const recordId = randomHex();
  assert.equal((await browser.call('PUT', `/api/records/${recordId}`, Uint8Array.of(1, 2, 3))).status, 200);
  child.kill('SIGKILL');
  await once(child, 'exit');

  const again = await startServer({ port, dataDir, webDir: dataDir, nodes: [], logSink: () => undefined });
  t.after(() => again.close());
  const { json } = await browser.call('GET', '/api/records');
  assert.deepEqual(json.records, [{ recordId, sequence: 1, envelope: 'AQID' }]);
  assert.equal((await browser.call('PUT', `/api/records/${randomHex()}`, Uint8Array.of(4))).json.sequence, 2);
});

async function memoryOf(pid: number | undefined): Promise<{ memory: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return { memory: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024 };
}

test('SV-40 SV-36 the operator’s tool prints the database and what the running server remembers', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data');
  const config = { port: 0, dataDir, webDir: dataDir, nodes: [], logSink: () => undefined };
  const server = await startServer(config);
  const headers = { 'sotto-client': '1' };
  const { guestId } = (await (await fetch(`${server.url}/api/guest`, { method: 'POST', headers })).json()) as {
    guestId: string;
  };
  assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
  assert.equal((await stat(join(dataDir, 'operator.sock'))).mode & 0o777, 0o600);
  const live = await fetchLive(dataDir, guestId);
  assert.equal(live?.log.length, 0);
  assert.equal((await fetchLive(dataDir, 'f'.repeat(32)))?.relay.length, 0);

  const shown = await run(t, OPERATOR, ['--data', dataDir, '--account', guestId]).output;
  assert.match(shown, new RegExp(`guest ${guestId}`));
  assert.match(shown, /token_hash=[0-9a-f]{64}/);
  assert.match(shown, /relay: the last 0 frames/);
  const list = await run(t, OPERATOR, ['--data', dataDir, '--json']).output;
  assert.equal(JSON.parse(list)[0].id, guestId);
  await server.close();

  const alone = await run(t, OPERATOR, ['--data', dataDir, '--account', guestId]).output;
  assert.match(alone, /none answers on this folder/);
  const unknown = run(t, OPERATOR, ['--data', dataDir, '--account', 'f'.repeat(32)]);
  assert.match(await unknown.output, /no such account/);
  assert.equal(unknown.child.exitCode, 1);
  assert.match(await run(t, OPERATOR, ['--data', '/nowhere']).output, /Check --data/);
});
