/** What the API needs of the rest of the gateway, as small ports: types only. main.ts puts the real parts behind them. */
import type { GatewayVerb } from '@sluice/api/caller.ts';
import type { AuditSink } from '@sluice/core/contract/audit.ts';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { ClientAccess, Log } from '@sluice/core/contract/connector.ts';
import type { Identity } from '@sluice/core/contract/identity.ts';
import type { AccessRequest, AccessRequestState } from '@sluice/core/domain/access-request.ts';
import type { Decision } from '@sluice/core/domain/decision.ts';
import type { Principal, PrincipalRef } from '@sluice/core/domain/principal.ts';
import type { Redacted } from '@sluice/core/domain/redacted.ts';
import type { ClientInfo } from '@sluice/core/domain/session.ts';
import type { Target } from '@sluice/core/domain/target.ts';

export interface ApiServices {
  readonly identity: Pick<Identity, 'bearer'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  /**
   * Whether policy lets the principal do this on the target: false for an unknown target and on any error. For
   * `connect` a hold counts as true (the session itself will be held); for the gateway's own verbs it does not.
   */
  authorize(principal: Principal, verb: 'connect' | GatewayVerb, target: string, client: ClientInfo): boolean;
  readonly targets: {
    list(): readonly Target[];
    access(target: Target): TargetAccess;
  };
  readonly credentials: AccessCredentials;
  readonly requests: AccessRequests;
  readonly sessions: Sessions;
  readonly recordings: Recordings;
  readonly policies: Policies;
  /** Public keys of seals, the current one and those before it. */
  keys(): Promise<readonly SealKey[]>;
  health(): Promise<Health>;
  /** For facts of the API itself; what the services do (an approval, a kill, a revocation) they record themselves. */
  readonly audit: AuditSink;
}

/** How clients get to a target. */
export interface TargetAccess {
  /** Where the gateway listens for them; absent when it does not. */
  readonly address?: { readonly host: string; readonly port: number };
  /** For protocols whose clients can use a certificate in place of the secret. */
  readonly clientAccess?: Pick<ClientAccess, 'certify'>;
}

export interface IssuedCredential {
  readonly id: string;
  readonly secret: Redacted;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

export interface CredentialRecord {
  readonly id: string;
  /** Id of the principal it was issued to. */
  readonly principal: string;
  readonly target: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usesLeft?: number;
  readonly revokedAt?: number;
}

export interface AccessCredentials {
  /** Without `ttlMs` the configured default applies. */
  issue(wanted: {
    readonly principal: Principal;
    readonly target: string;
    readonly ttlMs?: number;
    readonly uses?: number;
  }): Promise<IssuedCredential>;
  list(principalId: string): Promise<readonly CredentialRecord[]>;
  find(id: string): Promise<CredentialRecord | undefined>;
  /** Also ends the sessions opened with it. */
  revoke(id: string, by: Principal): Promise<void>;
}

export interface AccessRequestFilter {
  readonly state?: AccessRequestState;
  readonly target?: string;
  readonly limit: number;
  /** Only those created before this time (Unix milliseconds). */
  readonly before?: number;
}

export interface AccessRequests {
  /** Newest first. */
  list(filter: AccessRequestFilter): Promise<readonly AccessRequest[]>;
  get(id: string): Promise<AccessRequest | undefined>;
  /** Rejects with a SluiceError whose public message says why the answer does not count. */
  answer(id: string, reviewer: Principal, answer: 'approve' | 'deny', comment?: string): Promise<AccessRequest>;
  /** Takes an unused grant back. Rejects with a SluiceError when there is none. */
  revoke(id: string, by: Principal): Promise<AccessRequest>;
}

export interface SessionFilter {
  readonly target?: string;
  readonly principal?: string;
  readonly live?: boolean;
  readonly limit: number;
  /** Only those started before this time (Unix milliseconds). */
  readonly before?: number;
}

export interface SessionRecord {
  readonly id: string;
  readonly principal: PrincipalRef & { readonly displayName: string };
  readonly target: string;
  /** Id of its connector. */
  readonly connector: string;
  readonly client: ClientInfo;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly endReason?: string;
  readonly live: boolean;
  readonly counts?: Readonly<Record<string, number>>;
}

export interface Sessions {
  /** Newest first. */
  list(filter: SessionFilter): Promise<readonly SessionRecord[]>;
  get(id: string): Promise<SessionRecord | undefined>;
  /** False when the session is over already. */
  kill(id: string, by: Principal): Promise<boolean>;
}

export interface Recordings {
  /** The bytes written so far, or undefined when there is no recording of that name. */
  open(sessionId: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Its events in order, in the form of the JSON Lines export. */
  events(sessionId: string): AsyncIterable<object>;
}

export interface PolicyProblem {
  readonly path?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

export interface Policies {
  current(): {
    readonly hash: string;
    readonly epoch: number;
    readonly files: readonly string[];
    /** Why the newest files are not in force. */
    readonly problems?: readonly PolicyProblem[];
  };
  /** Rejects with a SluiceError when the statement has no meaning on the target. */
  dryRun(question: {
    readonly principal: Principal;
    readonly target: string;
    readonly statement: string;
    readonly client: ClientInfo;
  }): Promise<DryRun>;
}

export interface DryRun {
  readonly decision: Decision;
  readonly actions: readonly {
    readonly verb: string;
    readonly access: string;
    readonly resources: readonly string[];
    /** Serialisable: which policies decided, which nearly did. */
    readonly explanation: object;
  }[];
  readonly labels: readonly string[];
  readonly masked: readonly string[];
}

export interface SealKey {
  readonly keyId: string;
  /** The 32 raw bytes of an Ed25519 public key. */
  readonly publicKey: Uint8Array;
  readonly current: boolean;
}

export interface Health {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, boolean>>;
}
