import { luhn, mod97 } from './checksum.ts';
import { plainEmail, plainPhone } from './plain-shapes.ts';
import { mark } from './sentinel.ts';

/** Which part of a value a partial mask may show; `plain` for values of no known shape. */
export type PartialKind = 'email' | 'phone' | 'card' | 'iban' | 'plain';

const kinds: Readonly<Record<string, PartialKind>> = {
  email: 'email',
  'e-mail': 'email',
  mail: 'email',
  phone: 'phone',
  mobile: 'phone',
  telephone: 'phone',
  fax: 'phone',
  card: 'card',
  pan: 'card',
  credit_card: 'card',
  iban: 'iban',
};

/** Told by the last segment of the label: `pii.email` is an e-mail address. */
export function partialKind(label: string): PartialKind {
  const last = label.slice(label.lastIndexOf('.') + 1).toLowerCase();
  return Object.hasOwn(kinds, last) ? (kinds[last] ?? 'plain') : 'plain';
}

/**
 * The value with all but a small part hidden, or undefined where the value is not what the label says, or so short
 * that the part would give it away: then all of it must be hidden. Surrounding white space is dropped.
 */
export function partialMask(kind: PartialKind, value: string): string | undefined {
  const text = value.trim();
  return text.length > longestKnown && kind !== 'plain' ? undefined : masks[kind](text);
}

/** No address or number is longer; what is, is something else, and not worth a look at every character. */
const longestKnown = 400;

const masks: Readonly<Record<PartialKind, (value: string) => string | undefined>> = {
  email(value) {
    const plain = plainEmail(value);
    if (plain) {
      return `${firstLetter(value.slice(0, plain.local), 3)}${mark}@${mark}.${value.slice(plain.topLevel)}`;
    }
    // Anything with a second @, a quoted local part or an address literal is left to be hidden as a whole.
    const [, local = '', topLevel = ''] = /^([^\s@"]{1,64})@[^\s@"[\]]{1,255}\.([A-Za-z]{2,12})$/u.exec(value) ?? [];
    if (topLevel === '') return undefined;
    return `${firstLetter(local, 3)}${mark}@${mark}.${topLevel}`;
  },
  phone(value) {
    const last = plainPhone(value);
    if (last !== undefined) return mark + last;
    if (!/^\+?[\d\s().\-/]{7,40}$/.test(value)) return undefined;
    const digits = value.replace(/\D/g, '');
    // E.164 allows 15 digits, national prefixes a few more; fewer than 7 leave too little to guess.
    return digits.length < 7 || digits.length > 18 ? undefined : `${mark}${digits.slice(-2)}`;
  },
  card(value) {
    const digits = value.replace(/[ -]/g, '');
    return /^\d{12,19}$/.test(digits) && luhn(digits) ? `${mark}${digits.slice(-4)}` : undefined;
  },
  iban(value) {
    const text = value.replace(/ /g, '').toUpperCase();
    if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text) || !mod97(text)) return undefined;
    return `${text.slice(0, 2)}${mark}${text.slice(-4)}`;
  },
  plain(value) {
    const letter = firstLetter(value, 4);
    return letter === '' ? undefined : letter + mark;
  },
};

/**
 * The first character if it is a letter or digit and there are at least `least` of those; else nothing.
 * Counting only letters and digits keeps combining marks, joiners and padding from making a short value look long.
 */
function firstLetter(value: string, least: number): string {
  // Almost every value begins with that many plain letters, and nothing more has to be known about it then.
  let plain = 0;
  while (plain < least && isPlain(value.charCodeAt(plain))) plain++;
  if (plain === least) return value.charAt(0);
  const [first = ''] = value;
  if (!/[\p{L}\p{N}]/u.test(first)) return '';
  let letters = 0;
  for (const { 0: letter } of value.matchAll(/[\p{L}\p{N}]/gu)) {
    if (letter !== '') letters += 1;
    if (letters >= least) return first;
  }
  return '';
}

/** A letter or digit of ASCII; false for NaN, which is behind the end. */
function isPlain(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}
