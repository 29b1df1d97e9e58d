/** Every rule of spec/evidence-tdx.md by our own vectors: one thing wrong at a time. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes, encodeHex, parseBase64 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { parseTcbInfo } from './collateral.ts';
import { intelRoots, parseTdxQuote } from './index.ts';
import { parseJsonObject } from './json.ts';
import { base, collateralOf, holds, vectors } from './vectors-for-testing.ts';

test('EV-100 a quote that is cut or too long is refused; bytes after it are allowed', () => holds('EV-100'));
test('EV-100 a quote of more than 64 KiB is refused before it is read', () => {
  const good = parseBase64(base.quote as string);
  assert.equal(
    parseTdxQuote(concatBytes(good, new Uint8Array(65_536 - good.length))).trailingBytes,
    65_536 - good.length,
  );
  assert.throws(() => parseTdxQuote(concatBytes(good, new Uint8Array(65_537 - good.length))), { rule: 'EV-100' });
});
test('EV-101 a quote of an SGX enclave is refused', () => holds('EV-101'));
test('EV-102 another version, kind of machine or body is refused; 4 and 5 are read', () => holds('EV-102'));
test('EV-103 an attestation key of another kind is refused', () => holds('EV-103'));
test('EV-104 the quoting enclave of another vendor is refused', () => holds('EV-104'));
test('EV-105 signature data of another kind or length is refused', () => holds('EV-105'));
test('EV-106 certification data of another kind or length is refused; authentication data of any length is read', () =>
  holds('EV-106'));
test('EV-107 a quote without a PCK chain needs one beside it', () => holds('EV-107'));
test('EV-108 a chain beside the quote is the one in it', () => holds('EV-108'));
test('EV-109 an SGX extension with fields missing, unknown, twice or of another length is refused', () =>
  holds('EV-109'));
test('EV-110 a PCK of another curve is refused', () => holds('EV-110'));
test('EV-111 collateral that is not strict JSON is refused', () => holds('EV-111'));
test('EV-111 collateral of more than 256 Ki characters is refused before it is read', () => {
  const { tcbInfoJson } = collateralOf(base.collateral as Record<string, unknown>);
  parseJsonObject(tcbInfoJson.padEnd(262_144));
  assert.throws(() => parseJsonObject(tcbInfoJson.padEnd(262_145)), { rule: 'EV-111' });
});
test('EV-112 TCB info of another kind, or with fields missing, is refused', () => holds('EV-112'));
test('EV-113 a QE identity of another kind, or with fields missing, is refused', () => holds('EV-113'));
test('EV-114 Intel’s whole answer is taken, and with a third member refused', () => holds('EV-114'));
test('EV-114 a signature beside the object that is not 64 bytes in hex is refused', () => {
  const { tcbInfoJson, tcbInfoSignatureHex = '' } = collateralOf(base.collateral as Record<string, unknown>);
  parseTcbInfo(tcbInfoJson, tcbInfoSignatureHex.toUpperCase());
  for (const wrong of [
    '',
    tcbInfoSignatureHex.slice(2),
    `${tcbInfoSignatureHex}00`,
    tcbInfoSignatureHex.replace(/.$/, 'g'),
  ]) {
    assert.throws(() => parseTcbInfo(tcbInfoJson, wrong), { rule: 'EV-114' });
  }
});
test('EV-115 a status that is not one of Intel’s words is refused', () => holds('EV-115'));
test('EV-116 a time in another form, or backwards, is refused', () => holds('EV-116'));
test('EV-120 a chain that is not one of a PCK certificate is refused', () => holds('EV-120'));
test('EV-121 a chain that is not the one that signs collateral is refused', () => holds('EV-121'));
test('EV-122 a list whose CA nobody certified is refused', () => holds('EV-122'));
test('EV-123 lists that their issuers did not sign are refused', () => holds('EV-123'));
test('EV-125 the list of Intel’s other CA is refused', () => holds('EV-125'));
test('EV-126 a revoked platform is refused', () => holds('EV-126'));
test('EV-127 a revoked CA or signer of collateral is refused', () => holds('EV-127'));
test('EV-128 a list older than one that was seen is refused', () => holds('EV-128'));
test('EV-130 a QE report that the platform did not sign is refused', () => holds('EV-130'));
test('EV-131 a quote that its attestation key did not sign is refused', () => holds('EV-131'));
test('EV-132 TCB info that Intel did not sign is refused', () => holds('EV-132'));
test('EV-133 a QE identity that Intel did not sign is refused', () => holds('EV-133'));
test('EV-135 a QE report that names another attestation key is refused', () => holds('EV-135'));
test('EV-136 TCB info of other processors is refused', () => holds('EV-136'));
test('EV-137 TCB info of another provisioning enclave is refused', () => holds('EV-137'));
test('EV-138 a quoting enclave with other features is refused', () => holds('EV-138'));
test('EV-139 a quoting enclave that is debugged is refused', () => holds('EV-139'));
test('EV-140 a quoting enclave of another maker is refused', () => holds('EV-140'));
test('EV-141 another enclave of the same maker is refused', () => holds('EV-141'));
test('EV-142 a TDX module that Intel does not name, or did not make, is refused', () => holds('EV-142'));
test('EV-143 a TDX module with attributes is refused', () => holds('EV-143'));
test('EV-145 certificates and lists out of their time are refused', () => holds('EV-145'));
test('EV-146 collateral from the future is refused', () => holds('EV-146'));
test('EV-147 collateral that has expired is refused', () => holds('EV-147'));
test('EV-148 collateral with a lower number than was seen is refused', () => holds('EV-148'));
test('EV-149 collateral older than demanded is refused', () => holds('EV-149'));
test('EV-150 the first level that all versions reach is the machine’s; without one it is refused', () =>
  holds('EV-150'));
test('EV-151 the module has a level of its own', () => holds('EV-151'));
test('EV-152 the quoting enclave has a level of its own', () => holds('EV-152'));
test('EV-153 what is out of date in a part is out of date in the whole', () => holds('EV-153'));
test('EV-154 a module updated under the guest advises to start it again', () => holds('EV-154'));
test('EV-155 what is revoked is refused whatever is accepted', () => holds('EV-155'));
test('EV-156 a status that is not accepted is refused', () => holds('EV-156'));
test('EV-157 advisories are those of platform, module and quoting enclave, each once', () => holds('EV-157'));
test('EV-160 no collateral is refused where it is required', () => holds('EV-160'));
test('EV-161 a guest that is debugged is refused in production', () => holds('EV-161'));
test('EV-162 a guest that can be moved is refused in production', () => holds('EV-162'));
test('EV-163 a guest with a service guest is refused in production', () => holds('EV-163'));
test('EV-164 attributes that are not known are refused in production', () => holds('EV-164'));
test('EV-165 a guest into which the host may inject faults is refused in production', () => holds('EV-165'));
test('EV-360 a PCK chain in another form than PEM is refused', () => holds('EV-360'));
test('EV-370 a chain to a root of somebody else is refused', () => holds('EV-370'));

test('EV-168 Intel’s root is the one whose fingerprint the specification names', () => {
  const [root, ...more] = intelRoots();
  assert.equal(more.length, 0);
  const spec = readFileSync(new URL('../../../spec/evidence-tdx.md', import.meta.url), 'utf8');
  assert.ok(root !== undefined && spec.includes(encodeHex(sha256(root.raw))));
});

test('EV-153 every vector belongs to a rule that is tested here', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8');
  for (const { id, rule } of vectors) assert.ok(source.includes(`holds('${rule}')`), id);
});
