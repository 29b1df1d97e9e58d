/** Stage `tdx` over the shared quotes: what real machines signed must get its known verdict, altered anywhere a refusal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../testing/recorded-judge.ts';
import { readShared, skipWithoutSharedVectors as skip } from '../testing/shared-vectors.ts';
import type { Outcome } from './outcome.ts';

const at = (moment: string) => Date.parse(moment) / 1000;
const quoteOf = (path: string): Buffer =>
  path.endsWith('.hex') ? Buffer.from(readShared(path).toString('utf8').trim(), 'hex') : readShared(path);
const collateralOf = (path: string) => JSON.parse(readShared(path).toString('utf8')) as Record<string, string>;
const signatureOnly = { kind: 'signature-only' };
const policy = (mrtd = '00'.repeat(48), rtmrs = ['01', '02', '03'].map((octet) => octet.repeat(48))) => ({
  ...{ kind: 'tdx', version: 1, measurements: [{ mrtd, rtmrs }] },
  tcb: { statuses: ['UpToDate'], minimumEvaluation: 17 },
});

const PHALA = 'tdx/phala/tdx_quote';
const PHALA_COLLATERAL = 'tdx/phala/tdx_quote_collateral.json';
const OUTDATED = 'tdx/phala/tdx_quote_outdated';
const SPR = 'tdx/go-tdx-guest/tdx_prod_quote_SPR_E4.dat';
const V5 = 'tdx/go-tdx-guest/quote_v5_sample.dat';
const DEBUG = 'tdx/trustee/tdx_quote_4.dat';
const SERVICE_TD = 'tdx/trustee/tdx_quote_5.dat';
const AUTOMATA = 'tdx/automata/quotev4.hex';
const OF_2023 = 'tdx/assembled/collateral-2023-06-fmspc-50806f.json';
const OF_2025 = 'tdx/assembled/collateral-2025-06-fmspc-00806f05.json';
const OF_FEB_2026 = 'tdx/assembled/collateral-2026-02-fmspc-90c06f00.json';
const OF_MARCH_2026 = 'tdx/assembled/collateral-2026-03-fmspc-50806f00.json';

interface Case {
  name: string;
  quote: string;
  collateral?: string;
  time: string;
  policy?: object;
  root?: string;
  expect: Record<string, unknown>;
}
const refused = (code: string, failureClass: string) => ({ code, class: failureClass });
const good = (tcb_status: string | undefined, advisory_ids: string[] = [], more = {}) => ({
  tcb_status,
  advisory_ids,
  ...more,
});

const CASES: Case[] = [
  {
    name: 'v4, first day',
    quote: PHALA,
    collateral: PHALA_COLLATERAL,
    time: '2025-06-20T00:00:00Z',
    expect: good('UpToDate', [], { fmspc_hex: 'b0c06f000000', debug: false, trailing_bytes: 70 }),
  },
  {
    name: 'v4, last day',
    quote: PHALA,
    collateral: PHALA_COLLATERAL,
    time: '2025-07-18T00:00:00Z',
    expect: good('UpToDate'),
  },
  {
    name: 'v4, before its collateral',
    quote: PHALA,
    collateral: PHALA_COLLATERAL,
    time: '2025-06-19T10:31:00Z',
    expect: refused('tdx-collateral-not-yet-valid', 'freshness'),
  },
  {
    name: 'v4, after its collateral',
    quote: PHALA,
    collateral: PHALA_COLLATERAL,
    time: '2025-07-20T00:00:00Z',
    expect: refused('crl-expired', 'freshness'),
  },
  {
    name: 'v4, no collateral in production',
    quote: PHALA,
    time: '2025-06-20T00:00:00Z',
    policy: policy(),
    expect: refused('tdx-collateral-required', 'policy'),
  },
  {
    name: 'v5, no level',
    quote: OUTDATED,
    collateral: 'tdx/phala/tdx_quote_outdated_collateral.json',
    time: '2026-03-01T00:00:00Z',
    expect: refused('tdx-tcb-unsupported', 'tcb'),
  },
  {
    name: 'SPR alone',
    quote: SPR,
    time: '2023-07-01T01:00:00Z',
    expect: good(undefined, [], { fmspc_hex: '50806f000000', trailing_bytes: 39 }),
  },
  {
    name: 'SPR, no level',
    quote: SPR,
    collateral: OF_2023,
    time: '2023-07-01T01:00:00Z',
    expect: refused('tdx-tcb-unsupported', 'tcb'),
  },
  {
    name: 'SPR in 2053',
    quote: SPR,
    collateral: OF_2023,
    time: '2053-07-01T01:00:00Z',
    expect: refused('certificate-expired', 'freshness'),
  },
  { name: 'v5 alone', quote: V5, time: '2026-02-03T01:00:00Z', expect: good(undefined) },
  { name: 'v5', quote: V5, collateral: OF_FEB_2026, time: '2026-02-03T01:00:00Z', expect: good('UpToDate') },
  {
    name: 'v5 with collateral of another platform',
    quote: V5,
    collateral: OF_MARCH_2026,
    time: '2026-03-20T00:00:00Z',
    expect: refused('tdx-platform-mismatch', 'binding'),
  },
  {
    name: 'v4 out of date',
    quote: AUTOMATA,
    collateral: OF_2025,
    time: '2025-06-25T00:00:00Z',
    expect: good('OutOfDate', ['INTEL-SA-00960', 'INTEL-SA-00982', 'INTEL-SA-00986'], { trailing_bytes: 3065 }),
  },
  {
    name: 'v4 out of date in production',
    quote: AUTOMATA,
    collateral: OF_2025,
    time: '2025-06-25T00:00:00Z',
    policy: policy(),
    expect: refused('tcb-status-not-accepted', 'tcb'),
  },
  {
    name: 'debugged, reported',
    quote: DEBUG,
    collateral: OF_MARCH_2026,
    time: '2026-03-20T00:00:00Z',
    expect: { debug: true, td_attributes_hex: '0100001000000000' },
  },
  { name: 'service guest, alone', quote: SERVICE_TD, time: '2026-03-01T00:00:00Z', expect: good(undefined) },
  {
    name: 'service guest, no level',
    quote: SERVICE_TD,
    collateral: 'tdx/phala/tdx_quote_outdated_collateral.json',
    time: '2026-03-01T00:00:00Z',
    expect: refused('tdx-tcb-unsupported', 'tcb'),
  },
  {
    name: 'Intel’s sample under the production root',
    quote: 'tdx/intel-qvl-sample/quote.dat',
    time: '2023-03-01T00:00:00Z',
    expect: refused('pem-malformed', 'format'),
  },
  {
    name: 'SGX',
    quote: 'sgx/phala/sgx_quote',
    collateral: 'sgx/phala/sgx_quote_collateral.json',
    time: '2025-06-19T10:57:00Z',
    expect: refused('tdx-quote-unsupported', 'format'),
  },
  {
    name: 'SGX alone',
    quote: 'sgx/phala/sgx_quote',
    time: '2025-06-19T10:57:00Z',
    expect: refused('tdx-quote-unsupported', 'format'),
  },
  {
    name: 'Intel’s SGX sample',
    quote: 'sgx/intel-qvl-sample/quote.dat',
    time: '2023-03-01T00:00:00Z',
    expect: refused('tdx-quote-unsupported', 'format'),
  },
  {
    name: 'v4 under another root',
    quote: PHALA,
    time: '2025-06-20T00:00:00Z',
    root: 'tdx/intel-qvl-sample/trustedRootCaCert.pem',
    expect: refused('certificate-root-unknown', 'chain'),
  },
  {
    name: 'v4 under its root, given',
    quote: PHALA,
    time: '2025-06-20T00:00:00Z',
    root: 'tdx/go-tdx-guest/intel_trusted_root.pem',
    expect: good(undefined),
  },
];

const input = ({ quote, collateral, time, policy = signatureOnly, root }: Case) => ({
  quote: quoteOf(quote).toString('base64'),
  ...(collateral && { collateral: collateralOf(collateral) }),
  ...(root && { root_ca_pem: readShared(root).toString('utf8') }),
  time: at(time),
  policy,
});

test('stage tdx: every shared quote gets the verdict that is known of it', { skip }, async (t) => {
  for (const one of CASES) {
    const { output } = await judge('tdx', () => input(one));
    for (const [name, value] of Object.entries(one.expect))
      assert.deepEqual(output[name], value, `${one.name}: ${name}`);
  }
  t.diagnostic(`${CASES.length} cases, ${CASES.length} agree, 0 differ`);
});

test('stage tdx: a policy names the program, and is read strictly', { skip }, async () => {
  const one: Case = { name: '', quote: V5, collateral: OF_FEB_2026, time: '2026-02-03T01:00:00Z', expect: {} };
  const under = (chosen: unknown) => judge('tdx', () => ({ ...input(one), policy: chosen }));
  const genuine = await under(signatureOnly);
  const { mrtd_hex: mrtd, rtmr_hex: rtmrs } = genuine.output as { mrtd_hex: string; rtmr_hex: string[] };
  assert.deepEqual(await under(policy(mrtd, rtmrs.slice(0, 3))), genuine);
  assert.equal((await under(policy())).output.code, 'measurement-not-allowed');
  for (const wrong of [
    undefined,
    {},
    { kind: 'signature_only' },
    { ...signatureOnly, more: 1 },
    { ...policy(), tcp: {} },
  ]) {
    assert.equal((await under(wrong)).exit, 30);
  }
});

test('stage tdx: the claims of a real quote are those that another verifier read from it', { skip }, async () => {
  const claims = JSON.parse(readShared('tdx/trustee/parse_tdx_claims_expected.json').toString('utf8'));
  const { body } = claims.quote as { body: Record<string, string> };
  const { output } = await judge('tdx', () =>
    input({ name: '', quote: DEBUG, time: '2026-03-01T00:00:00Z', expect: {} }),
  );
  assert.deepEqual(output.mrtd_hex, body.mr_td);
  assert.deepEqual(output.rtmr_hex, [body.rtmr_0, body.rtmr_1, body.rtmr_2, body.rtmr_3]);
  assert.deepEqual(output.report_data_hex, body.report_data);
  assert.deepEqual(output.mr_config_id_hex, body.mr_config_id);
  assert.deepEqual(output.mr_seam_hex, body.mr_seam);
});

/** The phala collateral under the interface's own names, lists in base64. */
function renamed(): Record<string, string> {
  const file = collateralOf(PHALA_COLLATERAL);
  const base64 = (hex: string | undefined) => Buffer.from(hex ?? '', 'hex').toString('base64');
  return {
    tcb_info_json: file.tcb_info ?? '',
    tcb_info_signature_hex: file.tcb_info_signature ?? '',
    qe_identity_json: file.qe_identity ?? '',
    qe_identity_signature_hex: file.qe_identity_signature ?? '',
    tcb_info_issuer_chain_pem: file.tcb_info_issuer_chain ?? '',
    qe_identity_issuer_chain_pem: file.qe_identity_issuer_chain ?? '',
    pck_crl: base64(file.pck_crl),
    pck_crl_issuer_chain_pem: file.pck_crl_issuer_chain ?? '',
    root_ca_crl: base64(file.root_ca_crl),
  };
}

