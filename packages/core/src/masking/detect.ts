// Detection: which parts of a text are, by their look alone, values of a class that has a label. It serves text that
// has no columns: terminal output, HTTP bodies. It knows forms and checksums and not what a value means, so it finds
// less than a label on the data itself does; and who wants to smuggle a value out can always write it in a way that
// looks like nothing. It says where values are; hiding them is the masker's part.

import { Scan, type ScanSink } from './detect-scan.ts';

/** Offsets in UTF-16 units, `end` behind the last. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/**
 * The values in a text, in order, without overlap, in time linear in its length. A span covers what stands between the
 * characters of its value and is not read, such as control sequences of terminals. Where values overlap there is one
 * span for all of them, under the label of the one that begins first, of two that begin together the longer.
 */
export function detect(text: string): Span[] {
  const found: { start: number; end: number; label: string }[] = [];
  let place = 0;
  const pass = (source: string) => {
    place += source.length;
  };
  const sink: ScanSink = {
    found: () => undefined,
    show: pass,
    drop: pass,
    hide: ({ label }) => found.push({ start: place, end: place, label }),
    swallow: (source) => {
      pass(source);
      const last = found.at(-1);
      if (last) last.end = place;
    },
  };
  new Scan(() => true, sink).end(text);
  return found;
}
