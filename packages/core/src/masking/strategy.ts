import { MaskingError } from './masking-error.ts';
import { type PartialKind, partialKind } from './partial.ts';

/**
 * `redact`: one fixed text; `partial`: the shape and a little of the value stay; `null`: no value; `hash`: the same
 * value gives the same text in the whole deployment; `token`: the same, but only within one run.
 */
export type Strategy = 'redact' | 'partial' | 'null' | 'hash' | 'token';

/** Most hiding first: what says nothing, what says which values are equal, what shows a part. */
export const strategies: readonly Strategy[] = ['null', 'redact', 'token', 'hash', 'partial'];

/** What is done for a set of labels. */
export type Treatment =
  | { readonly strategy: Exclude<Strategy, 'partial'> }
  | { readonly strategy: 'partial'; readonly kind: PartialKind };

/** The strategy of a label that the configuration gives none: partial for well-known shapes, else redact. */
export function defaultStrategy(label: string): Strategy {
  return partialKind(label) === 'plain' ? 'redact' : 'partial';
}

/** Checks configured strategies, `{ 'pii.email': 'hash' }`. */
export function parseStrategies(configured: Readonly<Record<string, string>>): ReadonlyMap<string, Strategy> {
  const byLabel = new Map<string, Strategy>();
  for (const [label, name] of Object.entries(configured)) {
    const strategy = strategies.find((known) => known === name);
    if (!strategy) {
      throw new MaskingError(
        'unknown_strategy',
        'gateway',
        `masking.strategies: label "${label}" has the unknown strategy "${name}"; use one of ${strategies.join(', ')}.`,
      );
    }
    byLabel.set(label, strategy);
  }
  return byLabel;
}

/** The most hiding treatment that any of the labels asks for. Throws for no labels: nobody said how to mask. */
export function treatmentOf(labels: readonly string[], configured: ReadonlyMap<string, Strategy>): Treatment {
  const wanted = labels.map((label) => configured.get(label) ?? defaultStrategy(label));
  const strategy = strategies.find((candidate) => wanted.includes(candidate));
  if (strategy === undefined) {
    throw new MaskingError('undecidable', 'gateway', 'A cell was to be masked under no label.');
  }
  if (strategy !== 'partial') return { strategy };
  const kinds = new Set(labels.map(partialKind));
  const [kind] = kinds;
  // Two labels that would show different parts: together they would show more than either allows.
  return kind === undefined || kinds.size > 1 ? { strategy: 'redact' } : { strategy: 'partial', kind };
}
