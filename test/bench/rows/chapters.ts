import { connect } from './connect.ts';
import { httpRequestsRows } from './http-requests.ts';
import { type HttpWorld, openHttpWorld } from './http-world.ts';
import { idleSessions } from './idle-sessions.ts';
import { literals } from './literals.ts';
import { memoryRows } from './memory.ts';
import { millionRowsRows } from './million-rows.ts';
import type { PostgresWorld } from './postgres-peers.ts';
import { openPostgresWorld } from './postgres-world.ts';
import { readWrite } from './read-write.ts';
import type { Chapter, World } from './row.ts';
import { selectOnlyRows } from './select-only.ts';
import { soak } from './soak.ts';
import { sshCopyRows } from './ssh-copy.ts';
import { sshExecRows } from './ssh-exec.ts';
import { openSshWorld, type SshWorld } from './ssh-world.ts';
import { thousandRowsRows } from './thousand-rows.ts';
import { workersRows } from './workers.ts';

const postgres: Chapter<PostgresWorld> = {
  title: 'PostgreSQL',
  open: openPostgresWorld,
  rows: [
    ...selectOnlyRows,
    ...workersRows,
    ...thousandRowsRows,
    ...millionRowsRows,
    readWrite,
    literals,
    connect,
    idleSessions,
    ...memoryRows,
    soak,
  ],
};

const ssh: Chapter<SshWorld> = {
  title: 'SSH',
  open: openSshWorld,
  rows: [...sshExecRows, ...sshCopyRows],
};

const http: Chapter<HttpWorld> = {
  title: 'HTTP',
  open: openHttpWorld,
  rows: httpRequestsRows,
};

/** Gives a chapter to whoever works with all of them, without telling what its rows share. */
export type AnyChapter = <Answer>(use: <W extends World>(chapter: Chapter<W>) => Answer) => Answer;

function anyChapter<W extends World>(chapter: Chapter<W>): AnyChapter {
  return (use) => use(chapter);
}

export const chapters: readonly AnyChapter[] = [anyChapter(postgres), anyChapter(ssh), anyChapter(http)];
