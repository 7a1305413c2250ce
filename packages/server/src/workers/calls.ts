import type { AccessRequestDraft } from '@sluice/core/contract/approvals.ts';
import type { ConnectionRefusal, PolicyTexts, SealedAs, UnitCounts } from '@sluice/core/contract/control-plane.ts';
import type { ScramVerifier } from '@sluice/core/contract/identity.ts';
import type { OwnSession } from '@sluice/core/contract/operations.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { EndReason, SessionInfo } from '@sluice/core/domain/session.ts';
import type { Config } from '../config/config.ts';
import type { KeyFingerprints } from '../crypto/keys.ts';
import type { DataPlaneConfig } from '../data-plane.ts';

/** What a worker may ask of the control plane, and nothing else. */
export type ControlCalls = {
  readonly bearer: (token: string) => Promise<Principal>;
  readonly scramVerifier: (credential: string) => Promise<ScramVerifier>;
  readonly proves: (credential: string, secret: string) => Promise<boolean>;
  readonly redeem: (credential: string, target: string) => Promise<Principal>;
  readonly admit: (principal: Principal, credential: string | undefined) => Promise<void>;
  readonly openRequest: (draft: AccessRequestDraft) => Promise<AccessRequest>;
  /** `wait` is the worker's own number for this wait. */
  readonly settledRequest: (id: string, wait: number) => Promise<AccessRequest>;
  readonly stopWaiting: (wait: number) => void;
  readonly useRequest: (id: string, digest: string) => Promise<boolean>;
  readonly cancelRequest: (id: string) => Promise<void>;
  readonly pinsOf: (target: string) => Promise<ReadonlyMap<string, string>>;
  readonly putPin: (target: string, name: string, text: string, instead: string | undefined) => Promise<boolean>;
  readonly opening: (session: SessionInfo) => void;
  readonly recorded: (session: SessionInfo) => void | Promise<void>;
  readonly dropped: (session: string) => void;
  readonly opened: (session: SessionInfo) => void;
  readonly ended: (session: SessionInfo, reason: EndReason, counts: UnitCounts) => void;
  readonly sealed: (session: string, seal: SealedAs) => void;
  readonly ownRequest: (id: string) => Promise<AccessRequest | undefined>;
  readonly ownSessions: (principal: string, limit: number) => Promise<readonly OwnSession[]>;
  readonly credentialIsFor: (id: string, target: string) => Promise<boolean>;
  readonly tell: (connector: string, text: string) => Promise<void>;
  readonly refused: (refusal: ConnectionRefusal) => void;
};

/** What the gateway asks of a worker. */
export type WorkerCalls = {
  /** Resolves when connections can be handed over. */
  readonly start: (start: WorkerStart) => Promise<void>;
  /** Resolves when units are judged by them. Rejects when that can't be; the worker is about to end then. */
  readonly policies: (texts: PolicyTexts) => Promise<void>;
  readonly end: (session: string, reason: EndReason, message: string) => void;
  readonly told: (connector: string, text: string) => Promise<void>;
  /** Answered by whoever is not stuck. */
  readonly pulse: () => void;
  /** Metrics as objects for JSON. */
  readonly metrics: () => Promise<readonly object[]>;
  /** Ends all sessions; resolves when every recording is closed and the gateway was told of it. */
  readonly stop: () => Promise<void>;
};

export interface WorkerStart {
  /** From 1. */
  readonly number: number;
  readonly config: DataPlaneConfig & Pick<Config, 'recording'>;
  readonly pem: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined;
  readonly policies: PolicyTexts;
  /** Base URL of the API. */
  readonly apiUrl: string;
  readonly logFile: string | undefined;
  /** By which the keys that it reads are known to be the gateway's. */
  readonly keys: KeyFingerprints;
}
