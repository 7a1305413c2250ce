/** Errors in HTTP's own form: a status, and problem details (RFC 9457). The one place of this connector that writes them. */
import type { Denial } from '@sluice/core/contract/session.ts';
import { DeniedError } from '@sluice/core/contract/session.ts';
import { type CoreErrorCode, SluiceError } from '@sluice/core/domain/error.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import type { HttpErrorCode } from '../../wire/http/http-error.ts';
import type { JsonErrorCode } from '../../wire/json/strict-json.ts';
import type { Receiver } from './receiver.ts';

type Code = CoreErrorCode | HttpErrorCode | JsonErrorCode;

const statuses: Readonly<Record<Code, number>> = {
  unauthenticated: 401,
  unknown_target: 404,
  denied: 403,
  recording_failed: 503,
  upstream_unreachable: 502,
  upstream_login: 502,
  upstream_protocol: 502,
  client_protocol: 400,
  permit_spent: 500,
  session_over: 403,
  stopping: 503,
  internal: 500,
  bad_request: 400,
  body_too_large: 413,
  timeout: 408,
  client_gone: 400,
  bad_response: 502,
  response_too_large: 502,
  upstream_gone: 502,
  syntax: 400,
  encoding: 400,
  duplicate_member: 400,
  too_deep: 400,
  too_large: 413,
  number: 400,
};

const titles: Readonly<Record<number, string>> = {
  202: 'Waiting for consent',
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Refused',
  404: 'Not found',
  408: 'Timeout',
  413: 'Too large',
  421: 'Misdirected request',
  429: 'Too many requests',
  500: 'Internal error',
  502: 'Bad gateway',
  503: 'Not available',
};

/** Seconds after which it makes sense to ask again for what waits for people. */
const retryAfter = '5';

export interface Problem {
  readonly status: number;
  /** What went wrong, for programs: a code of docs/errors.md, or `denied`, `pending`. */
  readonly code: string;
  readonly detail: string;
  readonly members: JsonObject;
  readonly headers: readonly HttpHeader[];
}

export function problemOf(error: unknown): Problem {
  if (error instanceof DeniedError) return problemOfDenial(error.denial);
  if (!(error instanceof SluiceError)) {
    return simple(500, 'internal', 'The gateway failed to answer. Try again; its log says more.');
  }
  const known = Object.hasOwn(statuses, error.code) ? statuses[error.code as Code] : 500;
  return simple(known, error.code, error.publicMessage);
}

export function problemOfDenial(denial: Denial): Problem {
  const { decision, reason, policies, request, url, hint } = denial;
  const pending = decision === 'hold';
  const members = { decision, reason, policies, hint, ...(request ? { request } : {}), ...(url ? { url } : {}) };
  return {
    status: pending ? 202 : 403,
    code: pending ? 'pending' : 'denied',
    detail: `${/[.!?]$/.test(reason) ? reason : `${reason}.`} ${hint}`,
    members,
    headers: [
      ['sluice-decision', decision],
      ...(pending ? ([['retry-after', retryAfter]] as const) : []),
      ...(pending && url ? ([['location', url]] as const) : []),
    ],
  };
}

export function simple(status: number, code: string, detail: string, headers: readonly HttpHeader[] = []): Problem {
  return { status, code, detail, members: {}, headers };
}

/** RFC 9110 section 11.6.1. The same whatever was wrong; `Basic` is taken too, but browsers are not asked to send it. */
export const challenge: HttpHeader = ['www-authenticate', 'Bearer realm="sluice"'];

export function problemBody({ status, code, detail, members }: Problem): Buffer {
  const title = titles[status] ?? 'Refused';
  return Buffer.from(`${JSON.stringify({ type: `urn:sluice:${code}`, title, status, code, detail, ...members })}\n`);
}

export function problemHeaders({ status, headers }: Problem): readonly HttpHeader[] {
  return [
    ['content-type', status === 202 ? 'application/json' : 'application/problem+json'],
    ['cache-control', 'no-store'],
    ...(status === 401 ? [challenge] : []),
    ...headers,
  ];
}

/** What policy refused, or made wait, in whatever form the receiver takes it. */
export async function answerDenial(receiver: Receiver, denial: Denial): Promise<void> {
  if (receiver.refused) receiver.refused(denial);
  else await answerProblem(receiver, problemOfDenial(denial));
}

export async function answerError(receiver: Receiver, error: unknown): Promise<void> {
  if (receiver.failed && error instanceof SluiceError) receiver.failed(error);
  else await answerProblem(receiver, problemOf(error));
}

export async function answerProblem(receiver: Receiver, problem: Problem): Promise<void> {
  await receiver.answer({ status: problem.status, headers: problemHeaders(problem) }, problemBody(problem));
}
