import type { ObligationKind } from '../domain/decision.ts';
import type { Principal } from '../domain/principal.ts';
import type { RunContext } from '../domain/run.ts';
import type { Unit } from '../domain/unit.ts';
import type { Clock } from './clock.ts';
import type { Declarations } from './declarations.ts';
import type { Identity } from './identity.ts';
import type { LabelMap } from './labels.ts';
import type { ClientLink } from './link.ts';
import type { HoldNotice, Session } from './session.ts';
import type { DialAside } from './upstream.ts';

/** Bounds a connector keeps; sizes in bytes, times in milliseconds. */
export interface Limits {
  readonly preAuthBytes: number;
  readonly preAuthTime: number;
  readonly messageBytes: number;
  readonly statementBytes: number;
}

export interface Opening {
  readonly principal: Principal;
  readonly target: string;
  /** Id of the access credential that proved the principal. */
  readonly credential?: string;
  readonly application?: string;
  readonly run?: RunContext;
  /** Called when policy holds the connect itself, so that the client can be told. */
  onHold(notice: HoldNotice): void;
  /** Resolves when the client is gone, so that a held connect is withdrawn. */
  readonly gone: Promise<void>;
}

/** What stands between an accepted socket and a session. */
export interface Admission {
  readonly identity: Identity;
  /**
   * Opens a session: `connect` is judged, the recording opened, the upstream credential fetched, the target dialled.
   * Rejects with a CoreError whose public message may be shown (`denied`, `unknown_target`, `upstream_unreachable`, …).
   */
  open(opening: Opening): Promise<Session>;
  /** Records a connection refused before it had a session. */
  refused(code: string, user: string, target: string): void;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ConnectorPorts {
  readonly clock: Clock;
  readonly labels: LabelMap;
  readonly limits: Limits;
  readonly log: Log;
  readonly dialAside: DialAside;
}

/** One protocol. It knows bytes and what they mean; it never decides, and opens no socket. */
export interface Connector {
  readonly id: string;
  readonly declares: Declarations;
  /** Obligations it can carry out; any other turns an allow into a deny. */
  readonly discharges: readonly ObligationKind[];
  /** Serves one client connection to its end. Never rejects for anything the client sends. */
  accept(client: ClientLink, admission: Admission): Promise<void>;
  /** What a text would mean if this principal sent it now; for dry runs. Rejects with a CoreError when it has no meaning. */
  interpret(target: string, text: string): Promise<Unit>;
  close(): Promise<void>;
}

export type ConnectorFactory = (ports: ConnectorPorts) => Connector;
