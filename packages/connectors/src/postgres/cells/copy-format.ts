import type { ByteWriter } from '../../wire/byte-writer.ts';
import type { CopyMeaning } from '../meaning/statement.ts';

/** How COPY writes one item (a row, a header, a trailer) and how a labelled field in it is replaced. */
export interface CopyFormat {
  /**
   * Looks for the end of the item that begins at the start of `bytes`, beginning at `from`, where the last call for
   * this item stopped. Returns the index after the item, or -1 when more bytes are needed.
   */
  scan(bytes: Buffer, from: number): number;
  /** How far the last scan got: where the next one goes on. */
  readonly scanned: number;
  /** The item with its labelled fields masked. Called for every item once, in order. */
  mask(item: Buffer): Buffer;
  /**
   * Scans and masks in one go what lies between `start` and `end`, where that is one whole row and nothing unusual stands
   * in it; else returns false, with nothing written and nothing changed. Only to be called where an item begins.
   */
  row?(bytes: Buffer, start: number, end: number, to: ByteWriter): boolean;
  /** Throws `RangeError` unless the stream may end here. */
  end(): void;
}

/** The options of the statement that gave rise to the stream, as PostgreSQL's documentation of COPY has them. */
export type CopyOptions = Pick<CopyMeaning, 'format' | 'delimiter' | 'nullText' | 'quote' | 'escape' | 'header'>;

/** The server accepts only characters of one byte for delimiter, quote and escape. */
export function singleByte(option: string, text: string): number {
  const code = text.charCodeAt(0);
  if (text.length !== 1 || code > 127) throw new RangeError(`COPY ${option} must be one single-byte character`);
  return code;
}

/**
 * Whether a plain mask (see `PlainMask`) reads as itself among these: none of them is a character that it may consist of,
 * and it is none of the texts that stand for something.
 */
export function readsPlain(...texts: readonly string[]): boolean {
  return texts.every((text) => text === '' || /[^0-9A-Za-z#*@.]/.test(text));
}

/** For `row`: takes back what was written since. */
export function declined(to: ByteWriter, begun: number): false {
  to.wrote(begun);
  return false;
}

export const newline = 0x0a;
