/**
 * What is known of a text that differs from an earlier one in the values of its literals only. The earlier one's meaning
 * is a model for it when it was found without looking at any of these values: the grammar makes the same of both texts
 * but for the values, and whoever did not look at them finds the same again. Nothing is taken on trust: each literal of
 * the text must be one constant of the parse tree, in its place and of its value, all nodes of the tree must be of kinds
 * that the grammar makes without looking at values, and the constants tell when they are looked at.
 */
import type { Action } from '@sluice/core/domain/action.ts';
import type { Node, NodeKind } from './ast.ts';
import { fingerprint } from './grammar.ts';
import type { Skeleton } from './literals.ts';
import type { StatementMeaning } from './statement.ts';

export interface Model {
  /** Its actions are frozen. */
  readonly meaning: StatementMeaning;
}

/**
 * What the grammar makes of queries without looking at the value of a number or a string. (It does look at the number in
 * FLOAT(n), makes more constants of INTERVAL … SECOND(n), and takes numbers for sizes and options elsewhere.)
 */
const plainKinds: ReadonlySet<string> = new Set<NodeKind>([
  'A_ArrayExpr',
  'A_Const',
  'A_Expr',
  'A_Indices',
  'A_Indirection',
  'A_Star',
  'BoolExpr',
  'BooleanTest',
  'CaseExpr',
  'CaseWhen',
  'CoalesceExpr',
  'CollateClause',
  'ColumnRef',
  'CommonTableExpr',
  'DeleteStmt',
  'FuncCall',
  'IndexElem',
  'InsertStmt',
  'JoinExpr',
  'List',
  'LockingClause',
  'MinMaxExpr',
  'NamedArgExpr',
  'NullTest',
  'ParamRef',
  'RangeFunction',
  'RangeSubselect',
  'RangeVar',
  'ResTarget',
  'RowExpr',
  'SelectStmt',
  'SetToDefault',
  'SortBy',
  'SQLValueFunction',
  'String',
  'SubLink',
  'TypeCast',
  'UpdateStmt',
  'WindowDef',
]);

const plainStatements: ReadonlySet<string> = new Set(['select', 'insert', 'update', 'delete']);

/** Kinds of constants that have a value to look at; NULL, TRUE and FALSE are words of the text. */
const valueKinds = ['ival', 'sval', 'fval', 'bsval'] as const;

interface Constant {
  readonly location?: number;
  ival?: { readonly ival?: number };
  sval?: { readonly sval?: string };
  fval?: object;
  bsval?: object;
}

/** Watches whether the only statement of a text is understood without a look at the values of its literals. */
export class Learning {
  readonly #text: string;
  readonly #skeleton: Skeleton;
  readonly #constants: readonly Constant[] | undefined;
  #looked = false;

  constructor(text: string, skeleton: Skeleton, statement: Node) {
    this.#text = text;
    this.#skeleton = skeleton;
    const constants = constantsOf(statement);
    this.#constants = constants && areLiterals(constants, skeleton, text) ? constants : undefined;
  }

  /** From here on, looks count. Nothing of the tree looks any different. */
  begin(): void {
    const handler: ProxyHandler<object> = {
      get: (target, key) => this.#seen(Reflect.get(target, key)),
      has: (target, key) => this.#seen(Reflect.has(target, key)),
      ownKeys: (target) => this.#seen(Reflect.ownKeys(target)),
      getOwnPropertyDescriptor: (target, key) => this.#seen(Reflect.getOwnPropertyDescriptor(target, key)),
    };
    for (const constant of this.#constants ?? []) {
      for (const kind of valueKinds) {
        const value = constant[kind];
        if (value !== undefined) constant[kind] = new Proxy(value, handler);
      }
    }
  }

  /** Undefined when the meaning may hold for this text only. */
  model(meaning: StatementMeaning): Model | undefined {
    if (this.#looked || this.#constants === undefined) return undefined;
    const { kind, text, actions, literals, effects, copy } = meaning;
    if (!plainStatements.has(kind) || effects.length > 0 || copy !== undefined) return undefined;
    if (text !== statementIn(this.#text) || actions.some((action) => action.text !== text)) return undefined;
    if (literals.length !== stringsOf(this.#skeleton).length) return undefined;
    return { meaning };
  }

  #seen<T>(value: T): T {
    this.#looked = true;
    return value;
  }
}

/** The meaning of a text that has the model's shape. */
export function modelled({ meaning }: Model, text: string, skeleton: Skeleton): readonly StatementMeaning[] {
  const own = statementIn(text);
  return [
    {
      ...meaning,
      text: own,
      actions: meaning.actions.map((model): Action => ({ ...model, text: own, model })),
      literals: stringsOf(skeleton),
      fingerprint: () => fingerprint(own),
      model: meaning,
    },
  ];
}

/** The text of the only statement, as the grammar tells it. An expression would try every run of blanks from each of them. */
function statementIn(text: string): string {
  let end = text.length;
  while (end > 0 && endings.has(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end).trimStart();
}

/** What of a text with a skeleton may stand behind its last statement. */
const endings: ReadonlySet<number> = new Set([...' \t\n\r;'].map((character) => character.charCodeAt(0)));

function stringsOf({ literals }: Skeleton): readonly string[] {
  return literals.flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
}

/** All constants with a value; undefined when a node is of a kind that is not known to be plain. */
function constantsOf(root: Node): readonly Constant[] | undefined {
  const constants: Constant[] = [];
  const waiting: unknown[] = [root];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      const isKind = /^[A-Z]/.test(key);
      if (isKind && !plainKinds.has(key)) return undefined;
      if (key === 'A_Const' && valueKinds.some((kind) => kind in child)) constants.push(child);
      else waiting.push(child);
    }
  }
  return constants;
}

/** Whether each literal is one of the constants, and each constant one of the literals. */
function areLiterals(constants: readonly Constant[], { literals }: Skeleton, text: string): boolean {
  const byLocation = new Map(constants.map((constant) => [constant.location ?? 0, constant]));
  if (byLocation.size !== constants.length || constants.length !== literals.length) return false;
  return literals.every(({ at, value }) => {
    const constant = byLocation.get(at);
    if (typeof value === 'string') return constant?.sval !== undefined && (constant.sval.sval ?? '') === value;
    if (constant) return constant.ival !== undefined && (constant.ival.ival ?? 0) === value;
    // The grammar puts the sign of a negative number into the constant, and the constant where the sign is.
    const negative = byLocation.get(signBefore(text, at));
    return negative?.ival !== undefined && (negative.ival.ival ?? 0) === 0 - value;
  });
}

/** Offset of a minus sign with nothing but blanks behind it, or -1. */
function signBefore(text: string, end: number): number {
  const before = text.slice(0, end).trimEnd();
  return before.endsWith('-') ? before.length - 1 : -1;
}
