import { weighted } from './checksum.ts';
import { type Groups, goesOnBefore, goesOnBehind, hasShape, readGroups, tellingDigits } from './detect-digits.ts';
import {
  type Detector,
  digits,
  isAlphanumeric,
  isDigit,
  isLetter,
  lowerCase,
  type Page,
  upperCase,
  wordAt,
} from './detector.ts';

/** How many of the groups are a number of this state; 0 for none. */
type Rule = (groups: Groups) => number;

const dots = '.-/';

/** Numbers that their form and checksum tell from others. */
const rules: readonly Rule[] = [
  // United States: area, group and serial of a social security number, none of them zero.
  (groups) => (hasShape(groups, [3, 2, 4], '--') && isSocialSecurity(groups.digits) ? 3 : 0),
  // Poland: PESEL, eleven digits that begin with a date, the century in the month.
  (groups) => (hasShape(groups, [11], '') && isPesel(groups.digits) ? 1 : 0),
  // Belgium: national register number, printed yy.mm.dd-nnn.cc.
  (groups) => (hasShape(groups, [2, 2, 2, 3, 2], '..-.') && isBelgian(groups.digits) ? 5 : 0),
  (groups) => (hasShape(groups, [11], '') && isBelgian(groups.digits) ? 1 : 0),
  // Brazil: CPF, as printed; bare, its two check digits are too little.
  (groups) => (hasShape(groups, [3, 3, 3, 2], '..-') && isBrazilian(groups.digits) ? 4 : 0),
  // France: NIR with its key, in one piece or as printed.
  (groups) => (hasShape(groups, [15], '') && isFrench(groups.digits) ? 1 : 0),
  (groups) => (hasShape(groups, [13, 2], ' ') && isFrench(groups.digits) ? 2 : 0),
  (groups) => (hasShape(groups, [1, 2, 2, 2, 3, 3, 2], '      ') && isFrench(groups.digits) ? 7 : 0),
];

export const nationalNumber: Detector = {
  label: 'pii.national_id',
  first: digits,
  where: 'start',
  read(page, at) {
    if (goesOnBefore(page, at, dots)) return undefined;
    const groups = readGroups(page, at);
    if (typeof groups === 'number') return groups >= tellingDigits ? 'strong' : 'weak';
    const count = Math.max(...rules.map((rule) => rule(groups)));
    const end = groups.ends[count - 1];
    if (end !== undefined) return goesOnBehind(page, end, dots) ? undefined : { start: at, end };
    return spanish(page, at, groups);
  },
};

/** Spain: DNI, eight digits and the letter that their remainder by 23 gives. */
function spanish(page: Page, at: number, { sizes, digits: number }: Groups): ReturnType<Detector['read']> {
  if (sizes[0] !== 8) return undefined;
  const place = page.text.charAt(at + 8) === '-' ? at + 9 : at + 8;
  if (page.unknown(place) || page.unknown(place + 1)) return 'strong';
  const letter = 'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(Number(number.slice(0, 8)) % 23);
  const fits = page.text.charAt(place) === letter && !isAlphanumeric(page.code(place + 1));
  return fits ? { start: at, end: place + 1 } : undefined;
}

/** Italy: codice fiscale, six letters, a date, a place, and a check letter. */
export const fiscalCode: Detector = {
  label: 'pii.national_id',
  first: upperCase + lowerCase,
  where: 'start',
  read(page, at) {
    for (let i = 0; i < fiscalShape.length; i++) {
      // Most words are over before they are letters for long.
      if (page.unknown(at + i)) return i > 6 ? 'strong' : 'weak';
      const code = page.code(at + i);
      if (fiscalShape[i] === 'D' ? !isDigit(code) : !isLetter(code)) return undefined;
    }
    const end = at + fiscalShape.length;
    if (page.unknown(end)) return 'strong';
    return !isAlphanumeric(page.code(end)) && isItalian(page.text.slice(at, end).toUpperCase())
      ? { start: at, end }
      : undefined;
  },
};

