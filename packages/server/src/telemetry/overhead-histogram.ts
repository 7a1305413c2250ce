import { type Overhead, type Stage, stages } from '@sluice/core/contract/overhead.ts';
import type { MetricValue, MetricValueWithName, Registry } from 'prom-client';

/** Upper bounds, in seconds: from what a cached decision takes to what a person would notice. */
const bounds = [
  0.000_001, 0.000_002_5, 0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.01,
  0.1,
];

const name = 'sluice_overhead_seconds';

class Series {
  /** Not cumulative; the last is for what is above every bound. */
  readonly counts = new Float64Array(bounds.length + 1);
  sum = 0;

  add(seconds: number): void {
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += seconds;
  }
}

/**
 * What the gateway spends on units, as a Prometheus histogram. It is observed several times for every unit, so it keeps
 * plain arrays of numbers and makes Prometheus' form of them only when it is read.
 */
export function createOverhead(registry: Registry): Overhead {
  const all = new Map<string, Readonly<Record<Stage, Series>>>();
  const metric = {
    name,
    get: () =>
      Promise.resolve({
        name,
        help: 'What the gateway itself spends on a unit, by stage',
        type: 'histogram',
        aggregator: 'sum',
        values: [...all].flatMap(([connector, series]) =>
          stages.flatMap((stage) => valuesOf(series[stage], { connector, stage })),
        ),
      }),
    reset: () => all.clear(),
  };
  // The registry reads a metric by its name and by what `get` resolves with; the library has no type for that part.
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
  return {
    micros: () => performance.now() * 1_000,
    spent(connector, stage, micros) {
      let series = all.get(connector);
      if (series === undefined) {
        series = { parse: new Series(), decide: new Series(), mask: new Series(), record: new Series() };
        all.set(connector, series);
      }
      series[stage].add(micros / 1_000_000);
    },
  };
}

function valuesOf(series: Series, labels: Readonly<Record<string, string>>): MetricValueWithName<string>[] {
  const values: MetricValueWithName<string>[] = [];
  let count = 0;
  series.counts.forEach((more, index) => {
    count += more;
    values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bounds[index] ?? '+Inf' }, value: count });
  });
  values.push(single('sum', series.sum, labels), single('count', count, labels));
  return values;
}

function single(
  what: 'sum' | 'count',
  value: number,
  labels: MetricValue<string>['labels'],
): MetricValueWithName<string> {
  return { metricName: `${name}_${what}`, labels, value };
}
