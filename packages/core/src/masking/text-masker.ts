import type { CellMasker } from '../contract/labels.ts';
import { isQuiet, isQuietLine } from './detect-quiet.ts';
import { mostHeld, Scan, type ScanSink } from './detect-scan.ts';
import { mark, redacted } from './sentinel.ts';

export interface TextMaskerOptions {
  readonly masker: CellMasker;
  /** Whether values under the label must not be shown. */
  readonly hidden: (label: string) => boolean;
}

export interface MaskedText {
  readonly text: string;
  /** Labels of the values that were found, shown or not; sorted. */
  readonly labels: readonly string[];
  /** Whether any of it was hidden. */
  readonly masked: boolean;
}

export interface TextMasker {
  /** The text with what is detected in it masked. It is one text: nothing is carried over to the next call. */
  mask(text: string): MaskedText;
  /** True only where `mask` of that part of the text would find nothing; without making a text of it. */
  quiet?(text: string, from: number, to: number): boolean;
}

export function createTextMasker(options: TextMaskerOptions): TextMasker {
  return {
    quiet: isQuietLine,
    mask(text) {
      // Most texts are.
      if (isQuiet(text)) return { text, labels: [], masked: false };
      const writer = new MaskWriter(options.masker);
      const scan = new Scan(options.hidden, writer);
      // Line by line, those without any sign of a value are passed over; what is longer than a scan may hold is given in
      // one piece that is final from the start, so that nothing is held of it.
      if (text.length <= mostHeld) scan.push(text);
      scan.end(text.length <= mostHeld ? '' : text);
      return { text: writer.take(), labels: [...writer.labels].sort(), masked: writer.masked };
    },
  };
}

/** Colours and weights of text (SGR, ECMA-48 section 8.3.117), with parameters as short as they can be. */
const style = new RegExp(`${String.fromCharCode(0x1b)}\\[(?:\\d{0,3}[;:]){0,8}\\d{0,3}m`, 'g');

/** Writes what a scan says, with a mask in place of each hidden value. */
export class MaskWriter implements ScanSink {
  readonly labels = new Set<string>();
  masked = false;
  readonly #masker: CellMasker;
  #parts: string[] = [];

  constructor(masker: CellMasker) {
    this.#masker = masker;
  }

  /** What has been written since it was last asked for. */
  take(): string {
    const text = this.#parts.join('');
    this.#parts = [];
    return text;
  }

  found(label: string): void {
    this.labels.add(label);
  }

  show(source: string): void {
    this.#parts.push(source);
  }

  hide({ label, value, partly }: { label: string; value: string; partly: boolean }): void {
    this.masked = true;
    // Behind a beginning that was shown, a partial mask would show another part.
    if (partly) this.#parts.push(mark);
    // A text has no NULL.
    else this.#parts.push(this.#masker.mask([label], { kind: 'text' }, value) ?? redacted);
  }

  swallow(source: string): void {
    // Text that follows a coloured value would otherwise stay coloured.
    for (const { 0: sequence } of source.matchAll(style)) this.#parts.push(sequence);
  }

  drop(): void {
    this.masked = true;
  }
}
