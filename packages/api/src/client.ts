/**
 * A typed client of the API over the platform's `fetch`: one method per route. It validates nothing it receives beyond
 * what it needs to tell an answer from an error, and it never sends a token in clear text to another machine.
 */
import { ApiError } from './api-error.ts';
import { type EndpointName, endpoints } from './endpoints.ts';
import { jsonLinesOf } from './json-lines.ts';
import type {
  AccessCredentialList,
  IssueAccessCredential,
  IssuedAccessCredential,
  RevokedAccessCredential,
} from './schema/access-credential.ts';
import type { AccessRequest, AccessRequestPage } from './schema/access-request.ts';
import type { Health, SealKeyList, TargetList } from './schema/gateway.ts';
import type { DryRunRequest, DryRunResult, PolicyStatus } from './schema/policy.ts';
import type { Whoami } from './schema/principal.ts';
import type { KilledSession, RecordedEvent, Session, SessionEventPage, SessionPage } from './schema/session.ts';
import { type ClientOptions, Transport } from './transport.ts';

export type { ClientOptions } from './transport.ts';

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface PageQuery {
  readonly limit?: number | undefined;
  readonly before?: string | undefined;
}

export interface AccessRequestFilter extends PageQuery {
  readonly state?: AccessRequest['state'] | undefined;
  readonly target?: string | undefined;
}

export interface SessionFilter extends PageQuery {
  readonly target?: string | undefined;
  readonly principal?: string | undefined;
  readonly live?: boolean | undefined;
}

/** Every method rejects with an `ApiError`. */
export class ApiClient {
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  /** Answers also when the gateway is not ready. */
  async health(): Promise<Health> {
    return this.#json<Health>('health', { acceptStatus: [503] });
  }
  openapi(): Promise<Record<string, unknown>> {
    return this.#json('openapi');
  }
  whoami(): Promise<Whoami> {
    return this.#json('whoami');
  }
  targets(): Promise<TargetList> {
    return this.#json('listTargets');
  }
  keys(): Promise<SealKeyList> {
    return this.#json('listKeys');
  }

  issueAccessCredential(body: IssueAccessCredential): Promise<IssuedAccessCredential> {
    return this.#json('issueAccessCredential', { body });
  }
  accessCredentials(): Promise<AccessCredentialList> {
    return this.#json('listAccessCredentials');
  }
  revokeAccessCredential(id: string): Promise<RevokedAccessCredential> {
    return this.#json('revokeAccessCredential', { id });
  }

  accessRequests(filter: AccessRequestFilter = {}): Promise<AccessRequestPage> {
    return this.#json('listAccessRequests', { query: { ...filter } });
  }
  accessRequest(id: string): Promise<AccessRequest> {
    return this.#json('getAccessRequest', { id });
  }
  approve(id: string, comment?: string): Promise<AccessRequest> {
    return this.#json('approveAccessRequest', { id, body: comment === undefined ? {} : { comment } });
  }
  deny(id: string, comment?: string): Promise<AccessRequest> {
    return this.#json('denyAccessRequest', { id, body: comment === undefined ? {} : { comment } });
  }
  /** Takes an approval back that was not used yet. */
  revokeGrant(id: string): Promise<AccessRequest> {
    return this.#json('revokeAccessRequest', { id, body: {} });
  }

  sessions(filter: SessionFilter = {}): Promise<SessionPage> {
    return this.#json('listSessions', { query: { ...filter } });
  }
  session(id: string): Promise<Session> {
    return this.#json('getSession', { id });
  }
  sessionEvents(id: string, page: { after?: string; limit?: number } = {}): Promise<SessionEventPage> {
    return this.#json('listSessionEvents', { id, query: { ...page } });
  }
  /** All events recorded so far, as they arrive. */
  async *streamSessionEvents(id: string): AsyncGenerator<RecordedEvent, void, undefined> {
    const body = await this.#transport.stream(address('listSessionEvents', id), 'application/x-ndjson');
    yield* jsonLinesOf(body);
  }
  /** The recording's bytes; of a live session, those written so far. */
  async recording(id: string): Promise<AsyncIterable<Uint8Array>> {
    return this.#transport.stream(address('getSessionRecording', id), 'application/octet-stream');
  }
  kill(id: string): Promise<KilledSession> {
    return this.#json('killSession', { id, body: {} });
  }

  policies(): Promise<PolicyStatus> {
    return this.#json('getPolicies');
  }
  dryRun(body: DryRunRequest): Promise<DryRunResult> {
    return this.#json('dryRunPolicies', { body });
  }

  #json<T>(
    name: EndpointName,
    options: { id?: string; query?: Query; body?: unknown; acceptStatus?: readonly number[] } = {},
  ): Promise<T> {
    return this.#transport.json<T>(endpoints[name].method, address(name, options.id) + queryText(options.query), {
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(options.acceptStatus ? { acceptStatus: options.acceptStatus } : {}),
    });
  }
}

function address(name: EndpointName, id?: string): string {
  const { path } = endpoints[name];
  if (!path.includes('{id}')) return path;
  // An id that could change the path's meaning must not come to mean another route.
  if (id === undefined || !/^[A-Za-z0-9_-]{1,128}$/.test(id)) {
    throw new ApiError('not_found', `${JSON.stringify(id ?? '')} is not an id that the gateway gives.`, {
      hint: 'List the objects to see their ids.',
    });
  }
  return path.replace('{id}', id);
}

function queryText(query: Query | undefined): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) pairs.set(name, String(value));
  const text = pairs.toString();
  return text === '' ? '' : `?${text}`;
}
