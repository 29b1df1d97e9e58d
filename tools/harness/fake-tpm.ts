/** tpm2-tools over a TPM of the test: same files, a key that anybody has. For the enclave's port `runTool`. */
import { writeFile } from 'node:fs/promises';
import { type RunTool, TPM_REGISTERS } from '@sotto/adapters-tee';
import { concatBytes, encodeHex, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { encodeTpmQuote, encodeTpmSignature, TPM_TEST_KEY } from '@sotto/testkit/evidence-tpm';

/** Which registers those are, a bit each. */
const MAP = Uint8Array.of(0xff, 0x5b, 0);
const valueIn = (register: number) => new Uint8Array(32).fill(0xa0 + register);

/** Fails for every program that is not of tpm2-tools, as on a machine without them. */
export const fakeTpm: RunTool = async (program, args) => {
  const after = (flag: string): string => args[args.indexOf(flag) + 1] ?? '';
  if (!program.startsWith('tpm2_')) throw new Error('there is no such program');
  if (program === 'tpm2_createprimary') await writeFile(after('-c'), 'key');
  if (program === 'tpm2_readpublic') await writeFile(after('-o'), TPM_TEST_KEY.publicKey.spki);
  if (program === 'tpm2_pcrread') await writeFile(after('-o'), concatBytes(...TPM_REGISTERS.map(valueIn)));
  if (program === 'tpm2_quote') {
    const nonce = parseHex(after('-q'));
    const quote = encodeTpmQuote({ nonce, map: MAP, values: TPM_REGISTERS.map(valueIn) });
    await writeFile(after('-m'), quote);
    await writeFile(after('-s'), encodeTpmSignature(quote));
  }
  return new Uint8Array();
};

/** What a person demands who means this TPM, started with these programs. */
export const FAKE_TPM_POLICY = {
  kind: 'tpm-test',
  version: 1,
  attestationKeys: [encodeHex(sha256(TPM_TEST_KEY.publicKey.spki))],
  measurements: [{ 4: encodeHex(valueIn(4)), 9: encodeHex(valueIn(9)) }],
} as const;
