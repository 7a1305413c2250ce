/**
 * From the text of a query string to what each statement in it means. Reads the text with the server's own grammar and
 * judges every node of it; it does not decide, and refuses (MeaningError) whatever it does not understand.
 */
import { admit } from './admit.ts';
import { newBudget, understand } from './engine.ts';
import { asMeaningError, loadGrammar, type ParsedStatement, parse } from './grammar.ts';
import type { Skeleton } from './literals.ts';
import { Learning, type Model } from './model.ts';
import { applyEffects, withPrepared } from './overlay.ts';
import type { MeaningContext, StatementMeaning } from './statement.ts';

export { loadGrammar };

/**
 * One meaning per statement, in order; empty for an empty query string (blanks, comments, semicolons). Later statements
 * are read under the names that the earlier ones leave behind. Throws MeaningError and nothing else.
 */
export function interpret(text: string, ctx: MeaningContext): readonly StatementMeaning[] {
  return understanding(text, () => meaningsOf(parse(text), ctx));
}

export interface Learnt {
  readonly meanings: readonly StatementMeaning[];
  /** For texts of the same skeleton; absent when the meaning may hold for this text only. */
  readonly model?: Model;
}

/** As `interpret`, and finds out whether the meaning hangs on the values of the text's literals. */
export function learn(text: string, ctx: MeaningContext, skeleton: Skeleton): Learnt {
  return understanding(text, () => {
    const statements = parse(text);
    const [first] = statements;
    if (first === undefined || statements.length > 1) return { meanings: meaningsOf(statements, ctx) };
    const learning = new Learning(text, skeleton, first.node);
    const meanings = meaningsOf(statements, ctx, learning);
    const model = meanings[0] && learning.model(meanings[0]);
    return { meanings, ...(model ? { model } : {}) };
  });
}

function meaningsOf(
  statements: readonly ParsedStatement[],
  ctx: MeaningContext,
  learning?: Learning,
): readonly StatementMeaning[] {
  const meanings: StatementMeaning[] = [];
  let now = ctx;
  const budget = newBudget();
  for (const { node, text } of statements) {
    const admitted = admit(node);
    learning?.begin();
    const meaning = understand(node, text, now, admitted, budget);
    meanings.push(meaning);
    if (meaning.effects.length > 0) {
      now = withPrepared(
        { ...now, overlay: applyEffects(now.overlay, meaning.effects, 'same_string') },
        meaning.effects,
      );
    }
  }
  return meanings;
}

function understanding<T>(text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asMeaningError(error, text);
  }
}