test('stage tdx: collateral under its own names, and Intel’s whole answers, give the same', { skip }, async () => {
  const good = { quote: quoteOf(PHALA).toString('base64'), time: at('2025-06-20T00:00:00Z'), policy: signatureOnly };
  const ours = renamed();
  const expected = await judge('tdx', () => ({ ...good, collateral: collateralOf(PHALA_COLLATERAL) }));
  assert.equal(expected.exit, 0);
  assert.deepEqual(await judge('tdx', () => ({ ...good, collateral: ours })), expected);
  const { tcb_info_signature_hex: tcbSignature, qe_identity_signature_hex: qeSignature, ...rest } = ours;
  const inside = {
    ...rest,
    tcb_info_json: `{"tcbInfo":${ours.tcb_info_json},"signature":"${tcbSignature}"}`,
    qe_identity_json: `{"enclaveIdentity":${ours.qe_identity_json},"signature":"${qeSignature}"}`,
  };
  assert.deepEqual(await judge('tdx', () => ({ ...good, collateral: inside })), expected);
  for (const wrong of [{ ...ours, more: '' }, { ...ours, pck_crl: undefined }, { ...ours, pck_crl: 'hex' }, []]) {
    const { exit } = await judge('tdx', () => JSON.parse(JSON.stringify({ ...good, collateral: wrong })));
    assert.equal(exit, 30);
  }
});

