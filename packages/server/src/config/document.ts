import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { type ConfigProblem, type DocumentPath, type Finding, formatPath } from './problem.ts';

/** Far above any sensible configuration; what is larger was not written by hand. */
export const maxDocumentBytes = 1024 * 1024;
/** Aliases may repeat what was said once, not multiply it. */
const maxAliases = 100;
/** In collections and pairs; the schema itself goes eleven deep. */
const maxDepth = 64;

/** A parsed YAML text that knows where everything stands. */
export interface ParsedDocument {
  /** Plain objects, arrays and scalars; undefined when there are problems. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  place(finding: Finding): ConfigProblem;
}

/** Parses YAML 1.2 (core schema, no custom tags, no merge keys, one document). Never throws for what is in `text`. */
export function readDocument(text: string, file: string): ParsedDocument {
  const lines = new LineCounter();
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const broken = (problems: readonly ConfigProblem[]): ParsedDocument => ({
    value: undefined,
    problems,
    place: (finding) => ({ ...strip(finding), file, line: 1, column: 1 }),
  });
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      stringKeys: true,
      uniqueKeys: true,
      strict: true,
      prettyErrors: false,
      resolveKnownTags: false,
      logLevel: 'error',
    });
    // A warning of the parser means it guessed (an unknown tag, say), and guesses are not configuration.
    const problems = [...document.errors, ...document.warnings].map((error): ConfigProblem => {
      return { severity: 'error', file, ...at(error.pos[0]), path: '', message: sentence(error.code, error.message) };
    });
    if (problems.length > 0) return broken(firstOf(problems));
    const root = document.contents;
    const refused = refusals(root);
    if (refused.length > 0) {
      return broken(
        refused.map(({ node, message }) => ({ severity: 'error', file, ...at(start(node)), path: '', message })),
      );
    }
    const value: unknown = document.toJS({ maxAliasCount: maxAliases });
    if (value === null || value === undefined) {
      return broken([{ severity: 'error', file, line: 1, column: 1, path: '', message: 'the file is empty' }]);
    }
    const place = (finding: Finding): ConfigProblem => ({
      ...strip(finding),
      file,
      ...at(locate(root, finding.path, finding.atKey ?? false, (alias) => alias.resolve(document))),
    });
    return { value, problems: [], place };
  } catch (error) {
    const message =
      error instanceof ReferenceError
        ? 'aliases repeat too much of the document'
        : error instanceof RangeError
          ? 'the document is nested too deeply'
          : unreadable;
    return broken([{ severity: 'error', file, line: 1, column: 1, path: '', message }]);
  }
}

/** One mistake makes the parser stumble many times; the later ones say nothing new. */
function firstOf(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const lines = new Set<number>();
  const fresh = problems.filter(({ line }) => !lines.has(line) && lines.add(line));
  return fresh.slice(0, 10);
}

function strip(finding: Finding): Pick<ConfigProblem, 'severity' | 'path' | 'message' | 'nearest'> {
  const { severity, path, message, nearest } = finding;
  return { severity, path: formatPath(path), message, ...(nearest === undefined ? {} : { nearest }) };
}

const unreadable = 'this is not YAML that can be read';

function sentence(code: string, message: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this key is here twice';
    case 'TAB_AS_INDENT':
      return 'indentation must be spaces, not tabs';
    case 'MULTIPLE_DOCS':
      return 'only one document is allowed in this file';
    case 'RESOURCE_EXHAUSTION':
      return 'the document is nested too deeply';
    case 'NON_STRING_KEY':
      return 'keys must be plain texts';
    case 'TAG_RESOLVE_FAILED':
      return 'tags (!…) are not used here';
    case 'UNEXPECTED_TOKEN':
      return 'this is not expected here; check quotes, brackets and indentation';
    case 'BAD_DQ_ESCAPE':
      return 'there is no such escape; write \\\\ for a backslash, or use single quotes';
    case 'BAD_ALIAS':
      return 'this alias has no anchor before it';
    case 'BAD_INDENT':
    case 'BAD_SCALAR_START':
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
    case 'MISSING_CHAR':
    case 'MULTILINE_IMPLICIT_KEY':
      // The parser's own words: these kinds name punctuation, never text of the file, which may be a secret.
      return message.split('\n')[0] ?? unreadable;
    default:
      return unreadable;
  }
}

/** What YAML allows and a configuration does not need: each is a way to say something that a reader would not see. */
function refusals(root: Node | null): { node: Node; message: string }[] {
  const found: { node: Node; message: string }[] = [];
  visit(root, {
    Pair(_, pair) {
      if (!isScalar(pair.key)) return;
      if (pair.key.value === '<<') {
        found.push({ node: pair.key, message: 'merge keys (<<) are not used here; write the keys out' });
      } else if (pair.key.value === '__proto__') {
        found.push({ node: pair.key, message: 'this key is not allowed' });
      }
    },
    Node(_, node, path) {
      if (path.length > maxDepth) {
        found.push({ node, message: 'the document is nested too deeply' });
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return found;
}

function start(node: Node): number {
  return node.range?.[0] ?? 0;
}

function locate(
  root: Node | null,
  path: DocumentPath,
  atKey: boolean,
  resolveAlias: (alias: Extract<Node, { source: string; resolve: unknown }>) => unknown,
): number {
  let node: unknown = root;
  let place = root ? start(root) : 0;
  for (const [index, step] of path.entries()) {
    // What an alias stands for is where it was anchored, but the reader looks for where it is used.
    const aliased = isAlias(node);
    if (isAlias(node)) node = resolveAlias(node);
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === String(step));
      if (!pair) return place;
      const key = isNode(pair.key) ? start(pair.key) : place;
      const value = isNode(pair.value) ? pair.value : undefined;
      const empty = isScalar(value) && value.value === null;
      if (!aliased) place = (last && atKey) || !value || empty || !last ? key : start(value);
      node = value;
    } else if (isSeq(node) && typeof step === 'number') {
      const item = node.items[step];
      if (!isNode(item)) return place;
      if (!aliased) place = start(item);
      node = item;
    } else {
      return place;
    }
  }
  return place;
}
