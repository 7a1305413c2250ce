import { badRequest } from './bad-request.ts';
import { percentDecode, percentEncode } from './percent.ts';

/** Parameters of a query or of a form (WHATWG URL, "application/x-www-form-urlencoded"), in order. */
export interface Parameters {
  readonly pairs: readonly (readonly [name: string, value: string | undefined])[];
  /** By name; those that came more than once joined by commas. */
  readonly values: ReadonlyMap<string, string>;
  /** Names that came more than once, sorted. */
  readonly repeated: readonly string[];
}

const most = 1_000;
const plain = "!$'()*,:@/?[]{}|";

/**
 * Throws for what is not decodable, for too many, for names that are not the same to every server, and, unless `join`,
 * for a name that comes twice.
 */
export function readParameters(raw: string, what: string, join: boolean): Parameters {
  const parts = raw === '' ? [] : raw.split('&').filter((part) => part !== '');
  if (parts.length > most) throw badRequest(`${what} has more than ${most} parameters.`);
  const pairs = parts.map((part): [string, string | undefined] => {
    const equals = part.indexOf('=');
    if (equals < 0) return [decode(part, what), undefined];
    return [decode(part.slice(0, equals), what), decode(part.slice(equals + 1), what)];
  });
  const all = new Map<string, string[]>();
  for (const [name, value = ''] of pairs) {
    const values = all.get(name);
    if (values) values.push(value);
    else all.set(name, [value]);
  }
  const repeated = [...all].filter(([, values]) => values.length > 1).map(([name]) => name);
  if (repeated.length > 0 && !join) throw badRequest(`${what} has a parameter that comes more than once.`);
  refuseTwins([...all.keys()], what);
  const method = [...all.keys()].find((name) => /^_method(?:\[|$)/i.test(name));
  if (method !== undefined) throw badRequest(`${what} asks for another method ("_method").`);
  return {
    pairs,
    values: new Map([...all].map(([name, values]) => [name, values.join(',')])),
    repeated: repeated.sort(),
  };
}

/**
 * Names that some servers take for one another: they fold letters, take blanks and dots for `_`, cut blanks off, and
 * make a list or an object of `id[…]`, which is then `id`.
 */
function refuseTwins(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (name.trim() !== name) throw badRequest(`${what} has a parameter with blanks around its name.`);
    const folded = name.normalize('NFKC').toLowerCase().replace(/[ .]/g, '_');
    if (seen.has(folded)) throw badRequest(`${what} has two parameters that some servers take for one.`);
    seen.add(folded);
  }
  for (const name of seen) {
    const bracket = name.indexOf('[');
    if (bracket > 0 && seen.has(name.slice(0, bracket))) {
      throw badRequest(`${what} has two parameters that some servers take for one.`);
    }
  }
}

/** Written anew from what was judged, `?` included; empty without parameters. */
export function sentQuery({ pairs }: Parameters): string {
  if (pairs.length === 0) return '';
  const written = pairs.map(([name, value]) =>
    value === undefined ? percentEncode(name, plain) : `${percentEncode(name, plain)}=${percentEncode(value, plain)}`,
  );
  return `?${written.join('&')}`;
}

function decode(text: string, what: string): string {
  return percentDecode(text.replaceAll('+', '%20'), what);
}
