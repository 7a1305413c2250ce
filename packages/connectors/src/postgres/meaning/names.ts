import { joinAllLabels, type Labels } from '../../sql/label-set.ts';
import type { CatalogFunction, CatalogType, Relation } from '../catalog/catalog.ts';
import type { Body, RangeVar } from './ast.ts';
import { strings } from './ast.ts';
import { MeaningError } from './error.ts';
import type { MeaningContext, OverlayChange } from './statement.ts';

/**
 * What a name means to this session now: search_path order, temporary objects, and what the open transaction has done
 * that the catalog cannot show yet. It finds; whether it may be used is not its business.
 */

const temporary = /^pg_temp_\d+$/;

/** The schema under which an open transaction's temporary objects are kept, since their real one may not exist yet. */
export const temporarySchema = 'pg_temp';

const implicitTypes = ['pg_catalog'] as const;

export interface FoundFunctions {
  readonly candidates: readonly CatalogFunction[];
  /** Made in the open transaction; nothing is known but the name. */
  readonly fresh: readonly { readonly schema: string; readonly name: string }[];
}

export class Names {
  readonly #ctx: MeaningContext;

  constructor(ctx: MeaningContext) {
    this.#ctx = ctx;
  }

  /** The relation a name in FROM or as a target means. Throws `undefined_relation` or `undefined_schema`. */
  relation(name: RangeVar): Relation {
    this.#checkDatabase(name.catalogname);
    const relname = name.relname ?? '';
    if (name.schemaname !== undefined) {
      const found = this.#inSchema(this.#realSchema(name.schemaname), relname);
      if (found !== undefined) return found;
      throw missing(`${name.schemaname}.${relname}`);
    }
    const found = this.#unqualified(relname);
    if (found !== undefined) return found;
    throw missing(relname);
  }

  find(name: RangeVar): Relation | undefined {
    try {
      return this.relation(name);
    } catch (error) {
      if (error instanceof MeaningError && error.code === 'undefined_relation') return undefined;
      throw error;
    }
  }

  /** A relation by a list of names, as DROP, COMMENT and GRANT give it. */
  relationOf(parts: readonly string[]): Relation | undefined {
    return this.find(toRangeVar(parts));
  }

  /** Where CREATE would put an unqualified name. */
  creationSchema(name: RangeVar): string {
    if (name.relpersistence === 't') return temporarySchema;
    return this.creationSchemaOf(name.schemaname);
  }

  creationSchemaOf(schema: string | undefined): string {
    if (schema !== undefined) return temporary.test(schema) ? temporarySchema : schema;
    const path = this.#path();
    const first = path.find((candidate) => candidate !== 'pg_catalog' && !temporary.test(candidate));
    if (first === undefined) throw new MeaningError('undefined_schema', 'no schema has been selected to create in');
    return first;
  }

