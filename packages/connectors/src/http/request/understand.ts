/**
 * What a request means: from its method, path, query, header and body to one unit with the actions that policy judges,
 * or a refusal where two readers could take it for two things. It decides nothing and sends nothing; what is sent later
 * is read back from the unit.
 */
import { createHash } from 'node:crypto';
import type { Action, Context } from '@sluice/core/domain/action.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { Exposure, Unit } from '@sluice/core/domain/unit.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import type { HttpTarget } from '../target-form.ts';
import { type HttpVerb, httpVerbs } from '../verbs.ts';
import { badRequest } from './bad-request.ts';
import { type Body, type BodySource, readBody, untyped } from './body.ts';
import { noFields } from './fields.ts';
import { type GraphqlOperation, graphqlInJson, graphqlInQuery, operationIn } from './graphql.ts';
import { endpointOf, type JudgedPath, judgePath } from './path.ts';
import { type Parameters, readParameters, sentQuery } from './query.ts';
import { bindingHeaders, hasTagCondition, judgeHeaders, withoutTelling } from './request-headers.ts';
import { runContextIn } from './run-context.ts';
import { writeRequest } from './sent-request.ts';

export interface RawRequest extends BodySource {
  /** Path and query below the target, as they came. */
  readonly path: string;
  /** A request to open a WebSocket. */
  readonly upgrade?: true;
}

export interface Understood {
  readonly unit: Unit;
  readonly path: JudgedPath;
  /** A body that is passed on as it comes, and is no part of the unit. */
  readonly stream?: AsyncIterable<Uint8Array>;
  /** Header fields that are not passed on. */
  readonly dropped: readonly string[];
}

const verbOf: Readonly<Record<string, HttpVerb>> = {
  GET: 'http:read',
  HEAD: 'http:read',
  OPTIONS: 'http:read',
  POST: 'http:write',
  PUT: 'http:write',
  PATCH: 'http:write',
  DELETE: 'http:delete',
};

/**
 * `labels`: those that data of the target may bear; `hidden`: the principal may not see all of them. Throws `HttpError` and `JsonError`: nothing is known to be meant.
 */
export async function understandRequest(
  target: HttpTarget,
  labels: readonly string[],
  request: RawRequest,
  hidden = false,
): Promise<Understood> {
  const { method } = request;
  const verb = Object.hasOwn(verbOf, method) ? verbOf[method] : undefined;
  if (verb === undefined) throw badRequest('The method is not one that the gateway understands.');
  const at = request.path.indexOf('?');
  const path = judgePath(at < 0 ? request.path : request.path.slice(0, at));
  const query = readParameters(at < 0 ? '' : request.path.slice(at + 1), 'The query', target.joinRepeated);
  const own = target.identify === 'sluice-authorization' ? 'authorization' : undefined;
  const judged = judgeHeaders(request.headers, target.requestHeaders, own, target.secretHeader);
  const headers = hidden ? withoutTelling(judged, method) : judged;
  const body: Body = request.upgrade ? { kind: 'none' } : await readBody(request, target.joinRepeated);
  const read = { request, path, query, body };
  const graphql = !request.upgrade && isGraphql(target, path) ? graphqlOf(read) : [];
  const actions = request.upgrade
    ? [actionOf(target, 'http:websocket', read, undefined)]
    : graphql.length > 0
      ? graphql.map((operation) => actionOf(target, `http:graphql.${operation.kind}`, read, operation))
      : [actionOf(target, verb, read, undefined)];
  const bytes = body.kind === 'whole' ? body.bytes : undefined;
  const sent = {
    method,
    path: `${target.basePath}${path.sent}${sentQuery(query)}`,
    headers: typed(headers.sent, body),
  };
  const run = runContextIn(request.headers);
  return {
    unit: {
      name: request.upgrade ? 'WebSocket' : method,
      bytes: writeRequest(sent, bytes),
      actions,
      labels,
      exposures: exposuresOf(graphql, hasTagCondition(headers.sent), labels),
      parameters: [],
      binding: {
        headers: bindingOf(sent.headers),
        ...(bytes ? { body: sha256(bytes) } : {}),
        ...(target.basePath === '' ? {} : { base_path: target.basePath }),
      },
      ...runOf(run),
    },
    path,
    ...(body.kind === 'stream' ? { stream: body.pieces } : {}),
    dropped: headers.dropped,
  };
}

