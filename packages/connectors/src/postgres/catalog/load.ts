import type {
  CatalogCast,
  CatalogFunction,
  CatalogOperator,
  CatalogType,
  Column,
  QueryRunner,
  Relation,
  RelationKind,
} from './catalog.ts';
import * as queries from './queries.ts';

/** Reads the names of one database into plain lists. It checks what it reads and trusts no gap. */
export interface LoadedNames {
  readonly serverVersion: number;
  readonly schemas: ReadonlyMap<number, string>;
  /** Changes when a schema comes, goes or is renamed, or who may use it. */
  readonly schemaState: string;
  readonly relations: readonly Relation[];
  readonly functions: readonly CatalogFunction[];
  readonly types: readonly CatalogType[];
  readonly operators: readonly CatalogOperator[];
  readonly casts: readonly CatalogCast[];
}

type Row = readonly (string | null)[];

function text(row: Row, at: number): string {
  const value = row[at];
  if (typeof value !== 'string') throw new Error(`catalog query gave no value in column ${at + 1}`);
  return value;
}

function integer(row: Row, at: number): number {
  const value = Number(text(row, at));
  if (!Number.isSafeInteger(value)) throw new Error(`catalog query gave no number in column ${at + 1}`);
  return value;
}

function boolean(row: Row, at: number): boolean {
  const value = text(row, at);
  return value === 'true' || value === 't';
}

const relationKinds: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned_table',
  v: 'view',
  m: 'materialized_view',
  f: 'foreign_table',
  S: 'sequence',
  c: 'composite_type',
  i: 'index',
  I: 'index',
  t: 'toast',
};
const persistences = { p: 'permanent', u: 'unlogged', t: 'temporary' } as const;
const functionKinds = { f: 'function', p: 'procedure', a: 'aggregate', w: 'window' } as const;
const volatilities = { i: 'immutable', s: 'stable', v: 'volatile' } as const;
const typeKinds = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  p: 'pseudo',
  r: 'range',
  m: 'multirange',
} as const;

function oneOf<T>(table: Readonly<Record<string, T>>, row: Row, at: number): T {
  const value = Object.hasOwn(table, text(row, at)) ? table[text(row, at)] : undefined;
  if (value === undefined) throw new Error(`catalog query gave an unknown letter ${text(row, at)}`);
  return value;
}

/** A text[] literal as array_out prints it (arrays.sgml, "Array Input and Output Syntax"). */
export function parseTextArray(literal: string | null | undefined): readonly string[] {
  if (literal === null || literal === undefined || literal === '{}') return [];
  const items: string[] = [];
  let item = '';
  let quoted = false;
  for (let at = 1; at < literal.length; at += 1) {
    const char = literal[at] ?? '';
    if (char === '\\') {
      at += 1;
      item += literal[at] ?? '';
    } else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === ',' || char === '}')) {
      items.push(item);
      item = '';
    } else item += char;
  }
  return items;
}

function schemaName(schemas: ReadonlyMap<number, string>, row: Row, at: number): string {
  // Created between two of our queries: the next refresh has it, and until then it is in no schema anyone can name.
  return schemas.get(integer(row, at)) ?? '';
}

async function loadRelations(run: QueryRunner, schemas: ReadonlyMap<number, string>): Promise<Relation[]> {
  const expressions = new Map<string, string>();
  for (const row of await run(queries.generated)) expressions.set(`${text(row, 0)}.${text(row, 1)}`, row[2] ?? '');
  const columns = new Map<number, Column[]>();
  for (const row of await run(queries.columns)) {
    const relation = integer(row, 0);
    const expression = expressions.get(`${text(row, 0)}.${text(row, 1)}`);
    const list = columns.get(relation) ?? [];
    list.push({
      attnum: integer(row, 1),
      name: text(row, 2),
      type: integer(row, 3),
      typmod: integer(row, 4),
      ...(expression === undefined ? {} : { generated: expression }),
    });
    columns.set(relation, list);
  }
  const parents = new Map<number, number[]>();
  for (const row of await run(queries.inheritance)) {
    parents.set(integer(row, 0), [...(parents.get(integer(row, 0)) ?? []), integer(row, 1)]);
  }
  const definitions = new Map<number, string>();
  for (const row of await run(queries.definitions)) definitions.set(integer(row, 0), row[1] ?? '');
  return (await run(queries.relations)).map((row) => {
    const oid = integer(row, 0);
    const definition = definitions.get(oid);
    return {
      oid,
      schema: schemaName(schemas, row, 1),
      name: text(row, 2),
      kind: oneOf(relationKinds, row, 3),
      persistence: oneOf(persistences, row, 4),
      columns: columns.get(oid) ?? [],
      parents: parents.get(oid) ?? [],
      ...(definition === undefined ? {} : { definition }),
      securityInvoker: boolean(row, 6),
      hasRules: boolean(row, 7),
      system: boolean(row, 5),
    };
  });
}

