import type { Random } from './random.ts';
import type { Row } from './row.ts';
import { stuckOrder } from './shop.ts';

const minute = 60_000;
const hour = 60 * minute;

const services = [
  { name: 'checkout', team: 'payments', tier: 1 },
  { name: 'catalogue', team: 'storefront', tier: 2 },
  { name: 'search', team: 'storefront', tier: 2 },
  { name: 'mailer', team: 'platform', tier: 3 },
  { name: 'warehouse', team: 'logistics', tier: 2 },
] as const;

/** When the story of the open incident begins. */
const troubleSince = 3 * hour;

export interface Monitoring {
  readonly services: readonly Row[];
  readonly metrics: readonly Row[];
  readonly health_checks: readonly Row[];
  readonly slow_queries: readonly Row[];
  readonly incidents: readonly Row[];
  readonly metrics_2019: readonly Row[];
}

/** Two days of the services' lives up to `now` (Unix milliseconds), with one of them in trouble at the end. */
export function monitoring(random: Random, now: number): Monitoring {
  const metrics: Row[] = [];
  const checks: Row[] = [];
  for (const service of services) {
    for (let ago = 48 * hour; ago >= 0; ago -= 10 * minute) {
      const troubled = service.name === 'checkout' && ago < troubleSince;
      const latency = Math.round((troubled ? 900 : 80) * (0.8 + random.next() * 0.5));
      const at = iso(now - ago);
      metrics.push({ service: service.name, metric: 'latency_p95_ms', value: latency, at });
      metrics.push({
        service: service.name,
        metric: 'error_rate',
        value: (troubled ? 0.07 : 0.002) * random.next(),
        at,
      });
      metrics.push({ service: service.name, metric: 'requests_per_second', value: random.int(20, 240), at });
      if (ago % (30 * minute) !== 0) continue;
      const healthy = !(troubled && random.chance(0.5));
      const detail: Record<string, string | number> = healthy
        ? {}
        : { reason: 'upstream timeout', retries: random.int(1, 5) };
      checks.push({ service: service.name, healthy, latency_ms: latency, detail, at });
    }
  }
  return {
    services,
    metrics,
    health_checks: checks,
    slow_queries: slowQueries(random, now),
    incidents: incidents(now),
    metrics_2019: Array.from({ length: 200 }, (_, index) => ({
      service: 'monolith',
      metric: 'latency_p95_ms',
      value: random.int(100, 400),
      at: iso(Date.UTC(2019, 0, 1) + index * hour),
    })),
  };
}

function slowQueries(random: Random, now: number): readonly Row[] {
  const seen: readonly (readonly [string, string, number])[] = [
    ['checkout', 'SELECT * FROM orders WHERE note ILIKE $1 ORDER BY placed_at DESC', 1840],
    ['checkout', 'UPDATE orders SET status = $1 WHERE status = $2 AND placed_at < $3', 960],
    ['catalogue', 'SELECT category, count(*) FROM products GROUP BY category', 210],
    ['search', 'SELECT id, name FROM products WHERE name ILIKE $1', 380],
    ['warehouse', 'SELECT product_id, sum(quantity) FROM order_items GROUP BY product_id', 640],
  ];
  return seen.map(([service, query, mean], index) => ({
    id: index + 1,
    service,
    query,
    calls: random.int(40, 9000),
    mean_ms: mean + random.int(0, 90) / 10,
    first_seen: iso(now - random.int(1, 40) * hour),
  }));
}

function incidents(now: number): readonly Row[] {
  const past: readonly (readonly [string, string, string, string])[] = [
    ['mailer', 'low', 'Newsletter sent twice', 'A retry after a timeout sent the second half again.'],
    ['search', 'medium', 'Search without results', 'The index was swapped before it was filled.'],
    ['warehouse', 'medium', 'Labels printed late', 'The label printer queue was full over the weekend.'],
    ['catalogue', 'low', 'Wrong prices in the preview', 'The preview used the cache of the day before.'],
  ];
  const rows: Row[] = past.map(([service, severity, title, summary], index) => ({
    id: index + 1,
    service,
    severity,
    title,
    summary,
    opened_at: iso(now - (30 - index * 6) * 24 * hour),
    resolved_at: iso(now - (30 - index * 6) * 24 * hour + 5 * hour),
  }));
  rows.push({
    id: past.length + 1,
    service: 'checkout',
    severity: 'high',
    title: 'Paid orders stay in payment_pending',
    summary: `The card processor's confirmations got lost. Known case: order ${stuckOrder}.`,
    opened_at: iso(now - 2 * hour),
    resolved_at: null,
  });
  return rows;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
