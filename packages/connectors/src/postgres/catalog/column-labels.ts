import type { LabelMap } from '@sluice/core/contract/labels.ts';
import { containsLabels, joinAllLabels, joinLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import type { Catalog, Column, Relation } from './catalog.ts';
import { systemColumnLabels } from './system-relations.ts';

/**
 * Finds what a query's output columns take over from the columns below. Given to the catalog from outside, because
 * reading a definition takes the grammar, and the catalog knows only names. May throw: the labels are then all of them.
 */
export interface Lineage {
  /** Each output column of a view's query, in order. */
  ofView(view: Relation, catalog: Catalog): readonly ViewColumn[];
  /** Labels of a generated column's expression over its own relation. */
  ofGenerated(relation: Relation, expression: string, catalog: Catalog): Labels;
}

export interface ViewColumn {
  readonly labels: Labels;
  /** Made of labelled values, rather than being one. */
  readonly computed: boolean;
}

/** Which labels each column carries, found once per column and refresh. */
export class ColumnLabels {
  readonly #catalog: Catalog;
  readonly #map: LabelMap;
  readonly #lineage: Lineage;
  readonly #views = new Map<number, readonly ViewColumn[] | 'all'>();
  readonly #columns = new Map<number, Map<number, Labels>>();
  readonly #computing = new Set<number>();

  constructor(catalog: Catalog, map: LabelMap, lineage: Lineage) {
    this.#catalog = catalog;
    this.#map = map;
    this.#lineage = lineage;
  }

  column(oid: number, attnum: number): Labels | undefined {
    const relation = this.#catalog.relationByOid(oid);
    if (relation === undefined) return undefined;
    if (attnum === 0) return this.relation(relation);
    // System columns (ctid, tableoid, xmin, …) say where a row is, not what is in it.
    if (attnum < 0) return noLabels;
    const known = this.#columns.get(oid)?.get(attnum);
    if (known !== undefined) return known;
    const column = relation.columns.find((candidate) => candidate.attnum === attnum);
    if (column === undefined) return undefined;
    const labels = this.#find(relation, column);
    const columns = this.#columns.get(oid) ?? new Map<number, Labels>();
    // What is found while a cycle is open is not final for anyone but the outermost.
    if (this.#computing.size === 0) this.#columns.set(oid, columns.set(attnum, labels));
    return labels;
  }

  /** Whether what the column holds is made of labelled values, rather than being what the operator labelled. */
  computed(oid: number, attnum: number): boolean {
    const relation = this.#catalog.relationByOid(oid);
    const column = relation?.columns.find((candidate) => candidate.attnum === attnum);
    if (relation === undefined || column === undefined) return true;
    if (relation.system || relation.kind === 'toast') return false;
    const labels = this.column(oid, attnum) ?? noLabels;
    const own = this.#map.of(this.#catalog.target, [relation.schema, relation.name, column.name]);
    // The operator put these very labels on the view's own column: that is the value to show a part of.
    if (labels.length === 0 || containsLabels(own, labels)) return false;
    if (column.generated !== undefined) return true;
    if (relation.definition === undefined) return false;
    const view = this.#view(relation);
    return view === 'all' || view[relation.columns.indexOf(column)]?.computed !== false;
  }

  relation(relation: Relation): Labels {
    return joinAllLabels(relation.columns.map((column) => this.column(relation.oid, column.attnum) ?? noLabels));
  }

  #find(relation: Relation, column: Column): Labels {
    let labels = this.#own(relation, column);
    for (const ancestor of this.#ancestors(relation)) labels = joinLabels(labels, this.#named(ancestor, column.name));
    // A row read through the parent may come from a child, and the wire then names the parent.
    for (const child of this.#catalog.descendants(relation.oid)) {
      labels = joinLabels(labels, this.#named(child, column.name));
    }
    return labels;
  }

  #named(relation: Relation, name: string): Labels {
    const column = relation.columns.find((candidate) => candidate.name === name);
    return column === undefined ? noLabels : this.#own(relation, column);
  }

  #ancestors(relation: Relation): readonly Relation[] {
    const found = new Map<number, Relation>();
    const waiting = [...relation.parents];
    for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
      const parent = this.#catalog.relationByOid(oid);
      if (parent === undefined || found.has(oid)) continue;
      found.set(oid, parent);
      waiting.push(...parent.parents);
    }
    return [...found.values()];
  }

  #own(relation: Relation, column: Column): Labels {
    const all = this.#map.all(this.#catalog.target);
    if (relation.system) return systemColumnLabels(relation, column.name, all);
    // A TOAST table holds the long values of any column of its table.
    if (relation.kind === 'toast') return all;
    let labels = this.#map.of(this.#catalog.target, [relation.schema, relation.name, column.name]);
    if (relation.definition !== undefined) {
      const view = this.#view(relation);
      const index = relation.columns.indexOf(column);
      labels = joinLabels(labels, view === 'all' ? all : (view[index]?.labels ?? all));
    }
    if (column.generated !== undefined) labels = joinLabels(labels, this.#generated(relation, column.generated, all));
    return labels;
  }

  #view(view: Relation): readonly ViewColumn[] | 'all' {
    const known = this.#views.get(view.oid);
    if (known !== undefined) return known;
    // A view cannot reach itself on a sound server; if one seems to, everything is in reach.
    if (this.#computing.has(view.oid)) return 'all';
    this.#computing.add(view.oid);
    let found: readonly ViewColumn[] | 'all';
    try {
      const outputs = this.#lineage.ofView(view, this.#catalog);
      found = outputs.length === view.columns.length ? outputs : 'all';
    } catch {
      // A definition that cannot be read hides where its values come from: every label is the safe answer.
      found = 'all';
    } finally {
      this.#computing.delete(view.oid);
    }
    this.#views.set(view.oid, found);
    return found;
  }

  #generated(relation: Relation, expression: string, all: Labels): Labels {
    if (this.#computing.has(relation.oid)) return noLabels;
    this.#computing.add(relation.oid);
    try {
      return this.#lineage.ofGenerated(relation, expression, this.#catalog);
    } catch {
      return all;
    } finally {
      this.#computing.delete(relation.oid);
    }
  }
}
