import type { ObligationKind } from '../domain/decision.ts';
import type { Principal } from '../domain/principal.ts';
import type { Redacted } from '../domain/redacted.ts';
import type { RunContext } from '../domain/run.ts';
import type { Unit } from '../domain/unit.ts';
import type { Clock } from './clock.ts';
import type { Declarations } from './declarations.ts';
import type { Identity } from './identity.ts';
import type { LabelMap } from './labels.ts';
import type { ClientLink } from './link.ts';
import type { OperationDeclaration, OperationSession, Operations } from './operations.ts';
import type { Peers } from './peers.ts';
import type { Pins } from './pins.ts';
import type { HoldNotice, Session } from './session.ts';
import type { DialAside, TargetSettings } from './upstream.ts';

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
  /** The protocol itself keeps others from reading along, whatever the link below it does. */
  readonly secure?: true;
  /**
   * The client wants to be told at once that something waits for consent, and sends it again later: no unit of the
   * session is ever kept waiting.
   */
  readonly resend?: boolean;
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

/** A target of the connector's own kind. */
export interface ConnectorTarget {
  readonly name: string;
  readonly settings: TargetSettings;
}

export interface ConnectorPorts {
  /** All targets whose `connector` this is. */
  readonly targets: readonly ConnectorTarget[];
  /**
   * An Ed25519 private key of this connector's own (PKCS #8, PEM), by a name of its choice (`host`, `authority`): made
   * when first asked for, the same ever after.
   */
  key(name: string): Redacted;
  /** What this gateway holds the connector's targets to. */
  readonly pins: Pins;
  /** What other connectors can do at their targets. */
  readonly operations: Operations;
  /** Issuers whose tokens are believed, as their URLs; for telling a client where to get one. */
  readonly issuers: readonly string[];
  readonly clock: Clock;
  readonly labels: LabelMap;
  readonly limits: Limits;
  readonly log: Log;
  readonly dialAside: DialAside;
  /** The same connector in the gateway's other processes; absent where there is one process. */
  readonly peers?: Peers;
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
  /** What it can do for callers that do not speak its protocol. */
  readonly operations?: readonly OperationDeclaration[];
  /**
   * Opens a session for such a caller, by `open` and with everything that a client's session has. Present exactly when
   * there are operations. Rejects like `open`.
   */
  operate?(opening: Opening, open: Admission['open']): Promise<OperationSession>;
  /**
   * What a client begins on one connection it goes on with on others, and what is begun is kept here: connections from
   * one address are served by one process, as long as that lives.
   */
  readonly keepsClients?: true;
  /** What clients of the protocol can use beside an access credential's id and secret. */
  readonly clientAccess?: ClientAccess;
  close(): Promise<void>;
}

/** Turns an access credential into what the protocol's own clients can use without being asked for a password. */
export interface ClientAccess {
  /**
   * Made for the client's public key (in the protocol's own text form): good as long as the access credential is, and
   * only for its target. Throws `CoreError('client_protocol')` for a key it can't use.
   */
  certify(wish: {
    readonly credential: string;
    readonly target: string;
    readonly publicKey: string;
    /** Unix milliseconds. */
    readonly expiresAt: number;
  }): {
    /** In the protocol's own text form, one line. */
    readonly certificate: string;
    /** What tells the client that it speaks to this gateway: the gateway's own public keys, one line each. */
    readonly gatewayKeys: readonly string[];
  };
}

export type ConnectorFactory = (ports: ConnectorPorts) => Connector;
