import type { CellMasker, CellShape } from '../contract/labels.ts';
import { maskJsonText } from './json-text-masker.ts';
import { MaskingError } from './masking-error.ts';
import { redacted } from './sentinel.ts';
import { createTextMasker } from './text-masker.ts';

/**
 * A cell masker that also looks into values nobody labelled. `hidden` says whether values of a detected label must not
 * be shown; it is asked per value, so that a policy that changes counts from the next value on.
 */
export function createLookingMasker(masker: CellMasker, hidden: (label: string) => boolean): CellMasker {
  const text = createTextMasker({ masker, hidden });
  return {
    mask: (labels, shape, value) => masker.mask(labels, shape, value),
    hide: (labels, shape) => masker.hide(labels, shape),
    ...(masker.constant ? { constant: masker.constant } : {}),
    ...(masker.plain ? { plain: masker.plain } : {}),
    look(shape, value) {
      const found = text.mask(value);
      if (!found.masked) return value;
      if (shape.kind === 'json') return lookIntoJson(value);
      return shape.kind === 'text' ? cut(found.text, shape) : null;
    },
  };

  /** A mask inside of a number would not be JSON, so the document is taken apart. */
  function lookIntoJson(value: string): string | null {
    try {
      return maskJsonText(value, { labelsAt: () => [], hidden, masker, text }).value;
    } catch (error) {
      if (error instanceof MaskingError && error.code === 'undecidable') return JSON.stringify(redacted);
      throw error;
    }
  }
}

function cut(text: string, shape: CellShape & { kind: 'text' }): string {
  return shape.maxLength === undefined ? text : [...text].slice(0, shape.maxLength).join('');
}
