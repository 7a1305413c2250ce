import type { CellMasker, StreamMasker as Stream, TextMaskers } from '../contract/labels.ts';
import { maskJson } from './json-masker.ts';
import { maskJsonText } from './json-text-masker.ts';
import { StreamMasker } from './stream-masker.ts';
import { createTextMasker } from './text-masker.ts';

/**
 * All maskers of one session. `hidden` says whether values under a label must not be shown, and is asked per value;
 * `looked` says it of values that are only found by their look, where nobody put the label.
 */
export function createTextMaskers(
  masker: CellMasker,
  hidden: (label: string) => boolean,
  looked: (label: string) => boolean = hidden,
): TextMaskers {
  const text = createTextMasker({ masker, hidden: looked });
  return {
    text(source) {
      const { text: value, labels, masked } = text.mask(source);
      return { value, labels, masked };
    },
    json: (value, labelsAt) => maskJson(value, { labelsAt, hidden, masker, text }),
    jsonText: (source, labelsAt) => maskJsonText(source, { labelsAt, hidden, masker, text }),
    stream: (): Stream => new StreamMasker({ masker, hidden: looked }),
  };
}