/** Letters and digits; those of people who share all that goes into it have letters for some digits, and are left out. */
const fiscalShape = 'LLLLLLDDLDDLDDDL';

/** Numbers whose check is passed by too many others, behind their name. */
const named: readonly { readonly words: readonly string[]; readonly valid: (number: string) => boolean }[] = [
  { words: ['bsn', 'burgerservicenummer', 'sofinummer'], valid: (number) => isDutch(number) },
  { words: ['ssn', 'social security number', 'social_security_number'], valid: (number) => isSocialSecurity(number) },
];

/** What a number may be called. */
export const numberNames: readonly string[] = named.flatMap(({ words }) => words);

export const namedNumber: Detector = {
  label: 'pii.national_id',
  first: 'bsBS',
  where: 'start',
  read(page, at) {
    for (const { words, valid } of named) {
      for (const word of words) {
        const stands = wordAt(page, at, word);
        if (stands === 'begun') return 'weak';
        if (stands === 'all') return numberBehind(page, at + word.length, valid);
      }
    }
    return undefined;
  },
};

const isBetween = (code: number): boolean => ' \t"\'`:=#>|,'.includes(String.fromCharCode(code));

function numberBehind(page: Page, at: number, valid: (number: string) => boolean): ReturnType<Detector['read']> {
  const start = page.runEnd(at, at + 12, (code) => !Number.isNaN(code) && isBetween(code));
  if (page.unknown(start)) return 'weak';
  if (start === at || !isDigit(page.code(start))) return undefined;
  const groups = readGroups(page, start);
  if (typeof groups === 'number') return groups >= tellingDigits ? 'strong' : 'weak';
  let length = 0;
  for (const [index, size] of groups.sizes.entries()) {
    length += size;
    const end = groups.ends[index];
    if (length > 9 || end === undefined) return undefined;
    if (length === 9 && !isAlphanumeric(page.code(end)) && valid(groups.digits.slice(0, 9))) return { start, end };
  }
  return undefined;
}

function isSocialSecurity(digits: string): boolean {
  const [area, group, serial] = [digits.slice(0, 3), digits.slice(3, 5), digits.slice(5, 9)];
  return area !== '000' && area !== '666' && area < '900' && group !== '00' && serial !== '0000';
}

function isDutch(digits: string): boolean {
  return Number(digits) > 0 && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
}

function isPesel(digits: string): boolean {
  const month = Number(digits.slice(2, 4)) % 20;
  return isDay(month, digits.slice(4, 6)) && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

function isBelgian(digits: string): boolean {
  if (!isDay(Number(digits.slice(2, 4)), digits.slice(4, 6))) return false;
  const key = Number(digits.slice(9, 11));
  // Those born from 2000 on have a 2 put before their number.
  return ['', '2'].some((century) => 97 - (Number(century + digits.slice(0, 9)) % 97) === key);
}

function isBrazilian(digits: string): boolean {
  if (digits.slice(0, 11) === digits.charAt(0).repeat(11)) return false;
  const first = ((weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10;
  const second = ((weighted(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10;
  return digits.slice(9, 11) === `${first}${second}`;
}

function isFrench(digits: string): boolean {
  const month = Number(digits.slice(3, 5));
  if (!'12'.includes(digits.charAt(0)) || month === 0 || (month > 12 && month < 20)) return false;
  return 97 - (Number(digits.slice(0, 13)) % 97) === Number(digits.slice(13, 15));
}

function isDay(month: number, day: string): boolean {
  return month >= 1 && month <= 12 && day >= '01' && day <= '31';
}

/** What a letter or digit in an odd place counts; in an even place it counts its position. */
const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

function isItalian(text: string): boolean {
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const code = text.charCodeAt(i);
    const position = isDigit(code) ? code - 48 : code - 65;
    sum += i % 2 === 0 ? (odd[position] ?? 0) : position;
  }
  return 'ABCDEHLMPRST'.includes(text.charAt(8)) && text.charCodeAt(15) === 65 + (sum % 26);
}
