/** `/metrics` for Prometheus, on a listener of its own so that the API's port shows nothing without a token. */
import fastify, { type FastifyInstance } from 'fastify';

/** The part of a prom-client registry that is needed. */
export interface MetricsRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export async function createMetrics(registry: MetricsRegistry): Promise<FastifyInstance> {
  const app = fastify({ logger: false, exposeHeadRoutes: false, forceCloseConnections: true, requestTimeout: 10_000 });
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('not found\n'));
  app.setErrorHandler((_error, _request, reply) =>
    reply.code(500).type('text/plain').send('metrics are not available\n'),
  );
  await app.ready();
  return app;
}