/** Argument modes are i, o, b(oth), v(ariadic), t(able); absent when all are i (pg_proc.proargmodes). */
function outputColumns(row: Row): CatalogFunction['outputs'] {
  const [modes, names, types] = [parseTextArray(row[12]), parseTextArray(row[13]), parseTextArray(row[15])];
  return modes.flatMap((mode, at) =>
    mode === 'o' || mode === 'b' || mode === 't' ? [{ name: names[at] ?? '', type: Number(types[at] ?? 0) }] : [],
  );
}

function toFunction(row: Row, schemas: ReadonlyMap<number, string>): CatalogFunction {
  const schema = schemaName(schemas, row, 1);
  const extension = row[16] ?? undefined;
  const ownSchema = schema === 'pg_catalog' || schema === 'information_schema';
  return {
    oid: integer(row, 0),
    schema,
    name: text(row, 2),
    kind: oneOf(functionKinds, row, 3),
    volatility: oneOf(volatilities, row, 4),
    language: text(row, 5),
    securityDefiner: boolean(row, 6),
    returnsSet: boolean(row, 7),
    returnType: integer(row, 8),
    args: text(row, 9).split(' ').filter(Boolean).map(Number),
    defaults: integer(row, 10),
    variadic: boolean(row, 11),
    outputs: outputColumns(row),
    builtIn: boolean(row, 14) && ownSchema,
    ...(extension === undefined ? {} : { extension }),
  };
}

function checkedBy(functions: readonly number[] | undefined): Pick<CatalogType, 'checkedBy'> {
  return functions === undefined ? {} : { checkedBy: functions };
}

export async function loadNames(run: QueryRunner): Promise<LoadedNames> {
  await run(queries.preamble);
  const [about] = await run(queries.version);
  if (about === undefined) throw new Error('the server did not tell its version');
  const schemaRows = await run(queries.schemas);
  const schemas = new Map(schemaRows.map((row) => [integer(row, 0), text(row, 1)] as const));
  // Temporary ones come and go with every session, and are in nobody else's path.
  const schemaState = JSON.stringify(schemaRows.filter((row) => !/^pg_(toast_)?temp_/.test(text(row, 1))));
  const relations = await loadRelations(run, schemas);
  const functions = (await run(queries.functions)).map((row) => toFunction(row, schemas));
  const checks = new Map<number, number[]>();
  for (const row of await run(queries.domainChecks)) {
    checks.set(integer(row, 0), [...(checks.get(integer(row, 0)) ?? []), integer(row, 1)]);
  }
  const types = (await run(queries.types)).map((row) => ({
    oid: integer(row, 0),
    schema: schemaName(schemas, row, 1),
    name: text(row, 2),
    kind: oneOf(typeKinds, row, 3),
    base: integer(row, 4),
    element: integer(row, 5),
    relation: integer(row, 6),
    builtIn: boolean(row, 7),
    ...checkedBy(checks.get(integer(row, 0))),
  }));
  const operators = (await run(queries.operators)).map((row) => ({
    schema: schemaName(schemas, row, 0),
    name: text(row, 1),
    left: integer(row, 2),
    right: integer(row, 3),
    procedure: integer(row, 4),
    builtIn: boolean(row, 5),
  }));
  const casts = (await run(queries.casts)).map((row) => ({
    source: integer(row, 0),
    target: integer(row, 1),
    procedure: integer(row, 2),
    implicit: boolean(row, 3),
    builtIn: boolean(row, 4),
  }));
  // Any database has these by the thousand; fewer means that the answers are not what they seem.
  if (relations.length < 50 || functions.length < 1000 || types.length < 100) {
    throw new Error('the catalog came back empty or incomplete');
  }
  return { serverVersion: integer(about, 0), schemas, schemaState, relations, functions, types, operators, casts };
}
