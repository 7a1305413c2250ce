import { type Detector, isAlphanumeric, isDigit, type Page } from './detector.ts';

/** Country codes of ITU-T E.164 but those of North America (1) and of services; a code of one or two digits ends there. */
const oneDigit = '7';
const twoDigits =
  '20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'.split(
    ' ',
  );
/** Codes of three digits begin with these; single ones among them are free, which we don't follow. */
const threeDigits = '21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 97 99'.split(' ');

/** E.164 section 6.1. */
const mostDigits = 15;

const isSeparator = (code: number): boolean => code === 32 || code === 40 || code === 41 || (code >= 45 && code <= 47);

/** The international form only: without its `+`, a phone number is like any other number. */
export const phone: Detector = {
  label: 'pii.phone',
  first: '+',
  where: 'anywhere',
  read(page, at) {
    const before = page.code(at - 1);
    if (isAlphanumeric(before) || before === 43) return undefined;
    let digits = '';
    let place = at + 1;
    let end: number | undefined;
    for (;;) {
      const group = groupAt(page, place);
      if (group === 'more') return digits.length >= 5 ? 'strong' : 'weak';
      if (group === undefined) break;
      digits += page.text.slice(group.start, group.end);
      if (digits.length > mostDigits) break;
      place = group.end;
      // Another number may follow: the longest that is one counts, which hides the most.
      if (isNumber(digits) && !isAlphanumeric(page.code(place))) end = place;
    }
    return end === undefined ? undefined : { start: at, end };
  },
};

/** The next digits behind at most three separators. */
function groupAt(page: Page, at: number): { readonly start: number; readonly end: number } | 'more' | undefined {
  const start = page.runEnd(at, at + 3, isSeparator);
  if (page.unknown(start)) return 'more';
  if (!isDigit(page.code(start))) return undefined;
  const end = page.runEnd(start, start + mostDigits + 1, isDigit);
  return page.unknown(end) ? 'more' : { start, end };
}

function isNumber(digits: string): boolean {
  // The plan of North America: area and exchange codes begin with 2 to 9.
  if (digits.startsWith('1')) return /^1[2-9]\d\d[2-9]\d{6}$/.test(digits);
  if (digits.length < 9) return false;
  if (digits.startsWith(oneDigit)) return digits.length === 11;
  const code = digits.slice(0, 2);
  return twoDigits.includes(code) || (threeDigits.includes(code) && digits.length >= 10);
}
