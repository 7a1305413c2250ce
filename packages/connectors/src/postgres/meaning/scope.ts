import { joinLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import type { Relation } from '../catalog/catalog.ts';

/**
 * What column names can mean at one place of a query: the sources of its FROM, then those of the queries around it.
 * Lookup rules are the server's (parse_relation.c): levels from inside out, all sources of one level alike.
 */
export interface ScopeColumn {
  readonly name: string;
  readonly labels: Labels;
  /** pg_type.oid; 0 for not known. */
  readonly type: number;
  /** The wire will say which table column it came from. */
  readonly direct: boolean;
  /** Made of labelled values, rather than being one of them: comparing with it, or writing it somewhere, tells a part. */
  readonly computed?: boolean;
  /** `schema.table.column` for a column of a relation. */
  readonly path?: string;
}

export interface Source {
  /** Empty for a join without a name. */
  readonly alias: string;
  /** Present when `schema.table.column` may name it, that is, without an alias. */
  readonly schema?: string;
  readonly relation?: Relation;
  readonly columns: readonly ScopeColumn[];
  /** Names by which a bare column name does not reach it: merged by USING, or the whole source when undefined. */
  readonly merged: ReadonlySet<string>;
  /** Has further columns that are not known; any of them may carry these labels. */
  readonly open?: Labels;
}

export interface Scope {
  readonly sources: readonly Source[];
  /** What `*` stands for, in order. */
  readonly star: readonly ScopeColumn[];
  readonly parent: Scope | undefined;
}

export const emptyScope: Scope = { sources: [], star: [], parent: undefined };

export function scopeOf(sources: readonly Source[], star: readonly ScopeColumn[], parent: Scope | undefined): Scope {
  return { sources, star, parent };
}

/** Labels of every column of the source. */
export function sourceLabels(source: Source): Labels {
  return source.columns.reduce((labels, column) => joinLabels(labels, column.labels), source.open ?? noLabels);
}

export interface FoundColumn {
  readonly column: ScopeColumn;
  /** More than one meaning was possible, or the source's columns are not all known. */
  readonly certain: boolean;
}

/** A bare column name. */
export function findColumn(scope: Scope | undefined, name: string): FoundColumn | undefined {
  let uncertain = noLabels;
  let open = false;
  for (let level = scope; level !== undefined; level = level.parent) {
    const found: ScopeColumn[] = [];
    for (const source of level.sources) {
      if (!source.merged.has(name)) {
        const column = source.columns.find((candidate) => candidate.name === name);
        if (column !== undefined) found.push(column);
      }
      if (source.open !== undefined) {
        open = true;
        uncertain = joinLabels(uncertain, source.open);
      }
    }
    const [first] = found;
    if (first !== undefined) {
      if (found.length === 1 && !open) return { column: first, certain: true };
      const labels = found.reduce((sum, column) => joinLabels(sum, column.labels), uncertain);
      return { column: { ...first, labels, direct: first.direct && !open, computed: true }, certain: false };
    }
  }
  if (!open) return undefined;
  return { column: { name, labels: uncertain, type: 0, direct: false, computed: true }, certain: false };
}

/** A source by its name, as in `name.column` or a whole-row reference. */
export function findSource(scope: Scope | undefined, alias: string, schema?: string): Source | undefined {
  for (let level = scope; level !== undefined; level = level.parent) {
    for (const source of level.sources) {
      if (source.alias === '' || source.alias !== alias) continue;
      if (schema === undefined || source.schema === schema) return source;
    }
  }
  return undefined;
}

export function findInSource(source: Source, name: string): ScopeColumn | undefined {
  return source.columns.find((candidate) => candidate.name === name);
}

/** On every table, with their types (system columns, 5.6); they tell where a row is stored, not what is in it. */
export const systemColumns: ReadonlyMap<string, number> = new Map([
  ['ctid', 27],
  ['xmin', 28],
  ['xmax', 28],
  ['cmin', 29],
  ['cmax', 29],
  ['tableoid', 26],
]);