/** What has no type is sent as what it is judged to be. */
function typed(sent: readonly HttpHeader[], body: Body): readonly HttpHeader[] {
  if (body.kind !== 'stream' || sent.some(([name, value]) => name === 'content-type' && value !== '')) return sent;
  return [...sent.filter(([name]) => name !== 'content-type'), ['content-type', untyped]];
}

/** Many servers find `/GraphQL`, too. */
function isGraphql(target: HttpTarget, { segments }: JudgedPath): boolean {
  const path = `/${segments.join('/')}`.toLowerCase();
  return target.graphqlPaths.some((each) => each.toLowerCase() === path);
}

interface Read {
  readonly request: RawRequest;
  readonly path: JudgedPath;
  readonly query: Parameters;
  readonly body: Body;
}

function actionOf(target: HttpTarget, verb: HttpVerb, read: Read, operation: GraphqlOperation | undefined): Action {
  const { request, path, query, body } = read;
  const fields = body.kind === 'whole' ? body.fields : noFields;
  const context: Context = {
    method: request.method,
    path: path.text,
    query: query.values,
    repeated: query.repeated,
    content_type: body.kind === 'none' ? '' : body.media,
    body_present: body.kind !== 'none',
    body_opaque: body.kind === 'stream' || (body.kind === 'whole' && body.opaque),
    body: fields.values,
    numbers: fields.numbers,
    operation: operation?.name ?? '',
    fields: operation?.fields ?? [],
    answer_type: '',
  };
  const line = `${request.method} ${path.sent}${sentQuery(query)}`;
  return {
    verb,
    access: httpVerbs[verb].access,
    resources: [endpointOf(target.name, path.segments)],
    text: body.kind === 'whole' ? `${line}\n\n${body.text}` : line,
    context,
  };
}

function graphqlOf({ request, query, body }: Read): readonly GraphqlOperation[] {
  if (request.method === 'GET') return [graphqlInQuery(query.values)];
  if (request.method !== 'POST') throw badRequest('GraphQL is sent by POST or GET.');
  // Some servers let what is in the URL go before what is in the body.
  if (query.pairs.length > 0) throw badRequest('A GraphQL request that is sent by POST has no query in its URL.');
  if (body.kind === 'whole' && body.json !== undefined) return graphqlInJson(body.json);
  if (body.kind === 'whole' && body.media === 'application/graphql') return [operationIn(body.text, null)];
  throw badRequest('A GraphQL request is JSON, or application/graphql.');
}

function exposuresOf(
  operations: readonly GraphqlOperation[],
  tagCondition: boolean,
  labels: readonly string[],
): readonly Exposure[] {
  if (labels.length === 0) return [];
  const exposures: Exposure[] = [];
  // What bears a label is known by its name in the answer, which an alias changes.
  if (operations.some(({ aliases }) => aliases)) {
    exposures.push({ labels, reason: 'It gives fields other names, under which labelled ones could not be told.' });
  }
  // A tag is a digest of the document as it is: with it, a guess can be tried.
  if (tagCondition) {
    exposures.push({
      labels,
      reason: 'It depends on an entity tag, which would tell whether a hidden value was guessed.',
    });
  }
  return exposures;
}

/** Secrets among them are there by their digest. */
function bindingOf(sent: readonly HttpHeader[]): string {
  return bindingHeaders(sent)
    .map(
      ([name, value]) =>
        `${name}: ${name === 'cookie' || name === 'authorization' ? sha256(Buffer.from(value)) : value}`,
    )
    .sort()
    .join('\n');
}

function runOf(run: RunContext | undefined): { readonly run?: RunContext } {
  return run ? { run } : {};
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
