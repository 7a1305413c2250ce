import { joinLabels } from '../../sql/label-set.ts';
import type { Catalog, Relation } from '../catalog/catalog.ts';
import type { Lineage } from '../catalog/column-labels.ts';
import { definitionContext, lookAt } from './engine.ts';
import { MeaningError } from './error.ts';
import type { MeaningContext } from './statement.ts';

/** What the columns of views and generated columns take over from below, read from their definitions. */
export const lineage: Lineage = {
  ofView(view: Relation, catalog: Catalog) {
    if (view.definition === undefined) throw new MeaningError('unsupported', 'a view without a definition');
    const { output } = lookAt(view.definition, ownContext(catalog));
    if (output.open !== undefined) throw new MeaningError('unsupported', 'a view whose columns are not all known');
    return output.columns.map((column) => column.labels);
  },
  ofGenerated(relation: Relation, expression: string, catalog: Catalog) {
    const name = quoted(relation.name);
    const text = `SELECT ${expression} FROM ${quoted(relation.schema)}.${name}`;
    const { output } = lookAt(text, ownContext(catalog));
    return output.columns.reduce((sum, column) => joinLabels(sum, column.labels), output.open ?? []);
  },
};

function ownContext(catalog: Catalog): MeaningContext {
  return definitionContext({ target: catalog.target, catalog, labels: catalog.labelMap });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
