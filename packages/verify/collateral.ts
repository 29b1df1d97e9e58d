/**
 * What travels beside a bundle because it changes while the bundle does not: certificates, revocation lists, reference values
 * (spec/evidence.md §beside). From the server, or whoever has it: hostile, and worth nothing but for the vendors' signatures.
 */
import type { Certificate } from '@sotto/crypto/x509';
import type { NvidiaRoots } from '@sotto/evidence/nvidia';
import type { TdxCollateral } from '@sotto/evidence/tdx';

export const COLLATERAL_LIMIT_BYTES = 4 * 1024 * 1024;

export interface NodeCollateral {
  readonly tdx?: TdxCollateral | undefined;
  readonly sevSnp?:
    | {
        /** The certificate of the key that signed, in DER: of the chip, or lent to a cloud. */
        readonly endorsement: { readonly kind: 'vcek' | 'vlek'; readonly certificate: Uint8Array };
        /** AMD's keys between root and endorsement, in DER. */
        readonly intermediates: readonly Uint8Array[];
        /** The root's revocation list in DER; the policy says whether it may be absent. */
        readonly crl?: Uint8Array | undefined;
      }
    | undefined;
  readonly nvidia?:
    | {
        /** Manifests of reference values, in XML. */
        readonly rims: readonly string[];
        /** OCSP responses in DER. */
        readonly ocsp: readonly Uint8Array[];
      }
    | undefined;
}

/** Instead of the vendors' production roots: for tests, and for examples that say so. */
export interface TestRoots {
  readonly intel?: readonly Certificate[];
  readonly amd?: readonly Certificate[];
  readonly nvidia?: NvidiaRoots;
}

/** How much there is of it, in bytes and characters. */
export function collateralSize(part: unknown): number {
  if (typeof part === 'string' || part instanceof Uint8Array) return part.length;
  if (typeof part !== 'object' || part === null) return 0;
  return Object.values(part).reduce((sum: number, each) => sum + collateralSize(each), 0);
}
