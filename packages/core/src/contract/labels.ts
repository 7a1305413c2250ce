/** Which labels the operator's configuration puts on data. */
export interface LabelMap {
  /** Labels of one leaf (`['public', 'customers', 'email']` on target `shop`), sorted; empty for none. */
  of(target: string, path: readonly string[]): readonly string[];
  /** Every label that could apply anywhere on the target, sorted. */
  all(target: string): readonly string[];
}

/** What kind of value a cell holds, so that a mask stays valid for its declared type. */
export type CellShape =
  | { readonly kind: 'text'; readonly maxLength?: number }
  | { readonly kind: 'json' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'other' };

export interface CellMasker {
  /**
   * The masked text form of `value`, valid for `shape`; null where no valid mask exists. With several labels the most
   * hiding strategy wins. Throws when it cannot decide; the caller then refuses the whole answer.
   */
  mask(labels: readonly string[], shape: CellShape, value: string): string | null;
  /**
   * The mask for a value that was computed from labelled ones, and for a null in its place: the same whatever the value
   * is. With `mask`, what a strategy shows of a value (a letter, which values are equal) would be shown of whatever the
   * client made of it, and so of any part it likes.
   */
  hide(labels: readonly string[], shape: CellShape): string | null;
  /**
   * A value that bears no label, with what gives itself away by its look masked: the same string where there is nothing
   * to hide, null where no valid mask exists. Absent where nothing is looked for.
   */
  readonly look?: (shape: CellShape, value: string) => string | null;
}
