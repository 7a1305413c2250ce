import type { Context, ContextMap, ContextValue } from '@sluice/core/domain/action.ts';
import type { Effect } from '@sluice/core/domain/decision.ts';
import { isNode, type Node } from './ast.ts';
import { nearest } from './nearest.ts';
import type {
  PolicyTest,
  PolicyTestDeed,
  PolicyTestDocument,
  PolicyTestPrincipal,
  PolicyTestSession,
} from './policy-test.ts';

type Steps = readonly (string | number)[];

interface Problem {
  readonly line: number;
  readonly message: string;
}

/** Thrown while one test is read; the others are read all the same. */
class Unreadable extends Error {
  readonly steps: Steps;

  constructor(steps: Steps, message: string) {
    super(message);
    this.steps = steps;
  }
}

export function readPolicyTests(document: PolicyTestDocument): { tests: PolicyTest[]; problems: Problem[] } {
  const tests: PolicyTest[] = [];
  const problems: Problem[] = [];
  if (!Array.isArray(document.value) || document.value.length === 0) {
    return { tests, problems: [{ line: 1, message: 'there is no list of tests here' }] };
  }
  for (const [index, value] of document.value.entries()) {
    try {
      tests.push(readTest(value, [index], document.lineOf([index]), index));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      problems.push({ line: document.lineOf(error.steps), message: error.message });
    }
  }
  return { tests, problems };
}

const testKeys = ['name', 'principal', 'target', 'statement', 'action', 'session', 'expect', 'policies'];

function readTest(value: unknown, steps: Steps, line: number, index: number): PolicyTest {
  const test = record(value, steps, testKeys);
  const policies = optional(test, 'policies', steps, strings);
  return {
    name: optional(test, 'name', steps, text) ?? `test ${index + 1}`,
    line,
    principal: readPrincipal(test['principal'], [...steps, 'principal']),
    target: text(test['target'], [...steps, 'target']),
    deed: readDeed(test, steps),
    session: readSession(test['session'] ?? {}, [...steps, 'session']),
    expect: choice<Effect>(test['expect'], [...steps, 'expect'], ['allow', 'deny', 'hold']),
    ...(policies ? { policies } : {}),
  };
}

function readPrincipal(value: unknown, steps: Steps): PolicyTestPrincipal {
  const principal = record(value, steps, ['kind', 'id', 'groups', 'owner']);
  const owner = optional(principal, 'owner', steps, text);
  return {
    kind: choice(principal['kind'], [...steps, 'kind'], ['user', 'agent', 'service'] as const),
    id: text(principal['id'], [...steps, 'id']),
    groups: optional(principal, 'groups', steps, strings) ?? [],
    ...(owner === undefined ? {} : { owner }),
  };
}

function readDeed(test: Node, steps: Steps): PolicyTestDeed {
  const [statement, action] = [test['statement'], test['action']];
  if ((statement === undefined) === (action === undefined)) {
    throw new Unreadable(steps, 'a test needs either a statement or an action');
  }
  if (statement !== undefined) return { kind: 'statement', text: text(statement, [...steps, 'statement']) };
  const at = [...steps, 'action'];
  if (typeof action === 'string') return { kind: 'action', verb: text(action, at), resources: [], context: {} };
  const deed = record(action, at, ['verb', 'resources', 'context']);
  return {
    kind: 'action',
    verb: text(deed['verb'], [...at, 'verb']),
    resources: optional(deed, 'resources', at, strings) ?? [],
    context: readContext(deed['context'] ?? {}, [...at, 'context']),
  };
}

function readContext(value: unknown, steps: Steps): Context {
  return Object.fromEntries(
    Object.entries(record(value, steps)).map(([name, each]): [string, ContextValue] => {
      const simple = typeof each === 'boolean' || typeof each === 'number' || typeof each === 'string';
      if (simple) return [name, each];
      return [name, isNode(each) ? readMap(each, [...steps, name]) : strings(each, [...steps, name])];
    }),
  );
}

/** A map of texts or one of whole numbers; which of them belongs there, the schema knows. */
function readMap(value: Node, steps: Steps): ContextMap {
  const entries = Object.entries(value);
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  if (texts.length === entries.length) return new Map(texts);
  const numbers = entries.filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1]));
  if (numbers.length === entries.length) return new Map(numbers);
  throw new Unreadable(steps, `the values of ${nameOf(steps)} must all be texts, or all whole numbers`);
}

function readSession(value: unknown, steps: Steps): PolicyTestSession {
  const keys = ['at', 'client_address', 'secure', 'application', 'run', 'intent', 'labels_seen'];
  const session = record(value, steps, keys);
  const read = <T>(name: string, parse: (each: unknown, at: Steps) => T): T | undefined =>
    optional(session, name, steps, parse);
  return withoutUndefined({
    at: read('at', moment),
    clientAddress: read('client_address', text),
    secure: read('secure', flag),
    application: read('application', text),
    run: read('run', text),
    intent: read('intent', text),
    labelsSeen: read('labels_seen', strings),
  });
}

function record(value: unknown, steps: Steps, known?: readonly string[]): Node {
  if (!isNode(value)) throw new Unreadable(steps, `${nameOf(steps)} must be a mapping`);
  for (const key of Object.keys(value)) {
    if (!known || known.includes(key)) continue;
    const meant = nearest(key, known);
    throw new Unreadable([...steps, key], `unknown key "${key}"${meant ? `, did you mean "${meant}"?` : ''}`);
  }
  return value;
}

function optional<T>(of: Node, key: string, steps: Steps, parse: (value: unknown, at: Steps) => T): T | undefined {
  return of[key] === undefined ? undefined : parse(of[key], [...steps, key]);
}

function text(value: unknown, steps: Steps): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Unreadable(steps, `${nameOf(steps)} must be a text`);
}

function flag(value: unknown, steps: Steps): boolean {
  if (typeof value === 'boolean') return value;
  throw new Unreadable(steps, `${nameOf(steps)} must be true or false`);
}

function strings(value: unknown, steps: Steps): readonly string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw new Unreadable(steps, `${nameOf(steps)} must be a list of texts`);
}

function moment(value: unknown, steps: Steps): number {
  const time = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw new Unreadable(steps, `${nameOf(steps)} must be a time such as 2026-01-16T14:30:00Z`);
}

function choice<T extends string>(value: unknown, steps: Steps, choices: readonly T[]): T {
  const found = choices.find((each) => each === value);
  if (found !== undefined) return found;
  throw new Unreadable(steps, `${nameOf(steps)} must be ${choices.join(', ').replace(/, ([^,]*)$/, ' or $1')}`);
}

function nameOf(steps: Steps): string {
  const last = steps.at(-1);
  return typeof last === 'string' ? last : 'a test';
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  const defined: Defined<T> = { ...value };
  for (const key of Object.keys(value) as (keyof T)[]) if (value[key] === undefined) delete defined[key];
  return defined;
}
