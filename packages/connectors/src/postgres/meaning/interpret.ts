import { MeaningError } from './error.ts';
import type { MeaningContext, StatementMeaning } from './statement.ts';

/**
 * From the text of a query string to what each statement in it means. Reads the text with the server's own grammar and
 * judges every node of it; it does not decide, and refuses (MeaningError) whatever it does not understand.
 */

/** Must have resolved before `interpret` is called; safe to call again. */
export async function loadGrammar(): Promise<void> {}

/**
 * One meaning per statement, in order; empty for an empty query string (blanks, comments, semicolons).
 * Throws MeaningError and nothing else.
 */
export function interpret(_text: string, _ctx: MeaningContext): readonly StatementMeaning[] {
  throw new MeaningError('unsupported', 'no statement is understood yet');
}
