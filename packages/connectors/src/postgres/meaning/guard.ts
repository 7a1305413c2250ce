import { MeaningError } from './error.ts';

/**
 * What is checked before the text meets the parser. The grammar runs in WASM on the event loop: its memory never shrinks,
 * and a stack overflow in it leaves it damaged for every later statement, so both are made impossible beforehand.
 */

/** Bytes of UTF-8. */
export const maxStatementBytes = 256 * 1024;

/** Levels of nesting as counted below. The parser has been seen to fail above some four times this. */
export const maxNesting = 1000;

const parenthesisWeight = 2;

/** Words that nest their left or right side one level deeper each time they occur. */
const nestingWords: ReadonlySet<string> = new Set(
  (
    'not is isnull notnull like ilike similar between in collate at operator overlaps escape ' +
    'distinct setof array row select any some all exists'
  ).split(' '),
);

/** Words whose nesting ends only with the parenthesis around them. */
const setWords: ReadonlySet<string> = new Set(['union', 'intersect', 'except', 'join']);

/** AND and OR are flattened by the grammar, and the parts of a CASE lie side by side. */
const flatWords: ReadonlySet<string> = new Set(['and', 'or', 'when', 'then', 'else']);

const wordStart = /[A-Za-z_\u0080-\uffff]/;
const word = /[A-Za-z0-9_$\u0080-\uffff]+/y;
const operator = /[-+*/<>=~!@#%^&|`?:]+/y;
const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;

export function guard(text: string): void {
  if (text.includes('\0')) {
    throw new MeaningError('encoding', 'invalid byte sequence for encoding "UTF8": 0x00');
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new MeaningError('encoding', 'the statement contains half of a surrogate pair, which UTF-8 cannot carry');
  }
  if (text.length > maxStatementBytes || Buffer.byteLength(text) > maxStatementBytes) {
    throw new MeaningError('too_large', `the statement is larger than ${maxStatementBytes / 1024} KiB`, {
      hint: 'Send fewer rows per statement, or use COPY … FROM STDIN or parameters for large values.',
    });
  }
  if (nesting(text) > maxNesting) {
    throw new MeaningError('too_complex', `the statement is nested deeper than ${maxNesting} levels`, {
      hint: 'Split the statement, or use IN, arrays or a join instead of long chains of operators.',
    });
  }
}

interface Level {
  /** Closed by END rather than by a bracket. */
  readonly isCase: boolean;
  /** Since the last comma. */
  chain: number;
  sets: number;
}

function level(isCase: boolean): Level {
  return { isCase, chain: 0, sets: 0 };
}

/** An upper bound of how deep the parse tree of this text can be, by looking at its tokens only. */
export function nesting(text: string): number {
  const levels: Level[] = [level(false)];
  let deepest = 0;
  let at = 0;
  const top = (): Level => levels[levels.length - 1] ?? level(false);
  const count = (): void => {
    let depth = 0;
    for (const one of levels) depth += parenthesisWeight + one.chain + one.sets;
    if (depth > deepest) deepest = depth;
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length && deepest <= maxNesting) {
    const char = text[at] ?? '';
    if (char === "'" || char === '"') {
      const escaped = char === "'" && /[eE]/.test(text[at - 1] ?? '');
      at = endOfQuoted(text, at, char, escaped);
    } else if (char === '-' && text[at + 1] === '-') {
      while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at += 1;
    } else if (char === '/' && text[at + 1] === '*') {
      at = endOfComment(text, at);
    } else if (char === '$') {
      const tag = match(dollarTag);
      const end = tag === undefined ? -1 : text.indexOf(tag, at + tag.length);
      at = tag === undefined ? at + 1 : end < 0 ? text.length : end + tag.length;
    } else if (char === '(' || char === '[') {
      levels.push(level(false));
      count();
      at += 1;
    } else if (char === ')' || char === ']') {
      while (levels.length > 1 && top().isCase) levels.pop();
      if (levels.length > 1) levels.pop();
      at += 1;
    } else if (char === ',') {
      top().chain = 0;
      at += 1;
    } else if (char === ';') {
      levels.length = 0;
      levels.push(level(false));
      at += 1;
    } else if (wordStart.test(char)) {
      const raw = match(word) ?? char;
      const found = raw.toLowerCase();
      at += raw.length;
      if (flatWords.has(found)) {
        top().chain = 0;
        continue;
      }
      if (found === 'case') levels.push(level(true));
      else if (found === 'end' && top().isCase) levels.pop();
      else if (setWords.has(found)) top().sets += 1;
      else if (nestingWords.has(found)) top().chain += 1;
      else continue;
      count();
    } else {
      const run = match(operator);
      if (run === undefined) at += 1;
      else {
        // A run may be several operators, and each may nest: an upper bound counts its characters.
        const comment = Math.min(...[run.indexOf('--'), run.indexOf('/*')].filter((found) => found >= 0), run.length);
        at += Math.max(comment, 1);
        top().chain += Math.max(comment, 1);
        count();
      }
    }
  }
  return deepest;
}

function endOfQuoted(text: string, start: number, quote: string, escaped: boolean): number {
  let at = start + 1;
  while (at < text.length) {
    if (escaped && text[at] === '\\') at += 2;
    else if (text[at] === quote) return at + 1;
    else at += 1;
  }
  return text.length;
}

/** Comments nest (lexical structure, 4.1.5). */
function endOfComment(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '/' && text[at + 1] === '*') {
      depth += 1;
      at += 1;
    } else if (text[at] === '*' && text[at + 1] === '/') {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}
