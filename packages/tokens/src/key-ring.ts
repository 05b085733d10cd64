import type { JWTHeaderParameters } from 'jose';

/** Keys of one kind, and the only algorithms that they may be used with. */
export interface KeyRing {
  /** What `alg` of a token may be. */
  readonly algorithms: readonly string[];
  /** Whether tokens are signed by somebody else, whose `iss` and `aud` may be asked for. */
  readonly isForeign: boolean;
  /** The keys that may have signed a token with this header; none: its key is not known. */
  find(header: JWTHeaderParameters): Promise<readonly CryptoKey[]>;
  /** Until when what was verified with them may be relied on, in milliseconds of Unix time. */
  goodUntil(): number;
}

/** Algorithms of public keys. `Ed25519` is the newer name of what most still call `EdDSA`. */
export const PUBLIC_KEY_ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'RS256'] as const;
