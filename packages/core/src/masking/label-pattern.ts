import { MaskingError } from './masking-error.ts';

/**
 * One segment: a name as written, literal parts with anything between them (`['', '_email']` for `*_email`), or any
 * number of names (`**`).
 */
type Segment = { readonly name: string } | { readonly parts: readonly string[] } | { readonly any: true };

/**
 * Names data at targets: `<target>.<schema>.<table>.<column>`, or from the target down the names of members that lead to
 * a value.
 */
export interface LabelPattern {
  /** Segments from the target down. */
  readonly segments: readonly Segment[];
  /** True for a pattern that begins with `*` and has too few segments: its `*` stands for all the leading ones. */
  readonly open: boolean;
}

/** Fewer segments than the path of a column has (target, schema, table, column), and a `*` before them is open. */
const openBelow = 4;

/**
 * Reads `shop.public.customers.email`: `*` stands for a whole segment or for any part of one, a segment in double
 * quotes is taken literally (`"` inside as `""`), names are compared as written, letter case included.
 * `**` stands for any number of segments, none included: `crm.users.**.email`. A pattern that begins with `*` and has
 * fewer segments than a column's has an open beginning: its `*` stands for one or more of them. Throws
 * `invalid_pattern`.
 *
 * A pattern that has lost a segment would match nothing, and leave data in clear. Whether one fits depends on the
 * target: columns are all equally deep, members of documents are not. See `fitsDepth`; checking the configuration
 * asks it.
 */
export function parseLabelPattern(label: string, text: string): LabelPattern {
  const fail = (why: string): never => {
    throw new MaskingError(
      'invalid_pattern',
      'gateway',
      `masking.labels: label "${label}", pattern "${text}": ${why} Write <target>.<schema>.<table>.<column>, or for documents <target>.<member>…, with * in any place.`,
    );
  };
  const segments = splitSegments(text, fail);
  const [first] = segments;
  if (segments.some((segment) => 'any' in segment)) {
    if (segments.length === 1) fail('it names every leaf of every target; write "*.**" if that is meant.');
    return { segments, open: false };
  }
  if (segments.length === 1) fail('it names a target and nothing in it, so it would match nothing.');
  const startsOpen = first !== undefined && 'parts' in first && first.parts.every((part) => part === '');
  return { segments, open: startsOpen && segments.length < openBelow };
}

/** Whether the pattern can name anything that is so many names below its target. */
export function fitsDepth(pattern: LabelPattern, depth: number): boolean {
  const [first, ...below] = pattern.segments;
  const least = below.filter((segment) => !('any' in segment)).length;
  const any = pattern.open || least < below.length || (first !== undefined && 'any' in first);
  return any ? depth >= least : depth === least;
}

export function matchesTarget(pattern: LabelPattern, target: string): boolean {
  const [first] = pattern.segments;
  return first !== undefined && matchesSegment(first, target);
}

/**
 * Whether the pattern names this leaf of the target. Elements of arrays are `[]` in a path; a pattern may name them and
 * need not, because who writes it thinks of members.
 */
export function matchesLeaf(pattern: LabelPattern, target: string, path: readonly string[]): boolean {
  if (!matchesTarget(pattern, target)) return false;
  if (matchesPath(pattern, path)) return true;
  return (
    path.includes(element) &&
    matchesPath(
      pattern,
      path.filter((name) => name !== element),
    )
  );
}

const element = '[]';

function matchesPath(pattern: LabelPattern, path: readonly string[]): boolean {
  const [first, ...below] = pattern.segments;
  // What stands for any number of names, or for one or more, may go on below the target.
  const anyFirst: readonly Segment[] = pattern.open || (first !== undefined && 'any' in first) ? [{ any: true }] : [];
  return matchesNames([...anyFirst, ...below], path);
}

/** Going back only to the last `**` is enough, because what stands before it has matched as early as it can. */
function matchesNames(segments: readonly Segment[], names: readonly string[]): boolean {
  let segment = 0;
  let name = 0;
  let lastAny: { readonly segment: number; name: number } | undefined;
  while (name < names.length) {
    const wanted = segments[segment];
    if (wanted !== undefined && 'any' in wanted) {
      lastAny = { segment, name };
      segment += 1;
    } else if (wanted !== undefined && matchesSegment(wanted, names[name] ?? '')) {
      segment += 1;
      name += 1;
    } else if (lastAny !== undefined) {
      lastAny.name += 1;
      segment = lastAny.segment + 1;
      name = lastAny.name;
    } else return false;
  }
  return segments.slice(segment).every((rest) => 'any' in rest);
}

function matchesSegment(segment: Segment, name: string): boolean {
  if ('any' in segment) return true;
  if ('name' in segment) return segment.name === name;
  const { parts } = segment;
  const head = parts[0] ?? '';
  const tail = parts.at(-1) ?? '';
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false;
  // Taking the leftmost place for each middle part is enough, and never goes back.
  const end = name.length - tail.length;
  let from = head.length;
  for (const part of parts.slice(1, -1)) {
    const at = name.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}

function splitSegments(text: string, fail: (why: string) => never): Segment[] {
  const segments: Segment[] = [];
  const token = /"((?:[^"]|"")*)"|([^."]+)/y;
  for (;;) {
    const match = token.exec(text);
    if (!match) return fail('a segment is empty, or a double quote is not closed.');
    const [, quoted, plain = ''] = match;
    if (quoted === '') return fail('a segment is empty.');
    if (quoted !== undefined) segments.push({ name: quoted.replaceAll('""', '"') });
    else if (plain !== plain.trim()) return fail('a segment begins or ends with white space.');
    else if (plain === '**') segments.push({ any: true });
    else segments.push(plain.includes('*') ? { parts: plain.split('*') } : { name: plain });
    if (token.lastIndex === text.length) return segments;
    if (text[token.lastIndex] !== '.') return fail('quotes must enclose a whole segment.');
    token.lastIndex += 1;
  }
}
