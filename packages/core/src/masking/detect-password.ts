import { readAssignment } from './detect-assignment.ts';
import {
  type Detector,
  isAlphanumeric,
  isBase64,
  isDigit,
  isLineBreak,
  type Page,
  type Reading,
  wordAt,
} from './detector.ts';

interface Named {
  readonly words: readonly string[];
  /** Whether the text is such a secret, or rather a word, a path, a placeholder. */
  readonly plausible: (value: string) => boolean;
}

const isReference = (value: string): boolean =>
  /^(?:\$[A-Z_][A-Z0-9_]*|\$\{[^}]*\}|\{\{[^}]*\}\}|\$\([^)]*\)|%s|%\(\w+\)s|\?|\*+|\.{3}|null|none|nil|true|false|undefined)$/i.test(
    value,
  ) && !/^\$[a-z]/.test(value);

const isToken = (value: string): boolean => value.length >= 8 && /\d/.test(value) && !isReference(value);

const passwords: readonly Named[] = [
  { words: ['password', 'passwd', 'passphrase'], plausible: (value) => !isReference(value) },
  // The shell's own variable of this name is a path.
  { words: ['pwd'], plausible: (value) => !isReference(value) && !/^[/~]/.test(value) },
  {
    words: (
      'client_secret clientsecret client-secret api_key apikey api-key access_token accesstoken access-token ' +
      'refresh_token refreshtoken id_token auth_token authtoken secret_key secretkey private_token session_token'
    ).split(' '),
    plausible: isToken,
  },
];

const cloudKeys: readonly Named[] = [
  { words: ['secret_access_key', 'secretaccesskey'], plausible: (value) => value.length >= 40 && everyBase64(value) },
  { words: ['session_token', 'sessiontoken'], plausible: (value) => value.length >= 100 && everyBase64(value) },
  { words: ['accountkey', 'sharedaccesskey'], plausible: (value) => value.length >= 40 && everyBase64(value) },
  { words: ['private_key_id'], plausible: (value) => /^[0-9a-f]{40}$/.test(value) },
];

/** What a secret may be called. */
export const secretNames: readonly string[] = [...passwords, ...cloudKeys].flatMap(({ words }) => words);

/** `password=…`, `"client_secret": "…"`: secrets without a look of their own, behind their name. */
export const namedPassword: Detector = named('secret.password', passwords);

/** The same for keys of clouds that have no prefix. */
export const namedCloudKey: Detector = named('secret.cloud_key', cloudKeys);

function named(label: string, kinds: readonly Named[]): Detector {
  const all = kinds.flatMap(({ words, plausible }) => words.map((word) => ({ word, plausible })));
  const letters = new Set(all.map(({ word }) => word.charAt(0)));
  const byFirst = new Map([...letters].map((letter) => [letter, all.filter(({ word }) => word.startsWith(letter))]));
  return {
    label,
    first: [...letters].map((letter) => letter + letter.toUpperCase()).join(''),
    // Names are put together: `PGPASSWORD`, `dbPassword`, `aws_secret_access_key`.
    where: 'anywhere',
    read(page, at) {
      let pending: Reading;
      for (const { word, plausible } of byFirst.get(page.text.charAt(at).toLowerCase()) ?? []) {
        const stands = wordAt(page, at, word);
        if (stands === 'begun') pending ??= 'weak';
        if (stands !== 'all') continue;
        const found = readAssignment(page, at + word.length, { option: isOption(page, at) });
        if (typeof found === 'string') return found;
        if (found !== undefined && plausible(page.text.slice(found.start, found.end))) return found;
      }
      return pending;
    },
  };
}

/** `--password`, whose value may follow behind a blank. */
function isOption(page: Page, at: number): boolean {
  return page.text.slice(Math.max(0, at - 2), at) === '--';
}

function everyBase64(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (!isBase64(value.charCodeAt(i))) return false;
  return true;
}

const schemes = ['basic', 'bearer', 'token', 'apikey', 'digest', 'negotiate'];

const isHeaderValue = (code: number): boolean =>
  !Number.isNaN(code) && !isLineBreak(code) && !'"\'`\ue022'.includes(String.fromCharCode(code));

/** The header of RFC 9110 section 11.6.2, as tools print it. */
export const authorization: Detector = {
  label: 'secret.password',
  first: 'aA',
  where: 'start',
  read(page, at) {
    const stands = wordAt(page, at, 'authorization');
    if (stands !== 'all') return stands && 'weak';
    const start = page.runEnd(at + 13, at + 13 + 8, (code) => ' \t"\':=\ue022'.includes(String.fromCharCode(code)));
    for (const scheme of schemes) {
      const named = wordAt(page, start, scheme);
      if (named === 'begun') return 'weak';
      if (named === undefined) continue;
      const blank = start + scheme.length;
      if (page.unknown(blank)) return 'weak';
      if (page.text[blank] !== ' ') return undefined;
      const end = page.runEnd(blank + 1, blank + 1 + 512, isHeaderValue);
      if (page.unknown(end)) return end - blank > 4 ? 'strong' : 'weak';
      if (end - blank < 7) return undefined;
      const value = { start: blank + 1, end };
      return end === blank + 513 ? { ...value, tail: isHeaderValue } : value;
    }
    return undefined;
  },
};

const longestUser = 256;
const longestPassword = 2048;

/** What ends the part of a URL before its path; `?` and `#` do too (RFC 3986 section 3.2), but are seen in passwords. */
const isUserInfo = (code: number): boolean =>
  code > 32 && code !== 127 && !'/"\'<>`\ue022'.includes(String.fromCharCode(code));

/** `scheme://user:password@host` (RFC 3986 section 3.2.1). */
export const urlPassword: Detector = {
  label: 'secret.password',
  first: ':',
  where: 'anywhere',
  read(page, at) {
    if (!isAlphanumeric(page.code(at - 1))) return undefined;
    for (const offset of [1, 2]) {
      if (page.unknown(at + offset)) return 'weak';
      if (page.code(at + offset) !== 47) return undefined;
    }
    const user = at + 3;
    const colon = page.runEnd(user, user + longestUser, (code) => isUserInfo(code) && code !== 58 && code !== 64);
    if (page.unknown(colon)) return 'weak';
    if (page.code(colon) !== 58) return undefined;
    const start = colon + 1;
    const stop = page.runEnd(start, start + longestPassword, isUserInfo);
    // What is so far like the number of a port is shown as it is typed.
    if (page.unknown(stop)) return isPort(page, start, stop) ? 'weak' : 'strong';
    // The last `@` counts: passwords with one that nobody escaped are common.
    const end = page.text.lastIndexOf('@', stop - 1);
    if (end <= start || isReference(page.text.slice(start, end))) return undefined;
    return { start, end, at: end };
  },
};

function isPort(page: Page, start: number, end: number): boolean {
  return end - start <= 5 && page.runEnd(start, end, isDigit) === end;
}