test('stage tdx: Intel’s answers as its service gave them, lists in DER, get as far as the level', {
  skip,
}, async () => {
  const folder = 'tdx/go-tdx-guest';
  const file = collateralOf(OF_2023);
  const chain = (name: string) => file[`${name}_issuer_chain`] ?? '';
  const collateral = {
    tcb_info_json: readShared(`${folder}/sample_tcbInfo_response`).toString('utf8'),
    qe_identity_json: readShared(`${folder}/sample_qeIdentity_response`).toString('utf8'),
    tcb_info_issuer_chain_pem: chain('tcb_info'),
    qe_identity_issuer_chain_pem: chain('qe_identity'),
    pck_crl: readShared(`${folder}/pckcrl`).toString('base64'),
    pck_crl_issuer_chain_pem: chain('pck_crl'),
    root_ca_crl: readShared(`${folder}/rootcrl.der`).toString('base64'),
  };
  const one: Case = { name: '', quote: SPR, time: '2023-07-01T01:00:00Z', expect: {} };
  const { output } = await judge('tdx', () => ({ ...input(one), collateral }));
  assert.deepEqual([output.code, output.rule], ['tdx-tcb-unsupported', 'EV-150']);
});

/** Every seventh place, in a minute every one: SOTTO_EVERY_BYTE=1 (24,819 + 12,038 cases; all were refused on 2026-11-21). */
const STRIDE = process.env.SOTTO_EVERY_BYTE === '1' ? 1 : 7;

