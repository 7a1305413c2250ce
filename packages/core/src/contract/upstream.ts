import type { Redacted } from '../domain/redacted.ts';
import type { TlsMode, UpstreamSocket } from './link.ts';

/** What the gateway logs in with; the client never sees any of it. */
export interface UpstreamCredential {
  /** Empty where the connector needs none. */
  readonly username: string;
  /** By the key the connector declared: `password`, `private_key`, … */
  readonly secrets: Readonly<Record<string, Redacted>>;
}

/** A key that targets of a connector have in the configuration, beside those that every target has. */
export interface TargetSetting {
  /** Lower case with underscores. */
  readonly key: string;
  readonly form: 'text' | 'list';
  readonly required?: true;
  /** Values it may have; absent for any text. */
  readonly values?: readonly string[];
  /** Longest value, or longest entry of a list, in characters; 256 if absent. */
  readonly longest?: number;
  /** Why the value (or an entry of the list) can't be used, for people; undefined when it can. Never repeats a secret. */
  readonly problem?: (value: string) => string | undefined;
  /** One or two sentences for the reference page. */
  readonly doc: string;
}

/** A target as the operator wrote it, without the values of its secrets. */
export interface WrittenTarget {
  readonly name: string;
  readonly reachedBy: 'address' | 'command';
  readonly settings: TargetSettings;
  /** Keys of the secrets it names. */
  readonly secrets: readonly string[];
}

/** Why a target can't be as it is written, for people. */
export interface TargetProblem {
  /** Name of the target. */
  readonly target: string;
  /** The setting or the secret to look at; absent for the target as a whole. */
  readonly key?: string;
  /** Never repeats a secret. */
  readonly message: string;
}

/** What the configuration may say about targets of a connector. */
export interface TargetForm {
  readonly settings: readonly TargetSetting[];
  readonly credential: {
    readonly username: 'required' | 'optional' | 'none';
    /** Secrets it may name, each a reference to where the secret is. */
    readonly secrets: readonly { readonly key: string; readonly doc: string }[];
  };
  /**
   * `address`: a socket is opened to it. `command`: a program is started for each session, and the link is its standard
   * input and output.
   */
  readonly reachedBy: readonly ('address' | 'command')[];
  /**
   * How what bears labels is named below the target, `<schema>.<table>.<column>`, when that is always so many names; a
   * pattern for labels that has more or fewer is then an error. Absent where data has any depth.
   */
  readonly labelled?: string;
  /** Set where the protocol has its own encryption in place of TLS: its targets have no key `tls`. */
  readonly encrypted?: true;
  /** What single values can't show: settings that need each other, targets that would be taken for one another. */
  readonly check?: (targets: readonly WrittenTarget[]) => readonly TargetProblem[];
}

/** What the operator wrote for a target under the keys that its connector declared: a text, or a list of texts. */
export type TargetSettings = Readonly<Record<string, string | readonly string[]>>;

/** A target as its connector needs it to log in: connector-specific settings are strings from the configuration. */
export interface UpstreamAccess {
  readonly socket: UpstreamSocket;
  readonly tls: TlsMode;
  readonly credential: UpstreamCredential;
  readonly settings: TargetSettings;
  /** Where the target is, `host:port` as the operator wrote it; absent where the socket is a program's input and output. */
  readonly address?: string;
}

/** Dials a target for the gateway's own use (reading a catalog, passing a cancel on); never for a client's units. */
export type DialAside = (targetName: string) => Promise<UpstreamAccess>;
