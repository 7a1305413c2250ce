import type { Action, Context, ContextValue } from '@sluice/core/domain/action.ts';
import type { Resource } from '@sluice/core/domain/resource.ts';
import type { Exposure } from '@sluice/core/domain/unit.ts';
import { joinLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import { inSchema, targetResource } from '../../sql/resources.ts';
import { type SqlVerb, sqlVerbs } from '../../sql/verbs.ts';
import type { CatalogFunction, Relation } from '../catalog/catalog.ts';
import { holdsSecrets } from '../catalog/system-relations.ts';
import type { SessionEffect } from './statement.ts';

function names(value: ContextValue | undefined): readonly string[] {
  return Array.isArray(value) ? value : [];
}

/** Collects what one statement touches, while it is looked through; adds up to its actions at the end. */
export class Tally {
  readonly target: string;
  readonly #verbs = new Map<SqlVerb, Map<string, Resource>>();
  readonly #tables = new Set<string>();
  readonly #columns = new Set<string>();
  readonly #functions = new Map<string, { readonly schema: string; readonly name: string }>();
  readonly #relations = new Set<number>();
  readonly #exposures = new Map<string, Labels>();
  readonly #unbounded = new Set<SqlVerb>();
  readonly effects: SessionEffect[] = [];
  readonly readRelations = new Set<Relation>();
  labels: Labels = noLabels;
  scrub = false;
  hasLimit = false;
  nested = false;
  /** Reads no relation so far. */
  computesOnly = true;

  constructor(target: string) {
    this.target = target;
  }

  act(verb: SqlVerb, resource: Resource = targetResource(this.target)): void {
    const resources = this.#verbs.get(verb) ?? new Map<string, Resource>();
    this.#verbs.set(verb, resources.set(`${resource.type}\0${resource.id}`, resource));
  }

  /** An UPDATE or DELETE that hits every row. */
  unbounded(verb: SqlVerb): void {
    this.#unbounded.add(verb);
  }

  relation(verb: SqlVerb, relation: Relation): void {
    this.touch(relation);
    this.computesOnly = false;
    if (verb === 'sql:select') this.readRelations.add(relation);
    // Whatever else is done to a sequence, the server refuses or takes it for a table.
    const asSequence = relation.kind === 'sequence' && (verb === 'sql:select' || verb === 'sql:sequence');
    const type = asSequence ? 'Sequence' : 'Table';
    this.act(verb, inSchema(type, this.target, relation.schema, relation.name));
    if (verb === 'sql:select' && holdsSecrets(relation)) {
      this.act('sql:read_secrets', inSchema('Table', this.target, relation.schema, relation.name));
    }
  }

  /** Counts as touched without being acted on by name: what lies behind a view. */
  touch(relation: Relation): void {
    this.#relations.add(relation.oid);
    this.#tables.add(`${relation.schema}.${relation.name}`);
  }

  column(path: string, labels: Labels): void {
    this.#columns.add(path);
    this.read(labels);
  }

  read(labels: Labels): void {
    if (labels.length === 0) return;
    this.labels = joinLabels(this.labels, labels);
    this.scrub = true;
  }

  call(one: Pick<CatalogFunction, 'schema' | 'name'>): void {
    this.mention(one);
    this.act('sql:call', inSchema('Function', this.target, one.schema, one.name));
  }

  /** Named in the context only. */
  mention(one: Pick<CatalogFunction, 'schema' | 'name'>): void {
    this.#functions.set(`${one.schema}.${one.name}`, { schema: one.schema, name: one.name });
  }

  resources(verb: SqlVerb): readonly Resource[] {
    return [...(this.#verbs.get(verb)?.values() ?? [])].filter((resource) => resource.type === 'Table');
  }

  /** Takes over what another statement's actions said it touches. */
  merge(context: Context): void {
    for (const name of names(context['tables'])) this.#tables.add(name);
    for (const name of names(context['columns'])) this.#columns.add(name);
    for (const name of names(context['functions'])) this.#functions.set(name, { schema: '', name });
  }

  /** Some function was called whose body cannot be seen. */
  get callsUnseen(): boolean {
    return this.#verbs.has('sql:call');
  }

  expose(labels: Labels, reason: string): void {
    if (labels.length === 0) return;
    this.read(labels);
    this.#exposures.set(reason, joinLabels(this.#exposures.get(reason) ?? noLabels, labels));
  }

  effect(effect: SessionEffect): void {
    this.effects.push(effect);
  }

  get functionNames(): readonly { readonly schema: string; readonly name: string }[] {
    return [...this.#functions.values()];
  }

  get exposures(): readonly Exposure[] {
    return [...this.#exposures].map(([reason, labels]) => ({ labels, reason }));
  }

  get relations(): readonly number[] {
    return [...this.#relations].sort((a, b) => a - b);
  }

  actions(kind: string, text: string): readonly Action[] {
    const shared = {
      kind,
      has_limit: this.hasLimit,
      tables: [...this.#tables].sort(),
      columns: [...this.#columns].sort(),
      functions: [...this.#functions.keys()].sort(),
      labels: this.labels,
      nested: this.nested,
    };
    return [...this.#verbs].map(([verb, resources]) => ({
      verb,
      access: sqlVerbs[verb].access,
      resources: [...resources.values()],
      text,
      context: { ...shared, has_where: !this.#unbounded.has(verb) },
    }));
  }

  get isEmpty(): boolean {
    return this.#verbs.size === 0;
  }
}