  functions(parts: readonly string[]): FoundFunctions {
    const name = parts[parts.length - 1] ?? '';
    const schema = parts[parts.length - 2];
    if (parts.length > 2) this.#checkDatabase(parts[parts.length - 3]);
    const schemas =
      schema !== undefined ? [this.#realSchema(schema)] : this.#path().filter((one) => !temporary.test(one));
    const fresh = this.#overlay('function').filter(
      (change) => change.name === name && (schema === undefined || change.schema === schema),
    );
    const searched = schema === undefined && !schemas.includes('pg_catalog') ? ['pg_catalog', ...schemas] : schemas;
    return { candidates: searched.flatMap((one) => this.#ctx.catalog.functions(one, name)), fresh };
  }

  freshOperators(name: string): boolean {
    return this.#overlay('operator').some((change) => change.name === name);
  }

  /** The schemas that operators and types are looked for in. */
  visibleSchemas(): readonly string[] {
    return this.#path();
  }

  /** The type a type name means; undefined when the open transaction made it. Throws `undefined_type`. */
  type(name: Body<'TypeName'>): CatalogType | undefined {
    const parts = strings(name.names);
    const last = parts[parts.length - 1] ?? '';
    if (this.#overlay('type').some((change) => change.name === last)) return undefined;
    const schema = parts[parts.length - 2];
    const schemas = schema === undefined ? [...this.#path()] : [this.#realSchema(schema)];
    if (schema === undefined && !schemas.includes('pg_catalog')) schemas.unshift(...implicitTypes);
    for (const candidate of schemas) {
      const found = this.#ctx.catalog.type(candidate, last);
      if (found !== undefined) return found;
    }
    // The row type of a relation that only this transaction knows.
    const relation = this.relationOf(parts);
    if (relation !== undefined) return undefined;
    throw new MeaningError('undefined_type', `type "${parts.join('.')}" does not exist`);
  }

  columnLabels(relation: Relation, index: number): Labels {
    const all = this.#ctx.labels.all(this.#ctx.target);
    const column = relation.columns[index];
    if (relation.open === true || column === undefined) return all;
    if (relation.oid >= 0) return this.#ctx.catalog.columnLabels(relation.oid, column.attnum) ?? all;
    const schema = relation.schema === temporarySchema ? 'pg_temp' : relation.schema;
    const configured = this.#ctx.labels.of(this.#ctx.target, [schema, relation.name, column.name]);
    return joinAllLabels([configured, relation.overlayLabels?.[index] ?? all]);
  }

  columnComputed(relation: Relation, index: number): boolean {
    const column = relation.columns[index];
    if (relation.open === true || column === undefined || relation.oid < 0) return true;
    return this.#ctx.catalog.columnComputed(relation.oid, column.attnum);
  }

  relationLabels(relation: Relation): Labels {
    if (relation.open === true) return this.#ctx.labels.all(this.#ctx.target);
    return joinAllLabels(relation.columns.map((_, index) => this.columnLabels(relation, index)));
  }

  #path(): readonly string[] {
    if (this.#overlay('everything').length > 0) {
      throw new MeaningError('send_separately', 'what this name means depends on an earlier statement', {
        hint: 'Send the earlier statement on its own, and end the transaction if it changed definitions; then send this one.',
      });
    }
    return this.#ctx.searchPath;
  }

  #overlay<K extends OverlayChange['kind']>(kind: K): readonly Extract<OverlayChange, { kind: K }>[] {
    return this.#ctx.overlay.changes.filter(
      (change): change is Extract<OverlayChange, { kind: K }> => change.kind === kind,
    );
  }

  #unqualified(relname: string): Relation | undefined {
    const path = this.#path();
    // A temporary schema that the path does not show yet comes first (pg_temp is searched first unless listed).
    if (!path.some((schema) => temporary.test(schema))) {
      const found = this.#inSchema(temporarySchema, relname);
      if (found !== undefined) return found;
    }
    const searched = path.includes('pg_catalog') ? path : ['pg_catalog', ...path];
    for (const schema of searched) {
      const found = this.#inSchema(schema, relname);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #inSchema(schema: string, name: string): Relation | undefined {
    const key = temporary.test(schema) && this.#isOwnTemporary(schema) ? temporarySchema : schema;
    const changes = this.#ctx.overlay.changes;
    for (let at = changes.length - 1; at >= 0; at -= 1) {
      const change = changes[at];
      if (change === undefined) continue;
      if (change.kind === 'everything' && schema !== 'pg_catalog' && schema !== 'information_schema') this.#path();
      if (change.kind === 'relation' && change.relation.schema === key && change.relation.name === name) {
        return change.relation;
      }
      if ((change.kind === 'gone' || change.kind === 'unknown') && change.schema === key && change.name === name) {
        return change.kind === 'gone' ? undefined : this.#opened(schema, name);
      }
    }
    return this.#ctx.catalog.relation(schema, name);
  }

  /** Altered in the open transaction: it exists, and nothing about its columns is certain. */
  #opened(schema: string, name: string): Relation {
    const known = this.#ctx.catalog.relation(schema, name);
    if (known !== undefined) return { ...known, open: true };
    return {
      oid: -1,
      schema,
      name,
      kind: 'table',
      persistence: 'permanent',
      columns: [],
      parents: [],
      securityInvoker: false,
      hasRules: false,
      system: false,
      open: true,
    };
  }

  #isOwnTemporary(schema: string): boolean {
    return this.#ctx.searchPath.includes(schema);
  }

  /** `pg_temp` is the session's own temporary schema, whatever its number. */
  #realSchema(schema: string): string {
    if (schema !== 'pg_temp') return schema;
    return this.#ctx.searchPath.find((one) => temporary.test(one)) ?? temporarySchema;
  }

  #checkDatabase(name: string | undefined): void {
    if (name !== undefined && name !== '' && name !== this.#ctx.database) {
      throw new MeaningError('unsupported', 'cross-database references are not implemented');
    }
  }
}

export function toRangeVar(parts: readonly string[]): RangeVar {
  const [relname, schemaname, catalogname] = [...parts].reverse();
  return {
    relname: relname ?? '',
    ...(schemaname === undefined ? {} : { schemaname }),
    ...(catalogname === undefined ? {} : { catalogname }),
  };
}

function missing(name: string): MeaningError {
  return new MeaningError('undefined_relation', `relation "${name}" does not exist`);
}
