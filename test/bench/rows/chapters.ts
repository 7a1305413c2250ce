import type { PostgresWorld } from './postgres-peers.ts';
import { openPostgresWorld } from './postgres-world.ts';
import type { Chapter, World } from './row.ts';
import { selectOnlyRows } from './select-only.ts';
import { thousandRowsRows } from './thousand-rows.ts';

const postgres: Chapter<PostgresWorld> = {
  title: 'PostgreSQL',
  open: openPostgresWorld,
  rows: [...selectOnlyRows, ...thousandRowsRows],
};

/** Gives a chapter to whoever works with all of them, without telling what its rows share. */
export type AnyChapter = <Answer>(use: <W extends World>(chapter: Chapter<W>) => Answer) => Answer;

function anyChapter<W extends World>(chapter: Chapter<W>): AnyChapter {
  return (use) => use(chapter);
}

export const chapters: readonly AnyChapter[] = [anyChapter(postgres)];
