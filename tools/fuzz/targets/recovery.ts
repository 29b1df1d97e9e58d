/** Answers that outlive their line: what a claim asks, and the sealed chunks that it gets from a node or from whoever stands between. */
import { concatBytes, encodeHex, equalBytes, parseHex } from '@sotto/bytes';
import { deriveRoots, openClaimBody, RecoveryError, readKeptHead } from '@sotto/channel/recovery';
import { encodeClaimRequest, parseClaimRequest, WireError } from '@sotto/wire';
import { fill, loadVectors, parseShortHex } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

interface Vector {
  readonly recovery_key_hex: string;
  readonly have_bytes: number;
  readonly body_hex: string;
  readonly rest_hex?: string;
  readonly expect: unknown;
}
const { vectors } = loadVectors<{ vectors: Vector[] }>('recovery/recovery.json');
const good = vectors.filter(({ expect }) => expect === 'accept');
const key = good[0]?.recovery_key_hex ?? '';
const own = vectors.filter(({ recovery_key_hex }) => recovery_key_hex === key);
/** What a node really said: nothing else may ever come out. */
const SAID = good.map(({ rest_hex }) => rest_hex ?? '');

/** The parts are the pieces in which the body arrives. */
async function* arrive(input: Input): AsyncGenerator<Uint8Array> {
  for (const piece of input) if (piece.length > 0) yield piece;
}

export const recoveryTargets: readonly Target[] = [
  {
    name: 'recovery/claim-body',
    errors: [RecoveryError],
    corpus: () =>
      own.flatMap(({ body_hex }): Input[] => {
        const body = parseShortHex(body_hex);
        return [
          [body],
          [body.slice(0, 9), body.slice(9)],
          Array.from(body.slice(0, 200), (byte) => Uint8Array.of(byte)),
        ];
      }),
    async run(input) {
      const opened: Uint8Array[] = [];
      const { chainKey } = deriveRoots(parseHex(key));
      try {
        for await (const part of openClaimBody(arrive(input), chainKey, 0)) opened.push(part.slice());
      } finally {
        const text = encodeHex(concatBytes(...opened));
        insist(
          SAID.some((said) => said.startsWith(text)),
          'words were opened that no node sealed',
        );
      }
    },
  },
  {
    name: 'recovery/kept-head',
    errors: [RecoveryError],
    corpus: () => good.map(({ rest_hex }) => [parseHex(rest_hex ?? '')]),
    async run(input) {
      const { body } = await readKeptHead(arrive(input));
      for await (const _ of body);
    },
  },
  {
    name: 'wire/claim-request',
    errors: [WireError],
    corpus: () =>
      [0, 1, 65_536, 2 ** 20].map((haveBytes) => [
        encodeClaimRequest({ id: fill(16, 1), token: fill(32, 2), haveBytes }),
      ]),
    run([part = fill(0, 0)]) {
      const claim = parseClaimRequest(part);
      insist(
        equalBytes(encodeClaimRequest(parseClaimRequest(encodeClaimRequest(claim))), encodeClaimRequest(claim)),
        'a claim that means two things',
      );
    },
  },
];
