/** Vendors' evidence in a real Chromium: each case gets the verdict and the claims there that it gets in Node. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { type Browser, openBrowser } from './browser.ts';
import { judgeNvidia, judgeSevSnp, judgeTdx, outcomeOf } from './stages-in-page.ts';

const stages = { judgeNvidia, judgeSevSnp, judgeTdx };

interface Case {
  readonly name: string;
  readonly stage: keyof typeof stages;
  readonly input: unknown;
}
interface Judged {
  readonly exit: number;
  readonly output: unknown;
  readonly tookMs: number;
}

const given = process.env.SOTTO_VECTORS;
const shared = given ? pathToFileURL(`${given}/`) : new URL('../../shared/vectors/', import.meta.url);
const skip =
  !existsSync(new URL('INDEX.md', shared)) && process.env.SOTTO_REQUIRE_VECTORS !== '1' && 'shared vectors absent';
const read = (path: string) => readFileSync(new URL(path, shared));

let server: Server;
let browser: Browser;

before(async () => {
  const entry = fileURLToPath(new URL('stages-in-page.ts', import.meta.url));
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, target: 'es2024', lib: { entry, name: 'stages', formats: ['iife'] } },
  });
  const output = Array.isArray(result) ? result[0] : result;
  assert.ok(output !== undefined && 'output' in output);
  const { code } = output.output[0];
  server = createServer((request, response) => {
    const isScript = request.url === '/stages.js';
    response.writeHead(200, { 'content-type': `${isScript ? 'text/javascript' : 'text/html'}; charset=utf-8` });
    response.end(isScript ? code : '<!doctype html><script src="/stages.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  browser = await openBrowser();
  await browser.page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  console.log(`bundle with five stages: ${Math.round(gzipSync(code).length / 102.4) / 10} kB gzip`);
});
after(async () => {
  await browser?.close();
  server?.close();
});

async function inNode({ stage, input }: Case): Promise<Omit<Judged, 'tookMs'>> {
  try {
    return { exit: 0, output: JSON.parse(JSON.stringify(await stages[stage](input))) };
  } catch (error) {
    return JSON.parse(JSON.stringify(outcomeOf(error)));
  }
}

function inChromium({ stage, input }: Case): Promise<Judged> {
  return browser.page.evaluate(
    async ([name, value]) => {
      const page = globalThis as unknown as { stages: typeof stages & { outcomeOf: typeof outcomeOf } };
      const started = performance.now();
      const judged = await page.stages[name](value).then(
        (output) => ({ exit: 0, output }),
        (error: unknown) => page.stages.outcomeOf(error),
      );
      const tookMs = performance.now() - started;
      return { ...JSON.parse(JSON.stringify(judged)), tookMs };
    },
    [stage, input] as const,
  );
}

async function judgeBoth(cases: readonly Case[]): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const one of cases) {
    const here = await inChromium(one);
    const { exit, output } = here;
    assert.deepEqual({ exit, output }, await inNode(one), one.name);
    judged.push(here);
  }
  return judged;
}

const policy = { kind: 'signature-only' };

test('every NVIDIA vector gets the verdict of Node', async (t) => {
  const file = new URL('../vectors/evidence-nvidia/nvidia.json', import.meta.url);
  const { vectors, parts, device_root_pem, rim_root_pem } = JSON.parse(readFileSync(file, 'utf8'));
  const part = (text: string): string => (text.startsWith('@') ? parts[text.slice(1)] : text);
  type Vector = Record<'devices' | 'rims_xml' | 'ocsp', []> & { id: string; nonce_hex: string; time: number };
  const cases = (vectors as Vector[]).map(({ id, devices, nonce_hex, rims_xml, ocsp, time }): Case => {
    const filled = devices.map((one: { report: string; cert_chain_pem: string }) => ({
      report: part(one.report),
      cert_chain_pem: part(one.cert_chain_pem),
    }));
    const given = { nonce_hex, rims_xml: rims_xml.map(part), ocsp: ocsp.map(part), time, policy };
    const input = { ...given, devices: filled, root_pem: `${device_root_pem}${rim_root_pem}` };
    return { name: id, stage: 'judgeNvidia', input };
  });
  const judged = await judgeBoth(cases);
  const accepted = judged.filter(({ exit }) => exit === 0).length;
  assert.ok(accepted > 5 && judged.length - accepted > 100);
  t.diagnostic(`${judged.length} cases, ${accepted} accepted, 0 differ from Node`);
});

test('genuine evidence gets the verdict of Node, processor and GPU within 50 ms', { skip }, async (t) => {
  const gpu = 'nvidia/attestation-sdk/testdata/sample_attestation_data/gpu';
  const report = Buffer.from(read(`${gpu}/hopperAttestationReport.txt`).toString().trim(), 'hex');
  const rim = read('nvidia/nvtrust/1010_0200_882_96005E0001_PROD.swidtag').toString();
  const nvidia = {
    report: report.toString('base64'),
    cert_chain_pem: read(`${gpu}/hopperCertChain.txt`).toString(),
    nonce_hex: report.subarray(4, 36).toString('hex'),
    rims_xml: [rim],
    time: Date.UTC(2025, 2) / 1000,
    policy,
  };
  const quote = read('tdx/phala/tdx_quote').toString('base64');
  const collateral = JSON.parse(read('tdx/phala/tdx_quote_collateral.json').toString());
  const tdx = { quote, collateral, time: Date.UTC(2025, 5, 21) / 1000, policy };
  const genuine: Case[] = [
    { name: 'TDX', stage: 'judgeTdx', input: tdx },
    { name: 'GPU with VBIOS manifest', stage: 'judgeNvidia', input: nvidia },
  ];
  await browser.page.reload();
  const cold = await judgeBoth(genuine);
  assert.deepEqual(
    cold.map(({ exit }) => exit),
    [0, 0],
  );
  const together = cold.reduce((sum, { tookMs }) => sum + tookMs, 0);
  t.diagnostic(`cold: TDX ${cold[0]?.tookMs.toFixed(1)} ms, GPU ${cold[1]?.tookMs.toFixed(1)} ms`);
  const warm = await judgeBoth(genuine);
  t.diagnostic(`warm: TDX ${warm[0]?.tookMs.toFixed(1)} ms, GPU ${warm[1]?.tookMs.toFixed(1)} ms`);
  // The budget is for a machine that does nothing else; a test that runs beside others gets four times as much.
  assert.ok(together < 200, `${together.toFixed(1)} ms`);
});
