import type { PrincipalKind } from '@sluice/core/domain/principal.ts';

/** What the operator says about one issuer. */
export interface IssuerSettings {
  /** Exactly as in `iss`; https, or http on loopback. */
  readonly issuer: string;
  /** One of these must be in `aud`. */
  readonly audience: readonly string[];
  /** Clients whose tokens are accepted; absent for any. */
  readonly authorizedParties?: readonly string[];
  /** A claim's name, or a path of names joined by dots. */
  readonly groupsClaim: string;
  readonly groupsPrefix?: string;
  readonly kindClaim: string;
  /** For tokens without the kind claim. */
  readonly defaultKind: PrincipalKind;
  readonly ownerClaim?: string;
  /** Absent: discovered. */
  readonly jwksUri?: string;
  /** Absent: every asymmetric one. */
  readonly algorithms?: readonly string[];
}
