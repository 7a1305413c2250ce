import type { OperationResult } from '@sluice/core/contract/operations.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { Fields } from '../protocol/fields.ts';
import { cellValue, type Types, typeName } from './cells.ts';
import type { Findings } from './watched-session.ts';
import type { Answer } from './wire-client.ts';

/** What a caller is told of an answer. Everything in it is as any client of the protocol would have got it. */
export function resultOf(
  answer: Answer,
  findings: Findings,
  types: Types,
  { before, crowded }: Around = {},
): OperationResult {
  const { error, tag, status, suspended } = answer;
  if (findings.denial !== undefined && error !== undefined) return { outcome: 'refused', denial: findings.denial };
  if (answer.copy) return { outcome: 'failed', code: '0A000', message: copyRefused };
  if (error !== undefined) return { outcome: 'failed', code: error.get('C') ?? 'XX000', message: messageOf(error) };
  if (status !== 'I') return { outcome: 'failed', code: '25000', message: transactionRefused };
  const notices = [...answer.notices, ...(sets.has(tag) ? [stateLost(tag)] : []), ...(crowded ? [noCursor] : [])];
  const by = truncatedBy(answer, findings);
  const value: JsonObject = {
    columns: answer.columns.map(({ name, type }, index) => {
      const masked = findings.columns?.[index]?.masked;
      return { name, type: typeName(type, types), ...(masked ? { masked: [...masked] } : {}) };
    }),
    rows: answer.rows.map(
      (cells): Json => cells.map((cell, index) => cellValue(answer.columns[index]?.type ?? 0, cell)),
    ),
    row_count: answer.rows.length,
    command: suspended ? `SELECT ${answer.rows.length}` : tag,
    truncated: by !== undefined,
    ...(by ? { truncated_by: by } : {}),
    ...(answer.kept || before !== undefined ? { rows_so_far: (before ?? 0) + answer.rows.length } : {}),
    ...(notices.length > 0 ? { notices } : {}),
  };
  return { outcome: 'done', value, ...(answer.kept ? { more: true } : {}) };
}

/** What a result is told with that is not of this one answer. */
export interface Around {
  /** Rows of the same statement that were given before. */
  readonly before?: number;
  /** The rest could not be kept, since other calls waited for the session. */
  readonly crowded?: boolean;
}

/** Whether the session is as it was before, so that the next statement means what it says. */
export function sessionKept({ tag, status, suspended, error }: Answer, { lasting, denial }: Findings): boolean {
  if (status !== 'I') return false;
  // What failed did nothing, and what was refused was not done.
  if (error !== undefined || denial !== undefined) return true;
  return !lasting && (suspended || keeps.has(tag.split(' ', 1)[0] ?? ''));
}

/** Commands after which a session is as before (documentation, "SQL Commands"). */
const keeps: ReadonlySet<string> = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'EXPLAIN', '']);

function truncatedBy({ leftOut, suspended }: Answer, findings: Findings): string | undefined {
  if (leftOut === 'bytes') return 'bytes';
  if (leftOut === 'rows') return 'max_rows';
  if (findings.rowLimit) return 'policy';
  return suspended ? 'max_rows' : undefined;
}

/** In characters. */
const longestMessage = 8_000;

function messageOf(fields: Fields): string {
  const position = fields.get('P');
  const parts = [
    `${fields.get('M') ?? 'The database refused it.'}${position ? ` (at character ${position})` : ''}`,
    fields.get('D'),
    fields.has('H') ? `Hint: ${fields.get('H')}` : undefined,
  ];
  return parts
    .filter((part) => part !== undefined)
    .join('\n')
    .slice(0, longestMessage);
}

/** Commands whose only purpose is what the session is like afterwards. */
const sets: ReadonlySet<string> = new Set([
  'SET',
  'RESET',
  'PREPARE',
  'DEALLOCATE',
  'DECLARE CURSOR',
  'LISTEN',
  'UNLISTEN',
  'LOAD',
  'DISCARD ALL',
]);

function stateLost(tag: string): string {
  return `Done (${tag}). Each call has a session state of its own: settings, prepared statements, cursors and temporary tables are gone after it.`;
}

const noCursor =
  'There is no cursor for the rest, since other calls waited for the same session. Send it again when they are over.';
const copyRefused = 'COPY is not available here. Read with SELECT, write with INSERT.';
const transactionRefused =
  'Each call is a transaction of its own, and a transaction cannot stay open after it: it was rolled back. Leave BEGIN out; put what belongs together into one statement, for instance with WITH.';
