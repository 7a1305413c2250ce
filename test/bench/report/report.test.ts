// What people read of a run: table, page, chart, JSON. The run here is made up; that of the documents is held to what
// was kept of it.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderChart } from './chart.ts';
import type { Machine } from './machine.ts';
import { tellNumber } from './numbers.ts';
import { renderPage } from './page.ts';
import { type KeptResult, merge, type Run, toJson } from './run.ts';
import { tellResult, tellSummary } from './table.ts';
import { filesOf, folder, readRun } from './write.ts';

const machine: Machine = {
  processor: 'A | B',
  processors: 2,
  memory: 24,
  system: 'Linux 6',
  node: 'v20',
  postgres: 'psql 15',
  pgbouncer: 'PgBouncer 1.18.0',
  openssh: 'OpenSSH_9.2',
  commit: 'abc',
};

function row(id: string, more: Partial<KeptResult> = {}): KeptResult {
  return {
    id,
    title: `row <${id}> & "more"`,
    chapter: 'PostgreSQL',
    what: `\`pgbench ${id}\`: transactions a second.`,
    unit: '/s',
    goal: { of: 'Sluice', to: 'PgBouncer', at: 'least', bound: 0.8 },
    figures: [
      { who: 'PgBouncer', samples: [20_000.123456, 20_000], median: 20_000 },
      { who: 'Sluice', samples: [18_000, 18_000], median: 18_000 },
    ],
    notes: [],
    reached: { value: 0.9, spread: [0.85, 0.95], reached: true, score: 1.125 },
    faults: [],
    at: '2026-01-01T00:00:00.000Z',
    commit: 'abc',
    rounds: 5,
    seconds: 5,
    ...more,
  };
}

const missed = row('missed', { reached: { value: 0.4, spread: [0.3, 0.5], reached: false, score: 0.5 } });
const { reached: _, ...unmeasured } = row('skipped', { figures: [], skipped: 'no pgbouncer on PATH' });
const run: Run = { format: 1, machine, results: [row('good'), missed, unmeasured] };

describe('on a terminal', () => {
  test('a row is told with its ratio, its goal and its medians', () => {
    const text = tellResult(row('good'));
    expect(text).toMatch(/^✓ /);
    expect(text).toContain('0.90 × (≥ 0.80 × PgBouncer), rounds 0.85 to 0.95');
    expect(text).toContain('PgBouncer 20,000, Sluice 18,000 /s');
  });

  test('what is skipped is told with its reason, what is not valid with its faults, and never as reached', () => {
    expect(tellResult(unmeasured)).toContain('skipped: no pgbouncer on PATH');
    const text = tellResult(row('bad', { faults: ['3 were sent, 2 are recorded'] }));
    expect(text).toMatch(/^x /);
    expect(text).toContain('FAULT 3 were sent, 2 are recorded');
  });

  test('the summary counts what could be compared, and names what was missed', () => {
    expect(tellSummary(run.results)).toBe('1 of 2 goals are reached.\n  not missed: 50.0 % of the way');
  });

  test.each([
    [57_931.4, '57,931'],
    [391.23, '391'],
    [39.123, '39.1'],
    [3.9123, '3.91'],
    [0.0631, '0.063'],
    [Number.NaN, '–'],
  ])('%d is told as %s', (value, text) => expect(tellNumber(value)).toBe(text));
});

describe('the page', () => {
  const page = renderPage(run);
  test('has every row with its goal, and says what was skipped', () => {
    expect(page).toContain('| **0.90 ×** (0.85 to 0.95) | ≥ 0.80 × PgBouncer | yes |');
    expect(page).toContain('| **0.40 ×** (0.30 to 0.50) | ≥ 0.80 × PgBouncer | no |');
    expect(page).toContain('| skipped: no pgbouncer on PATH |  | ≥ 0.80 × PgBouncer |  |');
  });

  test('describes the machine, and keeps tables whole', () => {
    expect(page).toContain('| Processors | 2 × A \\| B |');
    expect(page).toContain('| Commit | abc |');
  });

  test('says which rows are of another commit', () => {
    const mixed = renderPage({ ...run, results: [row('good'), row('old', { commit: 'old' })] });
    expect(mixed.match(/measured at commit old/g)).toHaveLength(1);
  });
});

describe('the chart', () => {
  const chart = renderChart(run.results);
  const widths = [...chart.matchAll(/<rect class="(\w+)" x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, kind, width]) => [
    kind,
    Number(width),
  ]);

  test('has a bar for each row that was compared, as long as it came', () => {
    expect(widths).toEqual([
      ['reached', 213.8],
      ['missed', 95],
    ]);
    const far = renderChart([row('far', { reached: { value: 9, spread: [9, 9], reached: true, score: 11 } })]);
    expect(far).toContain('width="380.0"');
    expect(far).toContain('→');
  });

  test('is described in words, and told by more than colour', () => {
    expect(chart).toContain('role="img" aria-labelledby="title desc"');
    expect(chart).toMatch(/<desc id="desc">One bar for each measured row; 1 of 2 reach their goal\. .*goal ≥ 0\.80/);
    expect(chart).toContain('✓ 0.90 ×');
    expect(chart).toContain('· 0.40 ×');
  });

  test('can be read on light and on dark', () => {
    expect(chart).toContain('@media(prefers-color-scheme:dark)');
  });

  test('is well formed, whatever rows are called', () => {
    expect(chart).toContain('row &lt;good&gt; &amp; &quot;more&quot;');
    const open: string[] = [];
    for (const [, close, name = '', whole] of chart.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
      if (close) expect(open.pop()).toBe(name);
      else if (!whole) open.push(name);
    }
    expect(open).toEqual([]);
  });
});

describe('a run that is kept', () => {
  test('has samples with as many digits as say something', () => {
    expect(JSON.parse(toJson(run)).results[0].figures[0].samples).toEqual([20_000.1, 20_000]);
  });

  test('takes rows that were measured again in place of those before, in the order of all rows', () => {
    const again: Run = { ...run, results: [row('missed', { commit: 'new' }), row('third')] };
    const merged = merge(run, again, ['third', 'good', 'missed', 'skipped']);
    expect(merged.results.map(({ id, commit }) => [id, commit])).toEqual([
      ['third', 'abc'],
      ['good', 'abc'],
      ['missed', 'new'],
      ['skipped', 'abc'],
    ]);
  });

  test('never has rows of two machines', () => {
    const elsewhere: Run = { ...run, machine: { ...machine, processors: 64 }, results: [row('good')] };
    expect(merge(run, elsewhere, ['good', 'missed']).results.map(({ id }) => id)).toEqual(['good']);
  });

  test('drops rows that are not there any more', () => {
    expect(merge(run, { ...run, results: [] }, ['good']).results.map(({ id }) => id)).toEqual(['good']);
  });
});

describe('the documents', () => {
  const kept = readRun();
  test.skipIf(!kept)(kept ? 'show the run that is kept' : 'show the run that is kept (skipped: none is)', () => {
    for (const [name, text] of Object.entries(kept ? filesOf(kept) : {})) {
      const path = new URL(name, folder);
      expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(text);
    }
  });
});
