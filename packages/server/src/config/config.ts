import { dirname, resolve } from 'node:path';
import type { Limits } from '@sluice/core/contract/connector.ts';
import type { TlsMode } from '@sluice/core/contract/link.ts';
import type { TargetSettings } from '@sluice/core/contract/upstream.ts';
import type { PrincipalKind } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import type { Environment } from './environment.ts';
import type { HostPort } from './host-port.ts';
import type { ConfigProblem } from './problem.ts';
import { parseReference, type Reference } from './scalars.ts';
import type { ConfigDocument } from './schema.ts';
import type { KnownConnector } from './schema-targets.ts';
import { readSecretNow } from './secrets.ts';

export interface IssuerConfig {
  readonly issuer: string;
  readonly audience: readonly string[];
  /** Clients whose tokens are accepted; absent for any. */
  readonly authorizedParties?: readonly string[];
  /** A claim's name, or a path of names joined by dots. */
  readonly groupsClaim: string;
  readonly groupsPrefix?: string;
  readonly kindClaim: string;
  readonly defaultKind: PrincipalKind;
  readonly ownerClaim?: string;
  readonly jwksUri?: string;
  /** JWS `alg` values; absent for every asymmetric one. */
  readonly algorithms?: readonly string[];
}

export interface TargetConfig extends Target {
  /** Exactly one of the two is there. */
  readonly address?: HostPort;
  /** Program and arguments. */
  readonly command?: readonly string[];
  readonly tls: { readonly mode: TlsMode /** Absolute path of a PEM file. */; readonly ca?: string };
  readonly credential: { readonly username: string; readonly secrets: Readonly<Record<string, Reference>> };
  /** What the connector declared, as written. */
  readonly settings: TargetSettings;
}

export type StoreConfig = { readonly kind: 'embedded' } | { readonly kind: 'postgres'; readonly url: Redacted };

/** sluice.yaml, checked, with defaults filled in. Paths are absolute, times in milliseconds, sizes in bytes. */
export interface Config {
  readonly file: string;
  /** Where relative paths and globs of the file start. */
  readonly dir: string;
  readonly listen: {
    readonly api: HostPort;
    readonly metrics?: HostPort;
    /** By connector id. */
    readonly connectors: Readonly<Record<string, HostPort>>;
  };
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly dataDir: string;
  readonly store: StoreConfig;
  readonly identity: { readonly issuers: readonly IssuerConfig[] };
  readonly accessCredentials: { readonly defaultTtl: number; readonly maxTtl: number };
  readonly targets: readonly TargetConfig[];
  /** Globs as written, relative to `dir`. */
  readonly policies: readonly string[];
  readonly masking: {
    readonly labels: Readonly<Record<string, readonly string[]>>;
    /** Labels to look for in cells that bear none. */
    readonly detect: readonly string[];
    /** Labels to look for in what has no cells. */
    readonly detectText: readonly string[];
    readonly strategies: Readonly<Record<string, 'redact' | 'partial' | 'null' | 'hash' | 'token'>>;
  };
  readonly recording: {
    readonly durability: 'group' | 'strict';
    readonly syncInterval: number;
    readonly capPerResult: number;
  };
  readonly approvals: {
    readonly timeout: number;
    readonly park: number;
    readonly grantTtl: number;
    readonly maxPending: number;
  };
  readonly limits: Limits;
  /** Processes that serve connections; 1 is the gateway's own. */
  readonly workers: number;
  /** What is allowed but should be known; say it once at start. */
  readonly warnings: readonly ConfigProblem[];
}

