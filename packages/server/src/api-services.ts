/** Puts the gateway's parts behind the ports of its HTTP API. */

import type { AuditSink } from '@sluice/core/contract/audit.ts';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Connector, Log } from '@sluice/core/contract/connector.ts';
import type { Identity } from '@sluice/core/contract/identity.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import type { ApiServices, Health, SessionRecord } from './api/services.ts';
import type { AccessRequestService } from './approvals/service.ts';
import type { HostPort } from './config/host-port.ts';
import type { AccessCredentials } from './credentials/access-credentials.ts';
import type { PublicKey } from './crypto/public-keys.ts';
import { dryRun } from './policy/dry-run.ts';
import { rightTo } from './policy/may-connect.ts';
import type { PolicyFiles, PolicyFilesStatus } from './policy/policy-files.ts';
import type { RecordingLibrary } from './recording/library.ts';
import type { LiveSessions } from './sessions/live-sessions.ts';
import type { SessionEntry, SessionIndex } from './store/session-index.ts';

export interface ApiParts {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  readonly targets: ReadonlyMap<string, Target>;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly policies: PolicyFiles;
  /** What is in force wherever units are judged. */
  policyStatus(): PolicyFilesStatus;
  /** How what serves connections is; see `Health`. */
  serving(): Health;
  readonly credentials: AccessCredentials;
  readonly requests: AccessRequestService;
  readonly index: SessionIndex;
  readonly live: LiveSessions;
  readonly library: RecordingLibrary;
  readonly publicKeys: readonly PublicKey[];
  /** Where the gateway listens for clients of a connector; undefined when it does not, or not yet. */
  listening(connector: string): HostPort | undefined;
  isMasked(text: string): boolean;
  ping(): Promise<void>;
}

export function apiServices(parts: ApiParts): ApiServices {
  const { clock, targets, policies, index, live, library } = parts;
  const connectorOf = (target: Target): Connector => {
    const connector = parts.connectors.get(target.connector);
    if (!connector) throw new Error(`no connector ${target.connector}`);
    return connector;
  };
  return {
    identity: parts.identity,
    clock,
    log: parts.log,
    audit: parts.audit,
    authorize: (principal, verb, name, client) => {
      const effect = rightTo({ clock, policies, targets }, verb, principal, name, client);
      return effect === 'allow' || (verb === 'connect' && effect === 'hold');
    },
    targets: {
      list: () => [...targets.values()],
      access: (target) => {
        const [address, { clientAccess }] = [parts.listening(target.connector), connectorOf(target)];
        return { ...(address ? { address } : {}), ...(clientAccess ? { clientAccess } : {}) };
      },
    },
    credentials: parts.credentials,
    requests: parts.requests,
    sessions: {
      list: async (filter) => (await index.list(filter)).map(recordOf),
      get: async (id) => {
        const entry = await index.get(id);
        return entry && recordOf(entry);
      },
      kill: (id, by) => live.kill(id, by),
    },
    recordings: { open: (id) => library.open(id), events: (id) => library.events(id) },
    policies: {
      current: () => {
        const { hash, epoch, files, problems } = parts.policyStatus();
        return problems.length === 0 ? { hash, epoch, files } : { hash, epoch, files, problems };
      },
      dryRun: (question) =>
        dryRun(
          {
            clock,
            policies,
            order: { isMasked: parts.isMasked, discharges: (id) => parts.connectors.get(id)?.discharges ?? [] },
            target: (name) => targets.get(name),
            interpret: (target, text) => connectorOf(target).interpret(target.name, text),
          },
          question,
        ),
    },
    keys: async () =>
      parts.publicKeys.map(({ keyId, publicKey, retiredAt }) => ({
        keyId,
        publicKey: Buffer.from(publicKey, 'base64'),
        current: retiredAt === undefined,
      })),
    health: async () => {
      const store = await parts.ping().then(
        () => true,
        () => false,
      );
      const { ready, checks } = parts.serving();
      return {
        ready: store && ready,
        checks: { store, policies: policies.status().problems.length === 0, ...checks },
      };
    },
  };
}

function recordOf(entry: SessionEntry): SessionRecord {
  const { principal } = entry;
  return {
    id: entry.id,
    principal: { kind: principal.kind, id: principal.id, displayName: principal.displayName },
    target: entry.target,
    connector: entry.connector,
    client: entry.client,
    startedAt: entry.startedAt,
    live: entry.live,
    ...(entry.endedAt === undefined ? {} : { endedAt: entry.endedAt }),
    ...(entry.endReason === undefined ? {} : { endReason: entry.endReason }),
    ...(entry.counts === undefined ? {} : { counts: entry.counts }),
  };
}
