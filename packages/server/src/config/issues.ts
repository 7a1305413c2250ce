/**
 * Turns what the schema refuses into findings that a person can act on: own wording, the key that was probably meant,
 * one finding per mistake. It repeats keys but no values, because any value may be a secret in the wrong place.
 */
import type { z } from 'zod';
import { knownKeys } from './known-keys.ts';
import { nearest } from './nearest.ts';
import type { DocumentPath, Finding } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** `editorSchema` is the JSON Schema of the same schema; `value` the document that was refused. */
export function findingsOf(issues: readonly Issue[], editorSchema: unknown, value: unknown): Finding[] {
  const found = issues.flatMap((issue) => findings(issue, [], editorSchema, value));
  // `adress` is one mistake, not an unknown key and a missing one.
  const meant = new Set(
    found.flatMap((finding) =>
      finding.nearest === undefined ? [] : [key([...finding.path.slice(0, -1), finding.nearest])],
    ),
  );
  return found.filter((finding) => !(finding.message === missing && meant.has(key(finding.path))));
}

const missing = 'is missing';

function key(path: DocumentPath): string {
  return JSON.stringify(path);
}

function findings(issue: Issue, base: DocumentPath, schema: unknown, value: unknown): Finding[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((unknown) => unknownKey(path, unknown, schema, value));
    case 'invalid_union':
      return union(issue, path, schema, value);
    case 'invalid_value':
      return [choice(path, issue.values.map(String), value)];
    case 'invalid_key':
      return [
        { severity: 'error', path, atKey: true, message: `the key ${issue.issues[0]?.message ?? 'is not allowed'}` },
      ];
    case 'invalid_type': {
      const given = at(value, path);
      if (given === undefined) return [{ severity: 'error', path, message: missing }];
      const wanted = issue.message.startsWith('Invalid input') ? `must be ${nameOf(issue.expected)}` : issue.message;
      return [{ severity: 'error', path, message: `${wanted}, but is ${kindOf(given)}` }];
    }
    case 'too_big':
    case 'too_small': {
      const bound = issue.code === 'too_big' ? `at most ${issue.maximum}` : `at least ${issue.minimum}`;
      const generic = issue.message.startsWith('Too ');
      return [{ severity: 'error', path, message: generic ? `must have ${bound} entries` : issue.message }];
    }
    default:
      return [{ severity: 'error', path, message: issue.message }];
  }
}

function unknownKey(path: DocumentPath, unknown: string, schema: unknown, value: unknown): Finding {
  const known = knownKeys(schema, path, value);
  const near = nearest(unknown, known);
  const others = known.length === 0 ? 'none is known here' : `known here: ${known.toSorted().join(', ')}`;
  const message = near === undefined ? `unknown key; ${others}` : 'unknown key';
  const finding = { severity: 'error', path: [...path, unknown], atKey: true, message } as const;
  return near === undefined ? finding : { ...finding, nearest: near };
}

function union(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: DocumentPath,
  schema: unknown,
  value: unknown,
): Finding[] {
  if (issue.errors.length === 0) {
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    return at(value, path) === undefined
      ? [{ severity: 'error', path, message: missing }]
      : [choice(path, options, value)];
  }
  // The branch that the writer was in: the one whose complaints are not about the value's own type.
  const isObject = typeof at(value, path) === 'object' && at(value, path) !== null;
  const branch =
    issue.errors.find(
      (errors) =>
        !errors.some((error) => error.path.length === 0 && error.code === 'invalid_type') &&
        (!isObject || !errors.some((error) => error.path.length === 0 && error.code === 'invalid_value')),
    ) ??
    issue.errors[0] ??
    [];
  if (at(value, path) === undefined) return [{ severity: 'error', path, message: missing }];
  return branch.flatMap((inner) => findings(inner, path, schema, value));
}

function choice(path: DocumentPath, options: readonly string[], value: unknown): Finding {
  const given = at(value, path);
  if (given === undefined) return { severity: 'error', path, message: missing };
  const near = typeof given === 'string' ? nearest(given, options) : undefined;
  const finding = { severity: 'error', path, message: `must be one of ${options.join(', ')}` } as const;
  return near === undefined ? finding : { ...finding, nearest: near };
}

function at(value: unknown, path: DocumentPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}

function nameOf(type: string): string {
  switch (type) {
    case 'object':
    case 'record':
      return 'a mapping';
    case 'array':
      return 'a list';
    case 'string':
      return 'a text';
    default:
      return `a ${type}`;
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return 'a text';
  return `a ${typeof value}`;
}
