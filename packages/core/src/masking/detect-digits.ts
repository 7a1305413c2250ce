import { isAlphanumeric, isDigit, type Page } from './detector.ts';

/** A number as people write it: groups of digits with one separator between each two. */
export interface Groups {
  readonly digits: string;
  readonly sizes: readonly number[];
  /** Where each group ends in the page. */
  readonly ends: readonly number[];
  /** The characters between the groups, one each. */
  readonly separators: string;
}

/** More than any number we know, so that one which is longer can be told from one which is not. */
const mostCharacters = 44;

const isSeparator = (code: number): boolean => code === 32 || (code >= 45 && code <= 47);

/** The groups from `at` on, or how many digits there are so far while more may follow. */
export function readGroups(page: Page, at: number): Groups | number {
  const sizes: number[] = [];
  const ends: number[] = [];
  let digits = '';
  let separators = '';
  let place = at;
  const limit = at + mostCharacters;
  for (;;) {
    const end = page.runEnd(place, limit, isDigit);
    digits += page.text.slice(place, end);
    sizes.push(end - place);
    ends.push(end);
    if (end >= limit) break;
    if (page.unknown(end)) return digits.length;
    if (!isSeparator(page.code(end))) break;
    if (page.unknown(end + 1)) return digits.length;
    if (!isDigit(page.code(end + 1))) break;
    separators += page.text.charAt(end);
    place = end + 1;
  }
  return { digits, sizes, ends, separators };
}

/** From so many digits on, an unfinished number is not shown. */
export const tellingDigits = 6;

/** Whether the digits from `at` on are part of something longer: a fraction, a version, another number. */
export function goesOnBefore(page: Page, at: number, signs: string): boolean {
  return at >= 2 && signs.includes(page.text.charAt(at - 1)) && isDigit(page.code(at - 2));
}

export function goesOnBehind(page: Page, end: number, signs: string): boolean {
  if (isAlphanumeric(page.code(end))) return true;
  const sign = page.text.charAt(end);
  return sign !== '' && signs.includes(sign) && isDigit(page.code(end + 1));
}

/** Whether the first groups have these sizes and separators. */
export function hasShape({ sizes, separators }: Groups, wanted: readonly number[], between: string): boolean {
  return wanted.every((size, index) => sizes[index] === size) && separators.startsWith(between);
}
