/**
 * From the text of a query string to what each statement in it means. Reads the text with the server's own grammar and
 * judges every node of it; it does not decide, and refuses (MeaningError) whatever it does not understand.
 */
import { admit } from './admit.ts';
import { newBudget, understand } from './engine.ts';
import { asMeaningError, loadGrammar, parse } from './grammar.ts';
import { applyEffects, withPrepared } from './overlay.ts';
import type { MeaningContext, StatementMeaning } from './statement.ts';

export { loadGrammar };

/**
 * One meaning per statement, in order; empty for an empty query string (blanks, comments, semicolons). Later statements
 * are read under the names that the earlier ones leave behind. Throws MeaningError and nothing else.
 */
export function interpret(text: string, ctx: MeaningContext): readonly StatementMeaning[] {
  try {
    const meanings: StatementMeaning[] = [];
    let now = ctx;
    const budget = newBudget();
    for (const statement of parse(text)) {
      const meaning = understand(statement.node, statement.text, now, admit(statement.node), budget);
      meanings.push(meaning);
      if (meaning.effects.length > 0) {
        now = withPrepared(
          { ...now, overlay: applyEffects(now.overlay, meaning.effects, 'same_string') },
          meaning.effects,
        );
      }
    }
    return meanings;
  } catch (error) {
    throw asMeaningError(error, text);
  }
}
