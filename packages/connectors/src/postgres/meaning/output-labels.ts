import { joinLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import type { Output } from './env.ts';

/** Labels of the columns that the wire will not give a provenance for. */
export function expressionLabels(output: Output): Labels {
  let labels = output.open ?? noLabels;
  for (const column of output.columns) {
    // Where some columns are not known, positions are not either.
    if (!column.direct || output.open !== undefined) labels = joinLabels(labels, column.labels);
  }
  return labels;
}
