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
}

/** What the operator wrote for a target under the keys that its connector declared: a text, or a list of texts. */
export type TargetSettings = Readonly<Record<string, string | readonly string[]>>;

/** A target as its connector needs it to log in: connector-specific settings are strings from the configuration. */
export interface UpstreamAccess {
  readonly socket: UpstreamSocket;
  readonly tls: TlsMode;
  readonly credential: UpstreamCredential;
  readonly settings: TargetSettings;
}

/** Dials a target for the gateway's own use (reading a catalog, passing a cancel on); never for a client's units. */
export type DialAside = (targetName: string) => Promise<UpstreamAccess>;
