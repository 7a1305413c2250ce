import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { renderChart } from './chart.ts';
import { renderPage } from './page.ts';
import { merge, type Run, toJson } from './run.ts';

export const folder = new URL('../../../docs/benchmarks/', import.meta.url);
const file = new URL('results.gen.json', folder);

/** The run that is kept, if one is. */
export function readRun(): Run | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Run) : undefined;
}

/** The files that show a run, by name. */
export function filesOf(run: Run): Readonly<Record<string, string>> {
  // What is read back must give the same page: digits are dropped first.
  const kept = JSON.parse(toJson(run)) as Run;
  return { 'results.gen.json': toJson(kept), 'chart.svg': renderChart(kept.results), 'README.md': renderPage(kept) };
}

/** Puts the run, with what is kept of the one before, where documents lead to. `ids` are those of all rows there are. */
export function writeRun(run: Run, ids: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  const files = filesOf(merge(readRun(), run, ids));
  for (const [name, text] of Object.entries(files)) writeFileSync(new URL(name, folder), text);
}