/** Puts a document that passed every check into the gateway's terms. Throws a SecretError when a reference went stale. */
export function assemble(
  document: ConfigDocument,
  source: Pick<Config, 'file' | 'warnings'>,
  connectors: readonly KnownConnector[],
  environment: Environment,
): Config {
  const dir = dirname(source.file);
  const { api, metrics, ...listeners } = document.listen;
  const { identity, masking, recording, approvals, limits } = document;
  return {
    ...source,
    dir,
    listen: { api, ...defined({ metrics }), connectors: defined(listeners) },
    ...(document.tls ? { tls: { cert: resolve(dir, document.tls.cert), key: resolve(dir, document.tls.key) } } : {}),
    dataDir: resolve(dir, document.data_dir),
    store: storeOf(document.store, dir, environment),
    identity: {
      issuers: identity.issuers.map((issuer) => ({
        issuer: issuer.issuer,
        audience: issuer.audience,
        groupsClaim: issuer.groups_claim,
        kindClaim: issuer.kind_claim,
        defaultKind: issuer.default_kind,
        ...defined({
          authorizedParties: issuer.authorized_parties,
          groupsPrefix: issuer.groups_prefix,
          ownerClaim: issuer.owner_claim,
          jwksUri: issuer.jwks_uri,
          algorithms: issuer.algorithms,
        }),
      })),
    },
    accessCredentials: {
      defaultTtl: document.access_credentials.default_ttl,
      maxTtl: document.access_credentials.max_ttl,
    },
    targets: document.targets.map((target) => targetOf(target, dir, connectors)),
    policies: document.policies,
    masking: {
      labels: masking.labels,
      detect: masking.detect,
      detectText: masking.detect_text,
      strategies: masking.strategies,
    },
    recording: {
      durability: recording.durability,
      syncInterval: recording.sync_interval,
      capPerResult: recording.cap_per_result,
    },
    approvals: {
      timeout: approvals.timeout,
      park: approvals.park,
      grantTtl: approvals.grant_ttl,
      maxPending: approvals.max_pending,
    },
    limits: {
      preAuthBytes: limits.pre_auth_bytes,
      preAuthTime: limits.pre_auth_time,
      messageBytes: limits.message_bytes,
      statementBytes: limits.statement_bytes,
    },
    workers: document.workers,
  };
}

export type TargetDocument = ConfigDocument['targets'][number];

function targetOf(target: TargetDocument, dir: string, connectors: readonly KnownConnector[]): TargetConfig {
  const secrets = Object.entries(secretsOf(target.credential)).map(([key, secret]) => [key, absolute(secret, dir)]);
  const tls = tlsOf(target);
  const { address, command } = reachOf(target);
  return {
    name: target.name,
    connector: target.connector,
    tags: target.tags,
    ...defined({ address, command }),
    tls: tls?.ca === undefined ? (tls ?? { mode: 'disable' }) : { mode: tls.mode, ca: resolve(dir, tls.ca) },
    credential: { username: usernameOf(target.credential), secrets: Object.fromEntries(secrets) },
    settings: settingsOf(target, connectors),
  };
}

/** Which of the two there may be is the connector's to say, so that the type of the document can't know. */
export function reachOf(target: object): { readonly address?: HostPort; readonly command?: readonly string[] } {
  return target;
}

/** Undefined where the connector has no such key. */
export function tlsOf(target: object): { readonly mode: TlsMode; readonly ca?: string } | undefined {
  return (target as { readonly tls?: { readonly mode: TlsMode; readonly ca?: string } }).tls;
}

/** What its connector declared, as written. */
export function settingsOf(target: TargetDocument, connectors: readonly KnownConnector[]): TargetSettings {
  const written: Readonly<Record<string, unknown>> = target;
  const settings: Record<string, string | readonly string[]> = {};
  for (const { key } of connectors.find(({ id }) => id === target.connector)?.targets.settings ?? []) {
    const value = written[key];
    if (typeof value === 'string' || Array.isArray(value)) settings[key] = value;
  }
  return settings;
}

function usernameOf(credential: object): string {
  return 'username' in credential && typeof credential.username === 'string' ? credential.username : '';
}

function storeOf(store: string, dir: string, environment: Environment): StoreConfig {
  if (store === 'embedded') return { kind: 'embedded' };
  const reference = parseReference(store);
  return {
    kind: 'postgres',
    url: reference ? readSecretNow(absolute(reference, dir), environment) : new Redacted(store),
  };
}

/** The references in a target's credential; which there may be is the connector's to say. */
export function secretsOf(credential: object): Record<string, Reference> {
  const { username: _, ...secrets } = credential as { readonly username?: string };
  return Object.fromEntries(
    Object.entries(secrets as Record<string, Reference | undefined>).flatMap(([key, value]) =>
      value ? [[key, value]] : [],
    ),
  );
}

/** A reference whose path no longer depends on where it was written. */
export function absolute(reference: Reference, dir: string): Reference {
  return reference.kind === 'file' ? { kind: 'file', path: resolve(dir, reference.path) } : reference;
}

/** Without the keys that have no value, as `exactOptionalPropertyTypes` wants it. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
