/**
 * The table of all routes: what each takes and gives, who may call it. The server registers from it, the OpenAPI
 * document is generated from it, and tests enumerate it. It holds no behaviour.
 */
import type { z } from 'zod';
import type { Caller } from './caller.ts';
import { type Endpoint, type EndpointName, endpoints } from './endpoints.ts';
import {
  AccessCredentialList,
  IssueAccessCredential,
  IssuedAccessCredential,
  RevokedAccessCredential,
} from './schema/access-credential.ts';
import { AccessRequest, AccessRequestPage, AccessRequestQuery, Answer } from './schema/access-request.ts';
import { IdParams } from './schema/basics.ts';
import { Health, HealthQuery, OpenApiDocument, SealKeyList, TargetList } from './schema/gateway.ts';
import { DryRunRequest, DryRunResult, PolicyStatus } from './schema/policy.ts';
import { Whoami } from './schema/principal.ts';
import {
  KilledSession,
  Session,
  SessionEventPage,
  SessionEventQuery,
  SessionPage,
  SessionQuery,
} from './schema/session.ts';

export interface Route extends Endpoint {
  readonly caller: Caller;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** Whether the body may be left out. */
  readonly bodyOptional?: true;
  readonly status: 200 | 201;
  /** JSON answer; absent when the route only streams. */
  readonly response?: z.ZodType;
  /** Media types it can stream, chosen by the Accept header when there is a JSON answer as well. */
  readonly streams?: readonly string[];
  /** Further statuses with the same JSON answer. */
  readonly alsoStatus?: readonly number[];
}

export const jsonLines = 'application/x-ndjson';
export const recordingMedia = 'application/octet-stream';

export const routes = {
  health: {
    ...endpoints.health,
    caller: { kind: 'public' },
    summary: 'Whether the gateway is alive and takes sessions',
    query: HealthQuery,
    status: 200,
    alsoStatus: [503],
    response: Health,
  },
  openapi: {
    ...endpoints.openapi,
    caller: { kind: 'public' },
    summary: 'This API as an OpenAPI 3.1 document',
    status: 200,
    response: OpenApiDocument,
  },
  whoami: {
    ...endpoints.whoami,
    caller: { kind: 'authenticated' },
    summary: 'The principal that the token stands for',
    status: 200,
    response: Whoami,
  },
  listTargets: {
    ...endpoints.listTargets,
    caller: { kind: 'object', verb: 'connect' },
    summary: 'Targets that the caller may connect to',
    status: 200,
    response: TargetList,
  },
  listKeys: {
    ...endpoints.listKeys,
    caller: { kind: 'authenticated' },
    summary: 'Public keys that recordings are sealed with',
    status: 200,
    response: SealKeyList,
  },

  issueAccessCredential: {
    ...endpoints.issueAccessCredential,
    caller: { kind: 'object', verb: 'connect' },
    summary: 'Issue an access credential for one target to oneself',
    body: IssueAccessCredential,
    status: 201,
    response: IssuedAccessCredential,
  },
  listAccessCredentials: {
    ...endpoints.listAccessCredentials,
    caller: { kind: 'authenticated' },
    summary: "The caller's own access credentials, without their secrets",
    status: 200,
    response: AccessCredentialList,
  },
  revokeAccessCredential: {
    ...endpoints.revokeAccessCredential,
    caller: { kind: 'object', own: true, verb: 'gateway:manage' },
    summary: 'Revoke an access credential and end the sessions opened with it',
    params: IdParams,
    status: 200,
    response: RevokedAccessCredential,
  },

  listAccessRequests: {
    ...endpoints.listAccessRequests,
    caller: { kind: 'object', own: true, reviewer: true, verb: 'gateway:view' },
    summary: 'Access requests, newest first',
    query: AccessRequestQuery,
    status: 200,
    response: AccessRequestPage,
  },
  getAccessRequest: {
    ...endpoints.getAccessRequest,
    caller: { kind: 'object', own: true, reviewer: true, verb: 'gateway:view' },
    summary: 'One access request: exactly what will run, and for whom',
    params: IdParams,
    status: 200,
    response: AccessRequest,
  },
  approveAccessRequest: {
    ...endpoints.approveAccessRequest,
    caller: { kind: 'object', own: true, reviewer: true, verb: 'gateway:view' },
    summary: 'Approve a pending access request; only its reviewers can, everyone else who may see it gets 403',
    params: IdParams,
    body: Answer,
    bodyOptional: true,
    status: 200,
    response: AccessRequest,
  },
  denyAccessRequest: {
    ...endpoints.denyAccessRequest,
    caller: { kind: 'object', own: true, reviewer: true, verb: 'gateway:view' },
    summary: 'Deny a pending access request; only its reviewers can, everyone else who may see it gets 403',
    params: IdParams,
    body: Answer,
    bodyOptional: true,
    status: 200,
    response: AccessRequest,
  },
  revokeAccessRequest: {
    ...endpoints.revokeAccessRequest,
    caller: { kind: 'object', own: true, reviewer: true, verb: 'gateway:manage' },
    summary: 'Take an approval back that was not used yet',
    params: IdParams,
    status: 200,
    response: AccessRequest,
  },

  listSessions: {
    ...endpoints.listSessions,
    caller: { kind: 'object', own: true, verb: 'gateway:view' },
    summary: 'Sessions, newest first',
    query: SessionQuery,
    status: 200,
    response: SessionPage,
  },
  getSession: {
    ...endpoints.getSession,
    caller: { kind: 'object', own: true, verb: 'gateway:view' },
    summary: 'One session',
    params: IdParams,
    status: 200,
    response: Session,
  },
  listSessionEvents: {
    ...endpoints.listSessionEvents,
    caller: { kind: 'object', own: true, verb: 'gateway:view' },
    summary: 'What was recorded in a session so far, in order: a page, or all of it as JSON Lines',
    params: IdParams,
    query: SessionEventQuery,
    status: 200,
    response: SessionEventPage,
    streams: [jsonLines],
  },
  getSessionRecording: {
    ...endpoints.getSessionRecording,
    caller: { kind: 'object', own: true, verb: 'gateway:view' },
    summary: "The session's recording, byte for byte",
    params: IdParams,
    status: 200,
    streams: [recordingMedia],
  },
  killSession: {
    ...endpoints.killSession,
    caller: { kind: 'object', own: true, verb: 'gateway:manage' },
    summary: 'End a live session now',
    params: IdParams,
    status: 200,
    response: KilledSession,
  },

  getPolicies: {
    ...endpoints.getPolicies,
    caller: { kind: 'authenticated' },
    summary: 'The policy set in force',
    status: 200,
    response: PolicyStatus,
  },
  dryRunPolicies: {
    ...endpoints.dryRunPolicies,
    caller: { kind: 'object', verb: 'connect' },
    summary: 'What policy would decide about a statement, and why; nothing is sent to the target',
    body: DryRunRequest,
    status: 200,
    response: DryRunResult,
  },
} as const satisfies Record<EndpointName, Route>;
