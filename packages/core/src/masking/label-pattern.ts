import { MaskingError } from './masking-error.ts';

/** One segment: a name as written, or literal parts with anything between them (`['', '_email']` for `*_email`). */
type Segment = { readonly name: string } | { readonly parts: readonly string[] };

/** Names the leaves of a target's resource tree, `<target>.<schema>.<table>.<column>`. */
export interface LabelPattern {
  /** Segments from the target down. */
  readonly segments: readonly Segment[];
  /** True for a pattern that begins with `*` and has too few segments: its `*` stands for all the leading ones. */
  readonly open: boolean;
}

/** Target, schema, table, column. */
const depth = 4;

/**
 * Reads `shop.public.customers.email`: `*` stands for a whole segment or for any part of one, a segment in double
 * quotes is taken literally (`"` inside as `""`), names are compared as written, letter case included.
 * A pattern with fewer segments must begin with `*`, which then stands for one or more of them: a pattern that could
 * never match anything would leave data in clear, so every other length is an error (`invalid_pattern`).
 */
export function parseLabelPattern(label: string, text: string): LabelPattern {
  const fail = (why: string): never => {
    throw new MaskingError(
      'invalid_pattern',
      'gateway',
      `masking.labels: label "${label}", pattern "${text}": ${why} Write <target>.<schema>.<table>.<column>, with * in any place.`,
    );
  };
  const segments = splitSegments(text, fail);
  const [first] = segments;
  const startsOpen = first !== undefined && 'parts' in first && first.parts.every((part) => part === '');
  if (segments.length > depth) fail(`it has ${segments.length} segments; a name with a dot in it needs double quotes.`);
  if (segments.length < depth && !(startsOpen && segments.length > 1)) {
    fail(`it has ${segments.length} of ${depth} segments and does not begin with "*.", so it would match nothing.`);
  }
  return { segments, open: segments.length < depth };
}

export function matchesTarget(pattern: LabelPattern, target: string): boolean {
  const [first] = pattern.segments;
  return first !== undefined && matchesSegment(first, target);
}

/** Whether the pattern names this leaf of the target. */
export function matchesLeaf(pattern: LabelPattern, target: string, path: readonly string[]): boolean {
  const { segments, open } = pattern;
  if (open ? path.length < segments.length - 1 : path.length !== segments.length - 1) return false;
  if (!matchesTarget(pattern, target)) return false;
  const names = path.slice(path.length - (segments.length - 1));
  return names.every((name, index) => {
    const segment = segments[index + 1];
    return segment !== undefined && matchesSegment(segment, name);
  });
}

function matchesSegment(segment: Segment, name: string): boolean {
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
    else segments.push(plain.includes('*') ? { parts: plain.split('*') } : { name: plain });
    if (token.lastIndex === text.length) return segments;
    if (text[token.lastIndex] !== '.') return fail('quotes must enclose a whole segment.');
    token.lastIndex += 1;
  }
}
