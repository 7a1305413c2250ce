/**
 * Whose words a message of the server is. Triggers, cascades and deferred checks speak of other data than the statement
 * that sets them off, and their texts quote values; what the statement itself touches does not tell.
 */
import type { Fields } from '../protocol/fields.ts';

/** Contexts of what the client itself sent: a line of its COPY, its JSON, its parameters. */
const own = /^(COPY |JSON data, |unnamed portal|portal ")/;

/**
 * True for an error or notice that was raised by code that the gateway does not see into ("Error and Notice Message
 * Fields": where, internal query), or that is about a table for which `labelled` holds.
 */
export function speaksOfOthers(fields: Fields, labelled: (schema: string, table: string) => boolean): boolean {
  const where = fields.get('W');
  if (where !== undefined && !where.split('\n').every((line) => own.test(line))) return true;
  if (fields.has('q')) return true;
  const table = fields.get('t');
  return table !== undefined && labelled(fields.get('s') ?? '', table);
}
