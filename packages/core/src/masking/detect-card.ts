import { luhn } from './checksum.ts';
import { type Groups, goesOnBefore, readGroups, tellingDigits } from './detect-digits.ts';
import { type Detector, digits, isAlphanumeric, type Page } from './detector.ts';

/** Issuers' prefixes, as ranges of equal length, and the lengths of their numbers (ISO/IEC 7812-1; the networks' lists). */
const issuers: readonly (readonly [from: number, to: number, lengths: readonly number[]])[] = [
  [4, 4, [13, 16, 18, 19]],
  [51, 55, [16]],
  [2221, 2720, [16]],
  [34, 34, [15]],
  [37, 37, [15]],
  [300, 305, [14, 16, 17, 18, 19]],
  [3095, 3095, [14, 16, 17, 18, 19]],
  [36, 36, [14, 15, 16, 17, 18, 19]],
  [38, 39, [14, 16, 17, 18, 19]],
  [6011, 6011, [16, 17, 18, 19]],
  [644, 649, [16, 17, 18, 19]],
  [65, 65, [16, 17, 18, 19]],
  [3528, 3589, [16, 17, 18, 19]],
  [62, 62, [16, 17, 18, 19]],
  [60, 60, [16]],
  [81, 82, [16]],
  [508, 508, [16]],
  [2200, 2204, [16, 17, 18, 19]],
  [9792, 9792, [16]],
  [5018, 5018, [13, 14, 15, 16, 17, 18, 19]],
  [5020, 5020, [13, 14, 15, 16, 17, 18, 19]],
  [5038, 5038, [13, 14, 15, 16, 17, 18, 19]],
  [5893, 5893, [13, 14, 15, 16, 17, 18, 19]],
  [6304, 6304, [13, 14, 15, 16, 17, 18, 19]],
  [6759, 6763, [13, 14, 15, 16, 17, 18, 19]],
];

const firstDigits: ReadonlySet<number> = new Set(issuers.map(([from]) => String(from).charCodeAt(0)));

/** How the networks group numbers; anything else must stand alone to count. */
const printed = new Set(['4,4,4,4', '4,4,4,4,2', '4,4,4,4,3', '4,6,5', '4,6,4', '4,4,5']);

export const card: Detector = {
  label: 'pci.card',
  first: digits,
  where: 'anywhere',
  read(page, at) {
    const before = page.code(at - 1);
    if (!firstDigits.has(page.code(at))) return undefined;
    if (isAlphanumeric(before) && !opensTrack(page, at)) return undefined;
    if (goesOnBefore(page, at, '.')) return undefined;
    const groups = readGroups(page, at);
    if (typeof groups === 'number') return groups >= tellingDigits ? 'strong' : 'weak';
    const count = cardGroups(page, at, groups);
    const end = groups.ends[count - 1];
    return end === undefined ? undefined : { start: at, end };
  },
};

/** `%B`, which stands before the number on a card's first track (ISO/IEC 7813). */
function opensTrack(page: Page, at: number): boolean {
  return page.text.startsWith('%B', at - 2);
}

/** How many of the groups are a card's number; 0 for none. The longest that fits, which hides the most. */
function cardGroups(page: Page, at: number, groups: Groups): number {
  const { sizes, ends, separators } = groups;
  const last = sizes.length - 1;
  let found = 0;
  let length = 0;
  for (const [index, size] of sizes.entries()) {
    length += size;
    if (length > 19) break;
    // Groups with different separators between them are no number, however many follow.
    if (index > 1 && separators.charCodeAt(index - 1) !== separators.charCodeAt(0)) break;
    if (length < 13 || isAlphanumeric(page.code(ends[index] ?? 0))) continue;
    const alone = index === last && !goesOnBefore(page, at, ' -./');
    if (!alone && !isPrinted(sizes, index)) continue;
    if (isCard(groups.digits.slice(0, length))) found = index + 1;
  }
  return found;
}

function isPrinted(sizes: readonly number[], index: number): boolean {
  return index === 0 || (index <= 4 && printed.has(sizes.slice(0, index + 1).join()));
}

function isCard(number: string): boolean {
  const known = issuers.some(([from, to, lengths]) => {
    const prefix = Number(number.slice(0, String(from).length));
    return prefix >= from && prefix <= to && lengths.includes(number.length);
  });
  return known && luhn(number);
}
