/**
 * The gateway's own HTTP API: fastify, built from the route table of @sluice/api and the services handed in. It
 * authenticates every request, has every object's rule asked, and turns every error into one form. It holds no state
 * of its own and does nothing that a service does not do for it.
 */
import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { type Route, routes } from '@sluice/api/routes.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { authenticate, type CountFailure, TooManyFailures } from './authentication.ts';
import { isCanonical } from './canonical-path.ts';
import { dispatch } from './dispatch.ts';
import { errorBody, notFound, toApiError } from './errors.ts';
import type { RouteName } from './handler.ts';
import { handlers } from './handlers.ts';
import { refuseMalformedHttp } from './malformed.ts';
import type { ApiServices } from './services.ts';
import { traceId } from './traceparent.ts';

export interface ApiOptions {
  readonly version: string;
  /** PEM; without it the API speaks plain HTTP and takes tokens from loopback only. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** Failed authentications per address and minute before they are answered 429. */
  readonly failuresPerMinute?: number | undefined;
  /** Told of every route as it is registered, however it came about. */
  readonly onRoute?: ((route: { readonly method: string; readonly url: string }) => void) | undefined;
}

const largestBody = 4 * 1024 * 1024;

/** An app that is ready to listen; `close()` ends its connections. */
export async function createApi(services: ApiServices, options: ApiOptions): Promise<FastifyInstance> {
  const settings = {
    logger: false,
    bodyLimit: largestBody,
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    genReqId: () => `http_${randomUUID()}`,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendError(error, request, reply, services),
    clientErrorHandler: refuseMalformedHttp,
  } as const;
  const http = { maxHeaderSize: 32 * 1024 };
  const app: FastifyInstance = options.tls
    ? (fastify({
        ...settings,
        https: { ...options.tls, ...http, minVersion: 'TLSv1.2' },
      }) as unknown as FastifyInstance)
    : fastify({ ...settings, http });

  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) options.onRoute?.({ method, url: route.url });
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  acceptJsonOnly(app);
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, services));
  app.setNotFoundHandler((request, reply) => sendError(notFound(), request, reply, services));

  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    frameguard: { action: 'deny' },
    strictTransportSecurity: options.tls !== undefined,
  });
  await app.register(rateLimit, { global: false });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
    if (!isCanonical(request.raw.url ?? '')) throw notFound();
  });
  const countFailure = failureCounter(app, options.failuresPerMinute ?? 120);

  const principals = new WeakMap<FastifyRequest, Principal>();
  const table = handlers(options.version);
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    app.route({
      method: route.method,
      url: route.path.replace(/\{(\w+)\}/g, ':$1'),
      schema: schemaOf(route),
      ...(route.caller.kind === 'public'
        ? {}
        : {
            onRequest: async (request: FastifyRequest) => {
              principals.set(request, await authenticate(request, services, countFailure));
            },
          }),
      handler: (request, reply) =>
        dispatch(name, route, table[name], { request, reply, principal: principals.get(request), services }),
    });
  }

  app.addHook('onResponse', async (request, reply) => {
    const trace = traceId(request.headers.traceparent as string | undefined);
    services.log.info(
      {
        request: request.id,
        method: request.method,
        // The pattern, never the URL: what a caller puts into it by mistake must not end up in a log.
        route: request.routeOptions.url ?? '(none)',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        ...(trace === undefined ? {} : { trace }),
        ...(principals.has(request) ? { principal: principals.get(request)?.id } : {}),
      },
      'api request',
    );
  });
  await app.ready();
  return app;
}

function schemaOf(route: Route): Record<string, unknown> {
  const answers = [route.status, ...(route.alsoStatus ?? [])];
  return {
    ...(route.params ? { params: route.params } : {}),
    ...(route.query ? { querystring: route.query } : {}),
    ...(route.body ? { body: route.bodyOptional ? route.body.nullish() : route.body } : {}),
    // Answers go through their schema as well, so that a field nobody declared does not leave the gateway.
    ...(route.response ? { response: Object.fromEntries(answers.map((status) => [status, route.response])) } : {}),
  };
}

/** One parser for bodies: no second media type, no ill-formed UTF-8, no `__proto__`; an empty body is none. */
function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    if (bytes.length === 0) return done(null, undefined);
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (cause) {
      return done(Object.assign(new Error('body is not UTF-8', { cause }), { statusCode: 400 }), undefined);
    }
    parse(request, text, done);
  });
}

function failureCounter(app: FastifyInstance, max: number): CountFailure {
  const count = app.createRateLimit({ max, timeWindow: 60_000 });
  return async (request) => {
    const counted = await count(request);
    return !counted.isAllowed && counted.isExceeded ? counted.ttlInSeconds : undefined;
  };
}

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply, services: ApiServices): FastifyReply {
  const error = toApiError(thrown);
  if (error.status >= 500) {
    services.log.error({ request: request.id, code: error.code, error: detail(thrown) }, 'an api request failed');
  }
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="sluice"');
  if (error instanceof TooManyFailures) reply.header('retry-after', String(error.retryAfter));
  // Errors are no part of a route's own schema; serialised here they look the same on all of them.
  return reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(errorBody(error, request.id));
}

function detail(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
