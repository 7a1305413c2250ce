import { tellGoal } from './goal.ts';
import type { Machine } from './machine.ts';
import { ratioOf, tellNumber } from './numbers.ts';
import type { KeptResult, Run } from './run.ts';

const opening = `<!-- Written by npm run bench with --write. -->
# Benchmarks

What Sluice costs, measured side by side with the target itself and with what else people put in front of it, with
policies, two masked columns and recording on; the peers do none of that. Times of one machine say nothing about another
one, and are here only so that the ratios can be checked: the claim is the ratio. Run it on your own:

\`\`\`
npm run bench                # every row, about an hour
npm run bench -- --quick     # two minutes
npm run bench -- --help
\`\`\`

![A bar for each row: how far it came in relation to its goal](chart.svg)
`;

const method = `## Method

- Everything runs on one machine over loopback: the target, the peer, the gateway and the program that makes the load,
  each in processes of their own. They share the processors, so that what the gateway uses is missing elsewhere; with a
  machine for each, ratios are better than these.
- The gateway is \`sluice start\` as it ships: Cedar policies (\`test/bench/policies\`, those of a shop), masking by place with the default
  strategies, recording with \`group\` durability, the embedded store. PgBouncer is Debian's package in session mode,
  otherwise as it comes, with the server's own SCRAM secret. PostgreSQL does not wait for its disk, which would hide what
  stands in front of it.
- In each round everybody has one turn, always in the same order, after a warm-up. A ratio is that of two turns of the same round;
  what is shown is the median over the rounds, with the least and the greatest.
- After each row, every recording it made is read with the project's own verifier, chain and seal included, and counted: each
  statement that the load sent must be there. Each result with masked columns must have the digest of the rows as they must
  be masked; those rows were compared with the database's own, one by one, before. After the last row, recordings and
  the gateway's journal must agree. A run in which anything is missing fails.
- A peer that is not installed is left out and named.

What is compared is in \`test/bench\`; the samples behind each median are in [results.gen.json](results.gen.json).
`;

/** The page that shows a run. */
export function renderPage(run: Run): string {
  const chapters = [...new Set(run.results.map(({ chapter }) => chapter))];
  return [opening, ...chapters.map((chapter) => renderChapter(chapter, run)), method, renderMachine(run.machine)].join(
    '\n',
  );
}

function renderChapter(chapter: string, run: Run): string {
  const rows = run.results.filter((row) => row.chapter === chapter);
  return [
    `## ${chapter}`,
    '',
    '| Row | Medians | Ratio (rounds) | Goal | Reached |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${tableCells(row).map(cell).join(' | ')} |`),
    '',
    ...rows.map((row) => `- **${row.title}**: ${row.what}${aside(row, run)}`),
    '',
  ].join('\n');
}

function tableCells({ title, unit, goal, figures, reached, skipped, faults }: KeptResult): string[] {
  if (skipped !== undefined) return [title, `skipped: ${skipped}`, '', tellGoal(goal, unit), ''];
  const medians = figures.map(({ who, median }) => `${who} ${tellNumber(median)}`).join('<br>');
  const within = reached?.spread
    .map((each) => (goal.to === undefined ? tellNumber(each) : each.toFixed(2)))
    .join(' to ');
  return [
    title,
    figures.length === 0 ? '' : `${medians} ${unit}`,
    reached ? `**${ratioOf(goal, unit, reached.value)}** (${within})` : '',
    tellGoal(goal, unit),
    faults.length > 0 ? 'not valid' : reached ? (reached.reached ? 'yes' : 'no') : '',
  ];
}

/** What is to be known of this row alone. */
function aside({ notes, commit, rounds, seconds }: KeptResult, { machine }: Run): string {
  const told = [
    ...notes,
    ...(commit === machine.commit ? [] : [`measured at commit ${commit}`]),
    `${rounds} rounds, turns of ${seconds} s`,
  ];
  return ` (${told.join('; ')})`;
}

function renderMachine(machine: Machine): string {
  return [
    '## Machine',
    '',
    '| | |',
    '|---|---|',
    `| Processors | ${machine.processors} × ${cell(machine.processor)} |`,
    `| Memory | ${machine.memory} GiB |`,
    `| System | ${cell(machine.system)} |`,
    `| Node | ${cell(machine.node)} |`,
    `| PostgreSQL | ${cell(machine.postgres)} |`,
    `| PgBouncer | ${cell(machine.pgbouncer)} |`,
    `| OpenSSH | ${cell(machine.openssh)} |`,
    `| Commit | ${cell(machine.commit)} |`,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
