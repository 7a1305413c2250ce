import type { Result } from '../measure.ts';
import { tellGoal } from './goal.ts';
import { ratioOf } from './numbers.ts';

const width = 860;
const labels = 330;
const values = 150;
const bars = width - labels - values;
const line = 26;
const top = 54;
/** Whatever is better than this ends here, with an arrow. */
const most = 2;

const style = `
.page{fill:#fff}.text{fill:#1f2328}.faint{fill:#59636e}.grid{stroke:#d1d9e0}.goal{stroke:#1f2328}
.reached{fill:#1a7f37}.missed{fill:#bc4c00}
text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif}.small{font-size:11px}.head{font-size:15px;font-weight:600}
@media(prefers-color-scheme:dark){.page{fill:#0d1117}.text{fill:#f0f6fc}.faint{fill:#9198a1}.grid{stroke:#3d444d}
.goal{stroke:#f0f6fc}.reached{fill:#3fb950}.missed{fill:#db6d28}}`;

/**
 * A bar for each row that was held to its goal: as long as the row came, the goal at one line for all. A reached one is
 * told by a sign as well, not by colour alone.
 */
export function renderChart(results: readonly Result[]): string {
  const rows = results.filter(({ reached }) => reached !== undefined);
  const height = top + rows.length * line + 34;
  const reached = rows.filter((row) => row.reached?.reached).length;
  const x = (score: number): number => labels + (Math.min(score, most) / most) * bars;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc">`,
    '<title id="title">Sluice beside its goals</title>',
    `<desc id="desc">${xmlText(description(rows, reached))}</desc>`,
    `<style>${style}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    `<text class="text head" x="12" y="24">Sluice with policy, masking and recording on: ${reached} of ${rows.length} goals reached</text>`,
    ...[0.5, 1, 1.5, 2].map((score) => gridLine(x(score), height, score)),
    ...rows.map((row, index) => bar(row, top + index * line, x)),
    `<text class="faint small" x="${x(1)}" y="${height - 12}" text-anchor="middle">the goal; longer is better</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function description(rows: readonly Result[], reached: number): string {
  const told = rows.map(({ title, unit, goal, reached: held }) => {
    const value = held ? ratioOf(goal, unit, held.value) : '';
    return `${title}: ${value}, goal ${tellGoal(goal, unit)}, ${held?.reached ? 'reached' : 'not reached'}.`;
  });
  return `One bar for each measured row; ${reached} of ${rows.length} reach their goal. ${told.join(' ')}`;
}

function gridLine(x: number, height: number, score: number): string {
  return `<line class="${score === 1 ? 'goal' : 'grid'}" x1="${x}" x2="${x}" y1="${top - 12}" y2="${height - 28}"${
    score === 1 ? ' stroke-dasharray="4 3"' : ''
  }/>`;
}

function bar({ title, unit, goal, reached }: Result, y: number, x: (score: number) => number): string {
  if (!reached) return '';
  const length = Math.max(x(reached.score) - labels, 1).toFixed(1);
  const value = `${reached.reached ? '✓' : '·'} ${ratioOf(goal, unit, reached.value)}${reached.score > most ? ' →' : ''}`;
  return [
    `<text class="text" x="${labels - 10}" y="${y + 12}" text-anchor="end">${xmlText(shortTitle(title))}</text>`,
    `<rect class="${reached.reached ? 'reached' : 'missed'}" x="${labels}" y="${y}" width="${length}" height="16" rx="2"/>`,
    `<text class="text" x="${labels + bars + 10}" y="${y + 12}">${xmlText(value)}` +
      `<tspan class="faint small" dx="6">${xmlText(goal.to === undefined ? tellGoal(goal, unit) : shortGoal(goal))}</tspan></text>`,
  ].join('\n');
}

function shortGoal({ at, bound }: { readonly at: 'most' | 'least'; readonly bound: number }): string {
  return `${at === 'most' ? '≤' : '≥'} ${bound.toFixed(2)} ×`;
}

function shortTitle(title: string): string {
  return title.length <= 48 ? title : `${title.slice(0, 47)}…`;
}

/** For text and for attributes in double quotes. */
export function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
