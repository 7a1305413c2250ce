import {
  type Detector,
  isAlphanumeric,
  isBase64Url,
  isDigit,
  lowerCase,
  type Page,
  type Reading,
  upperCase,
} from './detector.ts';

/** A key that its issuer made to be recognised: what it begins with, and how many characters follow at least. */
interface Prefixed {
  readonly prefix: string;
  readonly least: number;
  readonly belongs: (code: number) => boolean;
  /** For lengths that are fixed. */
  readonly exactly?: true;
  /** For prefixes that people make words with, such as `xoxb-your-token`. */
  readonly withDigit?: true;
}

const isUpper = (code: number): boolean => isDigit(code) || (code >= 65 && code <= 90);
const isWord = (code: number): boolean => isAlphanumeric(code) || code === 95;
const isDotted = (code: number): boolean => isBase64Url(code) || code === 46;

function prefixed(text: string, least: number, belongs: Prefixed['belongs'], more: Partial<Prefixed> = {}): Prefixed[] {
  return text.split(' ').map((prefix) => ({ prefix, least, belongs, ...more }));
}

const keys: readonly Prefixed[] = [
  // AWS: ids of access keys (IAM user guide, "unique identifiers").
  ...prefixed('AKIA ASIA ABIA ACCA', 16, isUpper, { exactly: true }),
  // GitHub, classic and fine-grained.
  ...prefixed('ghp_ gho_ ghu_ ghs_ ghr_', 36, isWord),
  ...prefixed('github_pat_', 22, isWord),
  ...prefixed('glpat- gldt- glptt- glrt- glcbt- glsoat- glimt- glagent- gloas- glft- glffct-', 20, isDotted),
  ...prefixed('xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxe- xoxe. xapp-', 10, isDotted, { withDigit: true }),
  ...prefixed('sk_live_ sk_test_ rk_live_ rk_test_ whsec_', 10, isAlphanumeric),
  // Google: API keys, OAuth client secrets and access tokens.
  ...prefixed('AIza', 35, isBase64Url),
  ...prefixed('GOCSPX-', 20, isBase64Url),
  ...prefixed('ya29.', 20, isDotted),
  ...prefixed('npm_', 36, isAlphanumeric),
  ...prefixed('pypi-AgEIcHlwaS5vcmc', 40, isBase64Url),
  ...prefixed('dckr_pat_', 20, isBase64Url),
  ...prefixed('hf_', 30, isAlphanumeric),
  ...prefixed('sk-ant- sk-proj- sk-svcacct-', 20, isBase64Url, { withDigit: true }),
  ...prefixed('sk-', 40, isAlphanumeric, { withDigit: true }),
  ...prefixed('SG.', 40, isDotted),
  ...prefixed('shpat_ shpss_ shpca_ shppa_', 32, isAlphanumeric),
  ...prefixed('dop_v1_ doo_v1_ dor_v1_', 40, isAlphanumeric),
  // HashiCorp Vault: service and batch tokens.
  ...prefixed('hvs. hvb.', 24, isBase64Url),
  ...prefixed('AGE-SECRET-KEY-1', 50, isUpper),
];

/** What the keys begin with. */
export const cloudKeyPrefixes: readonly string[] = keys.map(({ prefix }) => prefix);

const byFirst: ReadonlyMap<string, readonly Prefixed[]> = new Map(
  keys.map(({ prefix }) => [prefix.charAt(0), keys.filter((key) => key.prefix.startsWith(prefix.charAt(0)))]),
);

/** How much of a key is looked at. */
const longest = 512;

export const prefixedKey: Detector = {
  label: 'secret.cloud_key',
  first: [...lowerCase, ...upperCase].filter((letter) => keys.some(({ prefix }) => prefix.startsWith(letter))).join(''),
  where: 'start',
  read(page, at) {
    let pending: Reading;
    for (const key of byFirst.get(page.text.charAt(at)) ?? []) {
      const reading = readKey(page, at, key);
      if (typeof reading === 'object') return reading;
      if (pending !== 'strong') pending = reading ?? pending;
    }
    return pending;
  },
};

function readKey(page: Page, at: number, key: Prefixed): Reading {
  for (let i = 0; i < key.prefix.length; i++) {
    if (page.unknown(at + i)) return 'weak';
    if (page.text[at + i] !== key.prefix[i]) return undefined;
  }
  const from = at + key.prefix.length;
  const end = page.runEnd(from, from + longest, key.belongs);
  if (page.unknown(end)) return end === from ? 'weak' : 'strong';
  if (key.exactly ? end - from !== key.least || isAlphanumeric(page.code(end)) : end - from < key.least)
    return undefined;
  if (key.withDigit && page.runEnd(from, end, (code) => !isDigit(code)) === end) return undefined;
  return end === from + longest ? { start: at, end, tail: key.belongs } : { start: at, end };
}