/** Counts refusals by class; anything else than a refusal fails. */
class Tally {
  readonly classes: Record<string, number> = {};
  readonly accepted: string[] = [];

  add(where: string, { exit, output }: Outcome): void {
    if (exit === 0) this.accepted.push(where);
    else assert.equal(exit, 10, `${where}: ${JSON.stringify(output)}`);
    const name = exit === 0 ? 'accepted' : String(output.class);
    this.classes[name] = (this.classes[name] ?? 0) + 1;
  }
}

test('stage tdx: a byte of five genuine quotes flipped is refused, bytes after the signature apart', {
  skip,
}, async (t) => {
  const tally = new Tally();
  for (const path of [PHALA, SPR, V5, DEBUG, SERVICE_TD]) {
    const quote = quoteOf(path);
    const time = at(path === SPR ? '2023-07-01T01:00:00Z' : '2025-12-01T00:00:00Z');
    const trailing = path === PHALA ? 70 : path === SPR ? 39 : 0;
    for (let index = 0; index < quote.length - trailing; index += STRIDE) {
      const altered = Buffer.from(quote);
      altered[index] = (altered[index] as number) ^ (1 << (index % 8));
      tally.add(
        `${path} byte ${index}`,
        await judge('tdx', () => ({ quote: altered.toString('base64'), time, policy: signatureOnly })),
      );
    }
  }
  t.diagnostic(JSON.stringify(tally.classes));
  assert.deepEqual(tally.accepted, []);
  assert.deepEqual(Object.keys(tally.classes).sort(), ['binding', 'chain', 'format', 'signature']);
});

test('stage tdx: a character of genuine collateral changed is refused, the case of signatures apart', {
  skip,
}, async (t) => {
  const tally = new Tally();
  const good = { quote: quoteOf(PHALA).toString('base64'), time: at('2025-06-20T00:00:00Z'), policy: signatureOnly };
  const collateral = renamed();
  const base64 = ['pck_crl', 'root_ca_crl'];
  for (const [name, text] of Object.entries(collateral)) {
    if (name.endsWith('_hex')) continue;
    const bytes = Buffer.from(text, base64.includes(name) ? 'base64' : 'latin1');
    for (let index = 0; index < bytes.length; index += STRIDE) {
      const altered = Buffer.from(bytes);
      altered[index] = (altered[index] as number) ^ (1 << (index % 7));
      const changed = altered.toString(base64.includes(name) ? 'base64' : 'latin1');
      tally.add(
        `${name} byte ${index}`,
        await judge('tdx', () => ({ ...good, collateral: { ...collateral, [name]: changed } })),
      );
    }
  }
  t.diagnostic(JSON.stringify(tally.classes));
  assert.deepEqual(tally.accepted, []);
  assert.deepEqual(Object.keys(tally.classes).sort(), ['chain', 'format', 'revocation', 'signature']);
});

test('stage tdx: every length of a quote but its own is refused; certificates swapped are', { skip }, async () => {
  const quote = quoteOf(V5);
  for (let length = 0; length < quote.length; length += length < 700 || length > quote.length - 10 ? 1 : STRIDE) {
    const { exit, output } = await judge('tdx', () => ({
      ...{ quote: quote.subarray(0, length).toString('base64'), time: 0, policy: signatureOnly },
    }));
    assert.deepEqual([exit, output.code], [10, 'tdx-quote-malformed']);
  }
  const good = { quote: quoteOf(PHALA).toString('base64'), time: at('2025-06-20T00:00:00Z'), policy: signatureOnly };
  const collateral = renamed();
  const chains = ['tcb_info_issuer_chain_pem', 'qe_identity_issuer_chain_pem', 'pck_crl_issuer_chain_pem'];
  const blocks = chains.flatMap((name) =>
    (collateral[name] as string).split(/(?<=-----END CERTIFICATE-----\n)/).filter((block) => block.trim() !== ''),
  );
  for (const name of chains) {
    const own = (collateral[name] as string).trim();
    for (const first of new Set(blocks)) {
      for (const second of new Set(blocks)) {
        if (own === (first + second).trim()) continue;
        const outcome = await judge('tdx', () => ({ ...good, collateral: { ...collateral, [name]: first + second } }));
        assert.equal(outcome.exit, 10, name);
        assert.ok(['chain', 'revocation'].includes(String(outcome.output.class)));
      }
    }
  }
});
