import type { JsonObject } from '@sluice/core/domain/json.ts';
import { parameterText } from './cells.ts';
import { longestFilter, mostBytes, mostParameters, mostRows, rowsByDefault } from './declarations.ts';
import type { Portion, Wanted } from './wire-client.ts';

/** What was given for an operation is not what it takes; the message says why and holds no value. */
export class ArgumentError extends Error {}

export type Asked =
  | ({ readonly kind: 'statement' } & Omit<Wanted, 'manner' | 'keeps'>)
  /** The next rows of one that was asked before. Whose cursor it is was seen to by whoever gave it. */
  | ({ readonly kind: 'more' } & Omit<Portion, 'keeps'>);

export function queryArguments(input: JsonObject): Asked {
  if (Object.hasOwn(input, 'cursor')) return moreArguments(input);
  refuseOthers(input, ['sql', 'parameters', 'max_rows', 'cursor']);
  const { sql, parameters = [] } = input;
  if (sql === undefined) throw new ArgumentError('"sql" is missing, or "cursor" to go on with a result.');
  if (typeof sql !== 'string' || sql.trim() === '') throw new ArgumentError('"sql" is one SQL statement, as a text.');
  if (sql.includes('\0')) throw new ArgumentError('"sql" holds a NUL character, which no statement can.');
  if (!Array.isArray(parameters) || parameters.length > mostParameters) {
    throw new ArgumentError(`"parameters" is a list of at most ${mostParameters} values.`);
  }
  return {
    kind: 'statement',
    text: sql,
    parameters: parameters.map(parameter),
    rows: rowsWanted(input),
    bytes: mostBytes,
  };
}

function moreArguments(input: JsonObject): Asked {
  if (typeof input['cursor'] !== 'string') throw new ArgumentError('"cursor" is a text from an earlier result.');
  if (Object.hasOwn(input, 'sql') || Object.hasOwn(input, 'parameters')) {
    throw new ArgumentError('A "cursor" stands for its statement: leave "sql" and "parameters" out.');
  }
  refuseOthers(input, ['cursor', 'max_rows']);
  return { kind: 'more', rows: rowsWanted(input), bytes: mostBytes };
}

function rowsWanted({ max_rows: rows = rowsByDefault }: JsonObject): number {
  if (typeof rows !== 'number' || !Number.isInteger(rows) || rows < 1 || rows > mostRows) {
    throw new ArgumentError(`"max_rows" is a whole number from 1 to ${mostRows}.`);
  }
  return rows;
}

export function describeArguments(input: JsonObject): string {
  refuseOthers(input, ['filter']);
  const { filter = '' } = input;
  if (typeof filter !== 'string' || filter.length > longestFilter) {
    throw new ArgumentError(`"filter" is a text of at most ${longestFilter} characters.`);
  }
  return filter.toLowerCase();
}

function parameter(value: unknown, index: number): string | null {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
    if (typeof value === 'string' && value.includes('\0')) {
      throw new ArgumentError(`Parameter $${index + 1} holds a NUL character, which no text can.`);
    }
    return parameterText(value);
  }
  throw new ArgumentError(`Parameter $${index + 1} is neither text, number, boolean nor null: write it as a text.`);
}

function refuseOthers(input: JsonObject, known: readonly string[]): void {
  const other = Object.keys(input).find((key) => !known.includes(key));
  if (other !== undefined) {
    throw new ArgumentError(
      `There is no argument ${JSON.stringify(other.slice(0, 64))}; there are ${known.join(', ')}.`,
    );
  }
}
