import type { Piece } from './pieces.ts';
import type { Token } from './tokens.ts';

/**
 * The engine reads and evaluates by recursion on the thread's stack, and what overflows it leaves the engine broken for
 * everybody. Fully optimised code needs the most stack per level and gives out between 64 and 80 nested brackets, or
 * between 96 and 112 operators in a row: a policy could even load, work, and fail once it is in use. Depth is at most the
 * operators, the brackets, and a comparison per bracket; the worst that keeps to these bounds needs less than 600 of
 * Node's 984 KB.
 */
export const maxDepth = 12;
export const maxOperators = 48;

const operators = new Set(['&&', '||', '!', '+', '-', '*', 'if', 'when', 'unless']);

/** The place where a policy outgrows what the engine is given, and what to say about it. */
export function outgrown({ tokens }: Piece): { token: Token; message: string; hint: string } | undefined {
  let depth = 0;
  let used = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'string' || token.kind === 'number') continue;
    if ('([{'.includes(token.text)) depth++;
    else if (')]}'.includes(token.text)) depth--;
    else if (operators.has(token.text) || isFurtherDot(tokens, index)) used++;
    if (depth > maxDepth) {
      return { token, message: `brackets are nested more than ${maxDepth} deep`, hint: 'Say it flatter.' };
    }
    if (used > maxOperators) {
      const hint = 'Divide it into several policies, or use sets: [..].contains(..).';
      return { token, message: `the policy has more than ${maxOperators} operators`, hint };
    }
  }
  return undefined;
}

/** A dot that reaches into the result of something other than a plain name: `a.b` has none, `a.b.c` and `f().b` one. */
function isFurtherDot(tokens: readonly Token[], index: number): boolean {
  if (tokens[index]?.text !== '.') return false;
  return tokens[index - 1]?.kind !== 'word' || tokens[index - 2]?.text === '.';
}
