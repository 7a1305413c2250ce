import { type Figure, median } from './report/figure.ts';
import { type Goal, judge, type Reached } from './report/goal.ts';
import type { AnyChapter } from './rows/chapters.ts';
import type { Chapter, Row, Unit, World } from './rows/row.ts';
import type { Settings } from './settings.ts';

/** What is told of a row: that it was measured, skipped, or failed. */
export interface Result {
  readonly id: string;
  readonly title: string;
  readonly chapter: string;
  readonly what: string;
  readonly unit: Unit;
  readonly goal: Goal;
  readonly figures: readonly (Figure & { readonly median: number })[];
  readonly notes: readonly string[];
  /** Absent when it was skipped, or somebody whom the goal names was not there. */
  readonly reached?: Reached;
  readonly skipped?: string;
  /** Why nothing of it may be believed: what was sent is not what was recorded, or could not be sent. */
  readonly faults: readonly string[];
}

export interface Choice {
  readonly id: string;
  readonly title: string;
  readonly quick: boolean;
  readonly long: boolean;
}

/** All rows there are. */
export function choices(chapters: readonly AnyChapter[]): readonly Choice[] {
  return chapters.flatMap((chapter) =>
    chapter(({ rows }) => rows.map(({ id, title, quick, long = false }) => ({ id, title, quick, long }))),
  );
}

/**
 * Measures the chosen rows, chapter by chapter; tells each when it is there. Resolves with what is wrong with whole
 * chapters: what could not be started, and recordings that are not what the journal says.
 */
export async function measure(
  chapters: readonly AnyChapter[],
  chosen: ReadonlySet<string>,
  settings: Settings,
  tell: (result: Result) => void,
): Promise<string[]> {
  const faults: string[] = [];
  for (const chapter of chapters) {
    try {
      faults.push(...(await chapter((each) => measureChapter(each, chosen, settings, tell))));
    } catch (error) {
      faults.push((error as Error).stack ?? String(error));
    }
  }
  return faults;
}

async function measureChapter<W extends World>(
  chapter: Chapter<W>,
  chosen: ReadonlySet<string>,
  settings: Settings,
  tell: (result: Result) => void,
): Promise<readonly string[]> {
  const rows = chapter.rows.filter(({ id }) => chosen.has(id));
  if (rows.length === 0) return [];
  const world = await chapter.open(settings);
  if ('skipped' in world) {
    for (const row of rows) tell(resultOf(chapter, row, { skipped: world.skipped }));
    return [];
  }
  let closed = false;
  try {
    for (const row of rows) tell(await measureRow(chapter, row, world, settings));
    settings.progress(`${chapter.title}: what was recorded is checked`);
    closed = true;
    return (await world.close()).map((fault) => `${chapter.title}: ${fault}`);
  } finally {
    if (!closed) await world.close();
  }
}

async function measureRow<W extends World>(
  chapter: Chapter<W>,
  row: Row<W>,
  world: W,
  settings: Settings,
): Promise<Result> {
  const told = { ...settings, progress: (text: string) => settings.progress(`${row.id}: ${text}`) };
  const outcome = await row.measure(world, told).catch((error: Error) => ({ faults: [error.message] }));
  if ('skipped' in outcome) return resultOf(chapter, row, outcome);
  told.progress('what was recorded is checked');
  const before = world.recorded();
  // A row that broke off has sent what nobody told the ledger of: one fault is enough to say so.
  const faults = await world.check();
  const units = world.recorded() - before;
  const found = units > 0 ? [`${units.toLocaleString('en-US')} units that were sent are in sealed recordings`] : [];
  if ('faults' in outcome) return resultOf(chapter, row, outcome);
  return resultOf(chapter, row, { ...outcome, notes: [...(outcome.notes ?? []), ...found], faults });
}

function resultOf<W extends World>(
  chapter: Chapter<W>,
  { id, title, what, unit, goal }: Row<W>,
  outcome: {
    readonly figures?: readonly Figure[];
    readonly notes?: readonly string[];
    readonly goal?: Goal;
    readonly skipped?: string;
    readonly faults?: readonly string[];
  },
): Result {
  const figures = outcome.figures ?? [];
  const held = outcome.goal ?? goal;
  const reached = judge(held, figures);
  return {
    id,
    title,
    chapter: chapter.title,
    what,
    unit,
    goal: held,
    figures: figures.map((figure) => ({ ...figure, median: median(figure.samples) })),
    notes: outcome.notes ?? [],
    ...(reached ? { reached } : {}),
    ...(outcome.skipped === undefined ? {} : { skipped: outcome.skipped }),
    faults: outcome.faults ?? [],
  };
}
