import type { LabelMap } from '@sluice/core/contract/labels.ts';
import { joinLabels } from '../../sql/label-set.ts';
import type { Catalog, Relation } from '../catalog/catalog.ts';
import type { Lineage } from '../catalog/column-labels.ts';
import { definitionContext, lookAt } from './engine.ts';
import { MeaningError } from './error.ts';

/** What the columns of views and generated columns take over from below, read from their definitions. */
export function lineageOf(labels: LabelMap): Lineage {
  return {
    ofView(view: Relation, catalog: Catalog) {
      if (view.definition === undefined) throw new MeaningError('unsupported', 'a view without a definition');
      const { output } = lookAt(view.definition, definitionContext({ target: catalog.target, catalog, labels }));
      if (output.open !== undefined) throw new MeaningError('unsupported', 'a view whose columns are not all known');
      return output.columns.map(({ labels: carried, computed = false }) => ({ labels: carried, computed }));
    },
    ofGenerated(relation: Relation, expression: string, catalog: Catalog) {
      const name = quoted(relation.name);
      const text = `SELECT ${expression} FROM ${quoted(relation.schema)}.${name}`;
      const { output } = lookAt(text, definitionContext({ target: catalog.target, catalog, labels }));
      return output.columns.reduce((sum, column) => joinLabels(sum, column.labels), output.open ?? []);
    },
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
