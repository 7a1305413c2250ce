/**
 * What serves connections (a data plane: listeners, connectors, pipeline, recorders) and what is known once for all of
 * them (the control plane: who somebody is, access requests, revocations, the index of sessions, the journal) meet at
 * this port. In one process it is function calls; a worker has an implementation that asks over a channel, so that
 * everything here is plain data, and whatever answers is asynchronous. Nothing here decides about a unit: policy is
 * judged where the unit is, by the texts that the control plane has accepted. There is no way here to answer an access
 * request, to issue an access credential or to end somebody else's session.
 */
import type { AccessRequest } from '../domain/access-request.ts';
import type { Principal } from '../domain/principal.ts';
import type { EndReason, SessionInfo } from '../domain/session.ts';
import type { AccessRequestBook } from './approvals.ts';
import type { Identity } from './identity.ts';
import type { OwnSession } from './operations.ts';
import type { Pins } from './pins.ts';

export interface ControlPlane {
  readonly identity: Identity;
  /**
   * Asked before a session opens, since a proof may be older than the session. Rejects with the one refusal when the
   * access credential was revoked since or has expired, or when the principal or anybody behind it was disabled.
   */
  admit(principal: Principal, credential: string | undefined): Promise<void>;
  readonly requests: AccessRequestBook;
  readonly pins: Pins;
  readonly sessions: SessionRegister;
  readonly own: OwnRecords;
  readonly policies: PolicyTextSource;
  readonly peers: PeerLine;
  /** Records a connection refused before it had a session. May throw `recording_failed`; nothing follows from it. */
  refused(refusal: ConnectionRefusal): void;
}

/** What a data plane tells of its sessions, in the order in which it happens, and what it is told about them. */
export interface SessionRegister {
  /** Before the recording's file is made: should the data plane die, the file is looked for. */
  opening(session: SessionInfo): void;
  /**
   * The recording is there. Rejects (or throws) with `recording_failed` when nobody can witness it; then nothing may
   * happen in the session, and its recording is removed.
   */
  recorded(session: SessionInfo): void | Promise<void>;
  /** There is no recording after all, and no session. */
  dropped(session: string): void;
  /** It is open: it shows among the live sessions, and is ended when what it stands on was revoked meanwhile. */
  opened(session: SessionInfo): void;
  ended(session: SessionInfo, reason: EndReason, counts: UnitCounts): void;
  /** The recording was closed and sealed. */
  sealed(session: string, seal: SealedAs): void;
  /** Called for each session of this data plane that is to end now; called for others as well, which it doesn't know. */
  onEnd(callback: (session: string, reason: EndReason, message: string) => void): void;
}

export interface UnitCounts {
  readonly units: number;
  readonly denied: number;
  readonly held: number;
}

export interface SealedAs {
  readonly reason: EndReason;
  readonly events: number;
  /** Lower-case hex. */
  readonly head: string;
}

/** What principals may know of their own, for callers of operations. */
export interface OwnRecords {
  request(id: string): Promise<AccessRequest | undefined>;
  /** Newest first. */
  sessions(principal: string, limit: number): Promise<readonly OwnSession[]>;
  /** Whether an access credential is for the target, and nobody took it back. */
  credentialIsFor(id: string, target: string): Promise<boolean>;
}

/** A policy set that was accepted, as texts. */
export interface PolicyTexts {
  /** Lower-case hex SHA-256 of the set that they make: whoever gets another one from them must not decide by it. */
  readonly hash: string;
  readonly epoch: number;
  /** Paths are relative to the configuration's directory. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export interface PolicyTextSource {
  current(): PolicyTexts;
  /** Returns the function that unsubscribes. */
  onChange(callback: (texts: PolicyTexts) => void): () => void;
}

/** Words between the same connector's instances in different processes; see `Peers`. */
export interface PeerLine {
  /** Resolves when every other one has dealt with it or is gone. Never rejects. */
  tell(connector: string, text: string): Promise<void>;
  /** `callback` may take its time; whoever tells waits for it. */
  onTold(callback: (connector: string, text: string) => void | Promise<void>): void;
}

export interface ConnectionRefusal {
  /** Id of the connector. */
  readonly channel: string;
  readonly code: string;
  readonly user: string;
  readonly target: string;
  readonly address: string;
}
