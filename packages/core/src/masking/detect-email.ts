import { type Detector, digits, isAlphanumeric, isDigit, isLetter, lowerCase, upperCase } from './detector.ts';

/** RFC 5321 section 4.5.3.1. */
const longestLocal = 64;
const longestDomain = 255;

/**
 * Last parts of names that look like addresses and are none: pictures for two densities (`logo@2x.png`), scripts by
 * version, units of systemd (`getty@tty1.service`). None of them is a top-level domain.
 */
const notTopLevel = new Set(
  'png jpg jpeg gif svg webp avif ico css js mjs cjs tsx jsx json html htm xml txt log pdf yaml yml map service socket slice scope timer mount device swap automount'.split(
    ' ',
  ),
);

/** Dot-atoms without the signs that people put around addresses (`=`, `/`, quotes …), and letters of any script. */
const isLocal = (code: number): boolean =>
  isAlphanumeric(code) || code === 46 || code === 95 || code === 37 || code === 43 || code === 45 || isForeign(code);

const isInner = (code: number): boolean => isAlphanumeric(code) || code === 95 || isForeign(code);

const isDomain = (code: number): boolean => isAlphanumeric(code) || code === 46 || code === 45 || isForeign(code);

/** Beyond Latin-1's signs, general punctuation, CJK punctuation, and what stands for bytes that are no text. */
const isForeign = (code: number): boolean =>
  code >= 0xc0 &&
  !(code >= 0x2000 && code <= 0x2bff) &&
  !(code >= 0x3000 && code <= 0x303f) &&
  !(code >= 0xd800 && code <= 0xf8ff);

const isTail = (code: number): boolean => isLocal(code) || code === 64;

export const email: Detector = {
  label: 'pii.email',
  first: `${digits}${lowerCase}${upperCase}_`,
  beyondAscii: true,
  where: 'anywhere',
  read(page, at) {
    if (!isLocal(page.code(at))) return undefined;
    const sign = page.wordEnd(at, isLocal);
    if (sign - at > longestLocal) return undefined;
    if (page.unknown(sign)) return 'weak';
    // Within a word, only where it is too long to be a local part from its start.
    if (sign - at < longestLocal && isInner(page.code(at - 1))) return undefined;
    if (page.code(sign) !== 64) return undefined;
    const from = sign + 1;
    const run = page.runEnd(from, from + longestDomain + 1, isDomain);
    if (run - from > longestDomain) return undefined;
    if (page.unknown(run)) return 'strong';
    const end = domainEnd(page.text.slice(from, run));
    if (end === 0 || page.text.slice(at, sign) === 'git') return undefined;
    // A further `@` would make an address of what is left over.
    return page.code(run) === 64
      ? { start: at, end: run, at: sign, tail: isTail }
      : { start: at, end: from + end, at: sign };
  },
};

/** How much of the text is a domain name with a top-level domain; 0 for none of it. */
function domainEnd(text: string): number {
  const labels = text.split('.');
  // `name@1.2.3-beta.next` is a version.
  if (isNumber(labels[0]) && isNumber(labels[1])) return 0;
  for (let count = labels.length; count > 1; count--) {
    const last = labels[count - 1] ?? '';
    const length = topLevelLength(last);
    if (length === 0 || labels.slice(0, count - 1).some((label) => label === '')) continue;
    if (notTopLevel.has(last.slice(0, length).toLowerCase())) return 0;
    return labels.slice(0, count - 1).join('.').length + 1 + length;
  }
  return 0;
}

function isNumber(label = ''): boolean {
  return label !== '' && [...label].every((letter) => isDigit(letter.charCodeAt(0)));
}

function topLevelLength(label: string): number {
  if (label.toLowerCase().startsWith('xn--')) return label.length > 4 ? label.length : 0;
  let length = 0;
  while (length < label.length && isTopLevelLetter(label.charCodeAt(length))) length += 1;
  return length >= 2 && length <= 24 ? length : 0;
}

const isTopLevelLetter = (code: number): boolean => isLetter(code) || isForeign(code);
