/**
 * Requests for callers that do not speak HTTP here: the same way as any client's, from a JSON object to a JSON object.
 * It has no way of its own to the target.
 */

import type { AbortSignalLike } from '@sluice/core/contract/approvals.ts';
import type { Admission, Opening } from '@sluice/core/contract/connector.ts';
import type { LabelMap } from '@sluice/core/contract/labels.ts';
import type { OperationResult, OperationSession } from '@sluice/core/contract/operations.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { EndReason } from '@sluice/core/domain/session.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import { isHeaderName, isHeaderValue } from '../../wire/http/headers.ts';
import { Alarm } from '../../wire/http/signal.ts';
import { serializeJson } from '../../wire/json/strict-json.ts';
import { badRequest } from '../request/bad-request.ts';
import { percentEncode } from '../request/percent.ts';
import type { RawRequest } from '../request/understand.ts';
import { Conversation } from '../session/conversation.ts';
import type { HttpTarget } from '../target-form.ts';
import { Collector } from './collector.ts';

export interface OperationGrounds {
  readonly labels: LabelMap;
  target(name: string): HttpTarget | undefined;
}

export async function openOperationSession(
  grounds: OperationGrounds,
  opening: Opening,
  open: Admission['open'],
): Promise<OperationSession> {
  const target = grounds.target(opening.target);
  if (!target)
    throw new CoreError('unknown_target', 'client', `There is no target "${opening.target}" on this gateway.`);
  const session = await open(opening);
  const conversation = new Conversation(session, target, grounds.labels);
  let tell: (reason: EndReason) => void = () => {};
  const over = new Promise<EndReason>((resolve) => {
    tell = resolve;
  });
  session.onLeaving(tell);
  session.onEnd((_reason, message) => conversation.stop(message));
  return {
    session: session.info.id,
    over,
    call: (name, input, run, signal) => call(conversation, name, input, run, signal),
    close: () => conversation.end('client_closed'),
  };
}

async function call(
  conversation: Conversation,
  name: string,
  input: JsonObject,
  run: RunContext | undefined,
  signal: AbortSignalLike,
): Promise<OperationResult> {
  const gone = new Alarm();
  const leave = (): void => gone.abort(new CoreError('session_over', 'gateway', 'The caller gave up.'));
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave);
  const collector = new Collector(leave);
  try {
    if (name !== 'request') throw badRequest('There is no such operation.');
    const request = requestOf(input, run);
    await conversation.exchange({ request, receiver: collector, gone, prefix: '' });
    if (collector.denial) return { outcome: 'refused', denial: collector.denial };
    if (collector.error && !collector.responded) throw collector.error;
    return { outcome: 'done', value: collector.value() };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { outcome: 'failed', code: error.code, message: error.publicMessage };
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

const fields = new Set(['method', 'path', 'query', 'headers', 'body']);

function requestOf(input: JsonObject, run: RunContext | undefined): RawRequest {
  const unknown = Object.keys(input).find((name) => !fields.has(name));
  if (unknown !== undefined) throw badRequest('A request has method, path, query, headers and body, and nothing else.');
  const { method, path, query = {}, headers = {}, body } = input;
  if (typeof method !== 'string' || typeof path !== 'string') throw badRequest('"method" and "path" must be texts.');
  if (!/^\/[\x21-\x7e]*$/.test(path) || path.includes('#')) {
    throw badRequest('"path" must begin with "/", in visible ASCII, without a fragment.');
  }
  const parameters = texts(query, '"query"').map(
    ([key, value]) => `${percentEncode(key, '')}=${percentEncode(value, '')}`,
  );
  if (parameters.length > 0 && path.includes('?'))
    throw badRequest('Parameters are in "path" or in "query", not in both.');
  const bytes = body === undefined ? undefined : Buffer.from(serializeJson(body));
  const given: HttpHeader[] = texts(headers, '"headers"').map(([key, value]) => {
    const field = key.toLowerCase();
    if (!isHeaderName(field) || !isHeaderValue(value)) throw badRequest('"headers" has an impossible name or value.');
    return [field, value];
  });
  const kept = given.filter(([field]) => field !== 'content-type' && !field.startsWith('sluice-'));
  return {
    method,
    path: parameters.length === 0 ? path : `${path}?${parameters.join('&')}`,
    headers: [...kept, ...(bytes ? [['content-type', 'application/json'] as const] : []), ...claimsOf(run)],
    hasBody: bytes !== undefined,
    body: pieces(bytes),
  };
}

/** As a client would claim them. */
function claimsOf(run: RunContext | undefined): readonly HttpHeader[] {
  const named = [
    ['sluice-run', run?.run],
    ['sluice-step', run?.step],
    ['sluice-tool-call', run?.toolCall],
    ['sluice-intent', run?.intent],
    ['traceparent', run?.traceparent],
  ] as const;
  return named.flatMap(([name, value]): HttpHeader[] =>
    value === undefined || (name === 'traceparent' && !traceparent.test(value))
      ? []
      : [[name, Buffer.from(value, 'utf8').toString('latin1')]],
  );
}

/** Trace Context section 3.2, of any version: the one claim that is passed on to the API, so nothing else may be in it. */
const traceparent = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]{0,256})?$/;

function texts(value: Json, what: string): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest(`${what} must be an object.`);
  return Object.entries(value).map(([name, each]) => {
    if (typeof each !== 'string') throw badRequest(`${what} must have texts as values.`);
    return [name, each];
  });
}

async function* pieces(bytes: Uint8Array | undefined): AsyncIterable<Uint8Array> {
  if (bytes) yield bytes;
}
