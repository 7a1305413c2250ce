/** Services kept in memory, for tests of the API and of what speaks to it. Their rules are plain tables, no policy. */
import type { GatewayVerb } from '@sluice/api/caller.ts';
import { advance } from '@sluice/core/approvals/machine.ts';
import { refusalText } from '@sluice/core/approvals/refusal.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import type { AuditEvent } from '@sluice/core/domain/audit-event.ts';
import type { Decision } from '@sluice/core/domain/decision.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import type { Principal, PrincipalKind } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import type { ApiServices, CredentialRecord, SessionRecord, TargetAccess } from '../services.ts';

export const issuer = 'https://id.example';

export function principal(kind: PrincipalKind, subject: string, groups: readonly string[] = []): Principal {
  return {
    kind,
    id: `${issuer}#${subject}`,
    issuer,
    subject,
    displayName: subject,
    groups,
    chain: [],
    expiresAt: Date.now() + 3_600_000,
  };
}

/** `<subject>-token` is the token of each. */
export const people = {
  bot: { ...principal('agent', 'bot', ['react-agents']), owner: { kind: 'user', id: `${issuer}#dana` } },
  dana: principal('user', 'dana', ['engineers']),
  alex: principal('user', 'alex', ['dba']),
  stranger: principal('user', 'stranger'),
} as const satisfies Record<string, Principal>;

export type Person = keyof typeof people;

export function tokenOf(person: Person): string {
  return `${person}-token`;
}

const grants: Readonly<Record<string, readonly string[]>> = {
  connect: [people.bot.id, people.dana.id, people.alex.id],
  'gateway:view': [people.alex.id],
  'gateway:manage': [people.alex.id],
};

export interface TestServices extends ApiServices {
  readonly audited: AuditEvent[];
  readonly logged: { level: string; fields: object; message: string }[];
  readonly credentialRows: Map<string, CredentialRecord>;
  readonly requestRows: Map<string, AccessRequest>;
  readonly sessionRows: Map<string, SessionRecord>;
  readonly recordingBytes: Map<string, Uint8Array>;
  readonly eventRows: Map<string, object[]>;
  /** How the target `ledger` is reached; by nothing when absent. */
  ledgerAccess?: TargetAccess;
  ready: boolean;
  /** Milliseconds that its clock is ahead. */
  later: number;
}

