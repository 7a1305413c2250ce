import { type Detector, isAlphanumeric, isBase64, isDigit, isLetter, type Page } from './detector.ts';

const longestMarker = 64;

const isMarkerText = (code: number): boolean => (isLetter(code) && code < 97) || isDigit(code) || code === 32;

/**
 * The line that opens a private key: PEM (RFC 7468), OpenSSH, PGP, and SSH2's with four dashes. The key is a secret
 * from there on, however much of it follows; `keyGoesOn` says how far that is.
 */
export const privateKey: Detector = {
  label: 'secret.private_key',
  first: '-',
  where: 'anywhere',
  read(page, at) {
    for (const opening of ['-----BEGIN ', '---- BEGIN ']) {
      const end = markerEnd(page, at, opening, (name) => name.includes('PRIVATE KEY'));
      if (typeof end === 'number') return { start: at, end, opensKey: true };
      if (end !== undefined) return end;
    }
    return undefined;
  },
};

function markerEnd(
  page: Page,
  at: number,
  opening: string,
  fits: (name: string) => boolean,
): number | 'weak' | 'strong' | undefined {
  for (let i = 0; i < opening.length; i++) {
    if (page.unknown(at + i)) return i > 5 ? 'strong' : 'weak';
    if (page.text[at + i] !== opening[i]) return undefined;
  }
  const from = at + opening.length;
  const name = page.runEnd(from, from + longestMarker, isMarkerText);
  const end = page.runEnd(name, name + 5, (code) => code === 45);
  if (page.unknown(end) && end < name + 5) return 'strong';
  return end - name >= 4 && fits(page.text.slice(from, name)) ? end : undefined;
}

/** Shorter runs of letters may be words; only the last line of a key is as short. */
const shortestLine = 16;

/** White space, quotes, what `diff`, mail and listings put before lines, and the backslash of a continued line. */
const isBetween = (code: number): boolean => ' \t\r\n"\'`\\,|>:-\ue022'.includes(String.fromCharCode(code));

/** How much may stand between two lines of a key. */
const widestGap = 200;

export interface KeyBody {
  /** Whether a line has been seen: what comes before it may be headers, and what is shorter ends the key. */
  lines: boolean;
  /** Whether a short line has been seen: only the closing line can follow. */
  last: boolean;
  /** Whether the last thing seen was a line, of which there may be more. */
  inLine: boolean;
}

export function beginKey(): KeyBody {
  return { lines: false, last: false, inLine: false };
}

/**
 * The place up to which the key goes on from `at`: one line, or its closing line, after which it is over (`over`).
 * Undefined when something else follows. `body` is brought up to date when a place is returned.
 */
export function keyGoesOn(
  page: Page,
  at: number,
  body: KeyBody,
): { readonly end: number; readonly over: boolean } | 'weak' | 'strong' | undefined {
  if (body.inLine) {
    const end = page.runEnd(at, page.text.length, isBase64);
    if (end > at) return { end, over: false };
    if (page.unknown(at)) return 'weak';
    body.inLine = false;
  }
  let place = at;
  for (;;) {
    const closing = closingEnd(page, place);
    if (typeof closing === 'number') return { end: closing, over: true };
    if (closing !== undefined) return closing;
    if (page.unknown(place)) return 'weak';
    const code = page.code(place);
    if (Number.isNaN(code) || !isBetween(code)) break;
    place += 1;
    if (place - at > widestGap) return undefined;
  }
  // Once a run is long enough it is a line of the key, however long it gets.
  const line = page.runEnd(place, place + shortestLine, isBase64);
  if (line - place === shortestLine) {
    body.lines = true;
    body.inLine = true;
    return { end: page.runEnd(line, page.text.length, isBase64), over: false };
  }
  if (page.unknown(line)) return line - place >= 4 ? 'strong' : 'weak';
  if (!body.lines) return headerEnd(page, place);
  if (line === place || isAlphanumericBehind(page, line)) return undefined;
  // Numbers of lines in a listing.
  if (line - place <= 6 && page.runEnd(place, line, isDigit) === line) return { end: line, over: false };
  if (body.last) return undefined;
  body.last = true;
  return { end: line, over: false };
}

/** A short line is one only if nothing but white space or an escaped line break ends it. */
function isAlphanumericBehind(page: Page, at: number): boolean {
  const code = page.code(at);
  return !Number.isNaN(code) && !isBetween(code);
}

function closingEnd(page: Page, at: number): number | 'strong' | undefined {
  if (page.code(at) !== 45) return undefined;
  for (const closing of ['-----END ', '---- END ']) {
    const end = markerEnd(page, at, closing, () => true);
    if (typeof end === 'number') return end;
    if (end !== undefined) return 'strong';
  }
  return undefined;
}

/** RFC 1421 section 4.6 and RFC 4716 section 3.3: `Proc-Type: 4,ENCRYPTED`, before the first line. */
function headerEnd(page: Page, at: number): { readonly end: number; readonly over: boolean } | 'weak' | undefined {
  const name = page.runEnd(at, at + longestMarker, (code) => isAlphanumeric(code) || code === 45);
  if (page.unknown(name)) return 'weak';
  if (name === at || page.text[name] !== ':') return undefined;
  const end = page.runEnd(name, name + widestGap, (code) => code !== 10 && code !== 13 && !Number.isNaN(code));
  return page.unknown(end) ? 'weak' : { end, over: false };
}
