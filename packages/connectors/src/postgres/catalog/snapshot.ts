import { createHash } from 'node:crypto';
import type { LabelMap } from '@sluice/core/contract/labels.ts';
import type { Catalog, CatalogCast, CatalogFunction, CatalogOperator, CatalogType, Relation } from './catalog.ts';
import { ColumnLabels, type Lineage } from './column-labels.ts';
import type { LoadedNames } from './load.ts';

/** NUL cannot occur in a name, so it separates what is joined into one key. */
function key(schema: string, name: string): string {
  return `${schema}\0${name}`;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** The names of one refresh, indexed. */
export class CatalogSnapshot implements Catalog {
  readonly target: string;
  readonly epoch: number;
  readonly serverVersion: number;
  readonly schemaState: string;
  readonly #schemas: ReadonlySet<string>;
  readonly #relations: ReadonlyMap<string, Relation>;
  readonly #relationsByOid: ReadonlyMap<number, Relation>;
  readonly #children: ReadonlyMap<number, readonly number[]>;
  readonly #functions: ReadonlyMap<string, readonly CatalogFunction[]>;
  readonly #functionsByOid: ReadonlyMap<number, CatalogFunction>;
  readonly #types: ReadonlyMap<string, CatalogType>;
  readonly #typesByOid: ReadonlyMap<number, CatalogType>;
  readonly #operators: ReadonlyMap<string, readonly CatalogOperator[]>;
  readonly #userCasts: readonly CatalogCast[];
  readonly #implicitCasts: ReadonlySet<string>;
  readonly #labels: ColumnLabels;
  readonly #digests = new Map<number, string>();

  constructor(target: string, epoch: number, names: LoadedNames, labels: LabelMap, lineage: Lineage) {
    this.target = target;
    this.epoch = epoch;
    this.serverVersion = names.serverVersion;
    this.schemaState = names.schemaState;
    this.#schemas = new Set(names.schemas.values());
    this.#relations = new Map(names.relations.map((relation) => [key(relation.schema, relation.name), relation]));
    this.#relationsByOid = new Map(names.relations.map((relation) => [relation.oid, relation]));
    const children = new Map<number, number[]>();
    for (const relation of names.relations) {
      for (const parent of relation.parents) children.set(parent, [...(children.get(parent) ?? []), relation.oid]);
    }
    this.#children = children;
    this.#functions = grouped(names.functions, (one) => key(one.schema, one.name));
    this.#functionsByOid = new Map(names.functions.map((one) => [one.oid, one]));
    this.#types = new Map(names.types.map((type) => [key(type.schema, type.name), type]));
    this.#typesByOid = new Map(names.types.map((type) => [type.oid, type]));
    this.#operators = grouped(names.operators, (operator) => operator.name);
    this.#userCasts = names.casts.filter((cast) => !cast.builtIn);
    const implicit = names.casts.filter((cast) => cast.implicit);
    this.#implicitCasts = new Set(implicit.map((cast) => `${cast.source}>${cast.target}`));
    this.#labels = new ColumnLabels(this, labels, lineage);
  }

  hasSchema(name: string): boolean {
    return this.#schemas.has(name);
  }

  relations(): Iterable<Relation> {
    return this.#relations.values();
  }

  relation(schema: string, name: string): Relation | undefined {
    return this.#relations.get(key(schema, name));
  }

  relationByOid(oid: number): Relation | undefined {
    return this.#relationsByOid.get(oid);
  }

  descendants(oid: number): readonly Relation[] {
    const found = new Set<number>();
    const waiting = [...(this.#children.get(oid) ?? [])];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      waiting.push(...(this.#children.get(next) ?? []));
    }
    return [...found].flatMap((child) => this.#relationsByOid.get(child) ?? []);
  }

  functions(schema: string, name: string): readonly CatalogFunction[] {
    return this.#functions.get(key(schema, name)) ?? [];
  }

  functionByOid(oid: number): CatalogFunction | undefined {
    return this.#functionsByOid.get(oid);
  }

  userOperators(name: string): readonly CatalogOperator[] {
    return this.#operators.get(name) ?? [];
  }

  type(schema: string, name: string): CatalogType | undefined {
    return this.#types.get(key(schema, name));
  }

  typeByOid(oid: number): CatalogType | undefined {
    return this.#typesByOid.get(oid);
  }

  userCasts(): readonly CatalogCast[] {
    return this.#userCasts;
  }

  castsImplicitly(source: number, target: number): boolean {
    return this.#implicitCasts.has(`${source}>${target}`);
  }

  columnLabels(relation: number, attnum: number): readonly string[] | undefined {
    return this.#labels.column(relation, attnum);
  }

  columnComputed(relation: number, attnum: number): boolean {
    return this.#labels.computed(relation, attnum);
  }

  relationLabels(relation: Relation): readonly string[] {
    return this.#labels.relation(relation);
  }

  schemaDigest(relations: readonly number[]): string {
    const hash = createHash('sha256');
    for (const oid of [...new Set(relations)].sort((a, b) => a - b)) hash.update(`${this.#digest(oid)}\n`);
    return hash.digest('hex');
  }

  #digest(oid: number): string {
    const known = this.#digests.get(oid);
    if (known !== undefined) return known;
    const relation = this.#relationsByOid.get(oid);
    const digest = createHash('sha256')
      .update(JSON.stringify(relation ?? { oid }))
      .digest('hex');
    this.#digests.set(oid, digest);
    return digest;
  }
}