export function testServices(): TestServices {
  const audited: AuditEvent[] = [];
  const logged: TestServices['logged'] = [];
  const credentialRows = new Map<string, CredentialRecord>();
  const requestRows = new Map<string, AccessRequest>();
  const sessionRows = new Map<string, SessionRecord>();
  const recordingBytes = new Map<string, Uint8Array>();
  const eventRows = new Map<string, object[]>();
  const log = (level: string) => (fields: object, message: string) => void logged.push({ level, fields, message });
  const services: TestServices = {
    audited,
    logged,
    credentialRows,
    requestRows,
    sessionRows,
    recordingBytes,
    eventRows,
    ready: true,
    later: 0,
    clock: { now: () => Date.now() + services.later },
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    audit: { record: (event) => void audited.push(event) },
    identity: {
      async bearer(token) {
        const known = Object.values(people).find((one) => `${one.subject}-token` === token.reveal());
        if (!known) throw new CoreError('unauthenticated', 'client', 'Authentication failed.');
        return known;
      },
    },
    authorize: (who, verb: 'connect' | GatewayVerb, target) =>
      ['shop', 'ledger'].includes(target) && (grants[verb]?.includes(who.id) ?? false),
    targets: {
      list: () => [
        { name: 'shop', connector: 'postgres', tags: ['env=test'] },
        { name: 'ledger', connector: 'postgres', tags: [] },
      ],
      access: ({ name }) =>
        name === 'shop' ? { address: { host: '127.0.0.1', port: 6432 } } : (services.ledgerAccess ?? {}),
    },
    credentials: {
      async issue({ principal: who, target, ttlMs, uses }) {
        if ((ttlMs ?? 0) > 86_400_000) throw new CoreError('client_protocol', 'client', 'The ttl is longer than 1d.');
        const id = `sac_${credentialRows.size + 1}`;
        const expiresAt = Date.now() + (ttlMs ?? 900_000);
        credentialRows.set(id, {
          id,
          principal: who.id,
          target,
          createdAt: Date.now(),
          expiresAt,
          ...(uses === undefined ? {} : { usesLeft: uses }),
        });
        return { id, secret: new Redacted(`secret-of-${id}`), expiresAt };
      },
      list: async (id) => [...credentialRows.values()].filter((row) => row.principal === id),
      find: async (id) => credentialRows.get(id),
      async revoke(id) {
        const row = credentialRows.get(id);
        if (row) credentialRows.set(id, { ...row, revokedAt: Date.now() });
      },
    },
    requests: {
      list: async (filter) =>
        [...requestRows.values()]
          .filter((row) => filter.state === undefined || row.state === filter.state)
          .filter((row) => filter.target === undefined || row.target === filter.target)
          .filter((row) => filter.before === undefined || row.createdAt < filter.before)
          .sort((a, b) => b.createdAt - a.createdAt)
          .slice(0, filter.limit),
      get: async (id) => requestRows.get(id),
      async answer(id, reviewer, answer, comment) {
        const row = requestRows.get(id);
        if (!row) throw new SluiceError('not_found', 'client', 'No access request of this id.');
        const event = { type: 'answer', reviewer, answer, ...(comment === undefined ? {} : { comment }) } as const;
        const step = advance(row, event, Date.now());
        requestRows.set(id, step.request);
        if (!step.ok) throw new SluiceError(step.refusal, 'client', refusalText(step.refusal));
        return step.request;
      },
      async revoke(id) {
        const row = requestRows.get(id);
        if (!row) throw new SluiceError('not_found', 'client', 'No access request of this id.');
        const step = advance(row, { type: 'revoke' }, Date.now());
        requestRows.set(id, step.request);
        if (!step.ok) throw new SluiceError(step.refusal, 'policy', refusalText(step.refusal));
        return step.request;
      },
    },
    sessions: {
      list: async (filter) =>
        [...sessionRows.values()]
          .filter((row) => filter.target === undefined || row.target === filter.target)
          .filter((row) => filter.principal === undefined || row.principal.id === filter.principal)
          .filter((row) => filter.live === undefined || row.live === filter.live)
          .filter((row) => filter.before === undefined || row.startedAt < filter.before)
          .sort((a, b) => b.startedAt - a.startedAt)
          .slice(0, filter.limit),
      get: async (id) => sessionRows.get(id),
      async kill(id) {
        const row = sessionRows.get(id);
        if (!row?.live) return false;
        sessionRows.set(id, { ...row, live: false, endedAt: Date.now(), endReason: 'killed' });
        return true;
      },
    },
    recordings: {
      async open(id) {
        const bytes = recordingBytes.get(id);
        return bytes && chunked(bytes);
      },
      async *events(id) {
        yield* eventRows.get(id) ?? [];
      },
    },
    policies: {
      current: () => ({
        hash: 'a'.repeat(64),
        epoch: 3,
        files: ['policies/agents.cedar'],
        problems: [{ path: 'policies/new.cedar', line: 4, column: 2, message: 'unexpected token', hint: 'remove it' }],
      }),
      async dryRun({ statement, principal: who }) {
        if (statement === 'garbage') throw new CoreError('client_protocol', 'client', 'syntax error at "garbage"');
        const effect = who.kind === 'agent' ? 'hold' : 'allow';
        return {
          decision: decision(effect),
          actions: [
            {
              verb: 'sql:update',
              access: 'write',
              resources: ['shop/public/customers'],
              explanation: { determining: ['writes-need-a-dba'] },
            },
          ],
          labels: ['pii.email'],
          masked: ['pii.email'],
        };
      },
    },
    keys: async () => [{ keyId: '0011223344556677', publicKey: new Uint8Array(32).fill(7), current: true }],
    health: async () => ({ ready: services.ready, checks: { store: services.ready, policy: true } }),
  };
  return services;
}

async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

function decision(effect: 'allow' | 'hold'): Decision {
  return {
    effect,
    policies: ['writes-need-a-dba'],
    reasons: [{ policy: 'writes-need-a-dba', text: 'writes are reviewed by a DBA' }],
    obligations: [{ kind: 'limit_rows', rows: 100 }],
    ...(effect === 'hold'
      ? {
          hold: {
            consents: [{ policy: 'writes-need-a-dba', group: 'dba', quorum: 1 }],
            grantTtl: 600_000,
            timeout: 300_000,
            wait: 'both',
          },
        }
      : {}),
    dryRun: [],
    policyHash: 'a'.repeat(64),
  };
}

export function accessRequest(id: string, change: Partial<AccessRequest> = {}): AccessRequest {
  return {
    id,
    state: 'pending',
    session: 'ses_bot',
    requester: { kind: 'agent', id: people.bot.id },
    requesterName: 'bot',
    behind: [people.bot.id, people.dana.id],
    owner: { kind: 'user', id: people.dana.id },
    target: 'shop',
    unit: 'Query',
    actions: [
      {
        verb: 'sql:update',
        access: 'write',
        resources: ['shop/public/customers'],
        text: "UPDATE customers SET email = 'a@b' WHERE id = 1",
      },
    ],
    parameters: [],
    binding: { search_path: 'public' },
    labels: ['pii.email'],
    run: { run: 'run-1', intent: 'fix a typo' },
    digest: 'd'.repeat(64),
    consents: [{ policy: 'writes-need-a-dba', group: 'dba', quorum: 1 }],
    reasons: ['writes are reviewed by a DBA'],
    policyHash: 'a'.repeat(64),
    approvals: [],
    createdAt: Date.now(),
    expiresAt: Date.now() + 300_000,
    grantTtl: 600_000,
    ...change,
  };
}

export function sessionRecord(id: string, who: Person, change: Partial<SessionRecord> = {}): SessionRecord {
  const { kind, id: principalId, displayName } = people[who];
  return {
    id,
    principal: { kind, id: principalId, displayName },
    target: 'shop',
    connector: 'postgres',
    client: { address: '127.0.0.1:50000', secure: false, application: 'psql' },
    startedAt: Date.now(),
    live: true,
    ...change,
  };
}
