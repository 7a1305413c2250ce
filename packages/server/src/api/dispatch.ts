import { Readable } from 'node:stream';
import type { Route } from '@sluice/api/routes.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { ClientInfo } from '@sluice/core/domain/session.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isEncrypted } from './authentication.ts';
import { Guard } from './guard.ts';
import { type Call, type Handler, type RouteName, Stream, WithStatus } from './handler.ts';
import type { ApiServices } from './services.ts';

/**
 * Calls the handler of one route and sends what it gives. The last line of defence is here: an answer of a route that
 * declares a rule per object is thrown away when the handler never asked that rule.
 */
export async function dispatch(
  name: RouteName,
  route: Route,
  handler: unknown,
  context: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly principal: Principal | undefined;
    readonly services: ApiServices;
  },
): Promise<FastifyReply> {
  const { request, reply, principal, services } = context;
  const client: ClientInfo = { address: request.ip, secure: isEncrypted(request) };
  const guard = guardOf(name, route, principal, services, client);
  // The table's types say what each handler is given; the schemas made sure of it before we came here.
  const call: Call<RouteName> = {
    services,
    params: request.params,
    query: request.query,
    body: request.body ?? undefined,
    guard,
    client,
    streamAs: preferredStream(route, request.headers.accept),
  } as never;
  const answer: unknown = await (handler as Handler<RouteName>)(call as never);
  if (guard && !guard.satisfied) throw new Error(`route ${name} answered without asking who may call it`);
  if (answer instanceof Stream) return sendStream(answer, reply, services.log);
  if (answer instanceof WithStatus) return reply.code(answer.status).send(answer.answer);
  return reply.code(route.status).send(answer);
}

function guardOf(
  name: RouteName,
  route: Route,
  principal: Principal | undefined,
  services: ApiServices,
  client: ClientInfo,
): Guard | undefined {
  if (route.caller.kind === 'public') return undefined;
  if (!principal) throw new Error(`route ${name} was reached without a principal`);
  return new Guard(route, route.caller, principal, services, client);
}

function preferredStream(route: Route, accept: string | undefined): string | undefined {
  if (!route.streams) return undefined;
  if (!route.response) return route.streams[0];
  return route.streams.find((media) => accept?.split(',').some((one) => one.split(';')[0]?.trim() === media));
}

function sendStream(stream: Stream, reply: FastifyReply, log: Log): FastifyReply {
  reply.header('content-type', stream.media);
  if (stream.fileName) reply.header('content-disposition', `attachment; filename="${stream.fileName}"`);
  const body = Readable.from(stream.body, { objectMode: false });
  body.on('error', (error) => {
    // The head is out already: all that is left is to break the connection, so that nobody takes half for whole.
    log.error({ request: reply.request.id, error: error.message }, 'a streamed answer broke off');
  });
  return reply.send(body);
}
