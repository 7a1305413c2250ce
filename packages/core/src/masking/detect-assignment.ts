import { escapedQuote, isBlank, isDigit, isLetter, isLineBreak, type Match, type Page } from './detector.ts';

/** How much of a value is looked at, which is also what tells it from another where it is hashed. */
const longest = 512;
const mostBlanks = 4;

const quotes = `"'\`${escapedQuote}`;
const ends = `;&<>${quotes}`;

const isQuote = (code: number): boolean => quotes.includes(String.fromCharCode(code));
const isBare = (code: number): boolean => code > 32 && !ends.includes(String.fromCharCode(code));

export interface AssignmentOptions {
  /** True behind an option of a command, whose value may follow a blank alone. */
  readonly option: boolean;
}

/**
 * The value that is given to the name which ends at `at`: `name=value`, `name = 'value'`, `"name": "value"`,
 * `name => value`, and `name: value` where nothing else is on the line.
 */
export function readAssignment(
  page: Page,
  at: number,
  { option }: AssignmentOptions,
): Match | 'weak' | 'strong' | undefined {
  let place = at;
  const quoted = isQuote(page.code(place));
  if (quoted) place += 1;
  if (page.text[place] === ']') place += 1;
  const afterName = place;
  place = page.runEnd(place, place + mostBlanks, isBlank);
  if (page.unknown(place)) return 'weak';
  const sign = page.text.charAt(place);
  if (sign === '=' || sign === ':') {
    place = page.runEnd(place, place + 3, (code) => code === 61 || code === 58 || code === 62);
  } else if (!option || place === afterName || sign === '-') return undefined;
  if (page.unknown(place)) return 'weak';
  place = page.runEnd(place, place + mostBlanks, isBlank);
  if (page.unknown(place)) return 'weak';
  if (isQuote(page.code(place))) return quotedValue(page, place);
  const stop = page.runEnd(place, place + longest, isBare);
  if (page.unknown(stop)) return stop === place ? 'weak' : 'strong';
  if (stop === place) return undefined;
  if (stop === place + longest) return { start: place, end: stop, tail: isBare };
  if (sign === ':' && !quoted) return endsLine(page, place, stop);
  let end = stop;
  while (end > place && closesNothing(page.text.slice(place, end))) end -= 1;
  return end === place ? undefined : { start: place, end };
}

function quotedValue(page: Page, at: number): Match | 'weak' | 'strong' | undefined {
  const quote = page.code(at);
  const isInside = (code: number) => code !== quote && !isLineBreak(code) && !Number.isNaN(code);
  const end = page.runEnd(at + 1, at + 1 + longest, isInside);
  if (page.unknown(end)) return end === at + 1 ? 'weak' : 'strong';
  if (end === at + 1) return undefined;
  return end === at + 1 + longest ? { start: at + 1, end, tail: isInside } : { start: at + 1, end };
}

/** `password: hunter2`, as in YAML, and not `password: see below` or `password: required`. */
function endsLine(page: Page, start: number, stop: number): Match | 'strong' | undefined {
  const end = page.runEnd(stop, stop + mostBlanks, isBlank);
  if (page.unknown(end)) return 'strong';
  const code = page.code(end);
  if (!Number.isNaN(code) && !isLineBreak(code) && code !== 35) return undefined;
  const telling = stop - start >= 12 || page.runEnd(start, stop, isLetter) < stop || isDigit(page.code(start));
  return telling ? { start, end: stop } : undefined;
}

/** Whether the last character belongs to what is around the value: `f(password=x)`. */
function closesNothing(value: string): boolean {
  const opening = { ')': '(', ']': '[', '}': '{', ',': ',' }[value.slice(-1)];
  return opening !== undefined && !value.slice(0, -1).includes(opening);
}
