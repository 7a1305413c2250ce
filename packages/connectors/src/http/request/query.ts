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

/** Throws for what is not decodable, for too many, and, unless `join`, for a name that comes twice. */
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
  const method = [...all.keys()].find((name) => name.toLowerCase() === '_method');
  if (method !== undefined) throw badRequest(`${what} asks for another method ("_method").`);
  return {
    pairs,
    values: new Map([...all].map(([name, values]) => [name, values.join(',')])),
    repeated: repeated.sort(),
  };
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
