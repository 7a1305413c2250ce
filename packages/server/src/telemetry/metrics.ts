import type { Overhead } from '@sluice/core/contract/overhead.ts';
import type { SessionCounts } from '@sluice/core/pipeline/ports.ts';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { createOverhead } from './overhead-histogram.ts';

export interface Metrics {
  readonly registry: Registry;
  readonly overhead: Overhead;
  opened(target: string): void;
  ended(target: string, reason: string, counts: SessionCounts): void;
  refused(code: string): void;
  workersUp(count: number): void;
  workerRestarted(): void;
  /** A connection that was closed because there was no worker to serve it. */
  unserved(): void;
}

/** Metrics in Prometheus' naming; labels are configured names and closed sets only, never what a client sends. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const live = new Gauge({ name: 'sluice_sessions', help: 'Sessions open now', labelNames: ['target'], registers });
  const sessions = new Counter({
    name: 'sluice_sessions_ended_total',
    help: 'Sessions that ended',
    labelNames: ['target', 'reason'],
    registers,
  });
  const units = new Counter({
    name: 'sluice_units_total',
    help: 'Units judged in sessions that ended',
    labelNames: ['target', 'effect'],
    registers,
  });
  const refused = new Counter({
    name: 'sluice_connections_refused_total',
    help: 'Connections refused before they had a session',
    labelNames: ['code'],
    registers,
  });
  const workers = new Gauge({
    name: 'sluice_workers',
    help: 'Worker processes that take connections; 0 where the gateway serves them itself',
    registers,
  });
  const restarts = new Counter({
    name: 'sluice_worker_restarts_total',
    help: 'Workers started again after they ended',
    registers,
  });
  return {
    registry,
    overhead: createOverhead(registry),
    opened: (target) => live.inc({ target }),
    ended: (target, reason, counts) => {
      live.dec({ target });
      sessions.inc({ target, reason });
      units.inc({ target, effect: 'deny' }, counts.denied);
      units.inc({ target, effect: 'hold' }, counts.held);
      units.inc({ target, effect: 'allow' }, Math.max(0, counts.units - counts.denied - counts.held));
    },
    refused: (code) => refused.inc({ code }),
    workersUp: (count) => workers.set(count),
    workerRestarted: () => restarts.inc(),
    unserved: () => refused.inc({ code: 'no_worker' }),
  };
}
