import { afterEach, expect, it } from 'vitest';
import { createMetrics, type MetricsRegistry } from './metrics.ts';

const close: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(close.splice(0).map((one) => one())));

async function serve(metrics: MetricsRegistry['metrics']): Promise<string> {
  const app = await createMetrics({ contentType: 'text/plain; version=0.0.4; charset=utf-8', metrics });
  close.push(() => app.close());
  return app.listen({ host: '127.0.0.1', port: 0 });
}

it('gives what the registry gives, as Prometheus wants it', async () => {
  const base = await serve(async () => 'sessions_live 3\n');
  const response = await fetch(`${base}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toBe('sessions_live 3\n');
});

it.each(['/', '/api/v1/health', '/metrics/', '/metrics/x'])('gives nothing else: %s', async (path) => {
  const base = await serve(async () => '');
  expect((await fetch(base + path)).status).toBe(404);
});

it('says no more than that it failed', async () => {
  const base = await serve(async () => {
    throw new Error('secret detail');
  });
  const response = await fetch(`${base}/metrics`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
});
