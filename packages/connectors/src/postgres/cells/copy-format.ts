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

export const newline = 0x0a;
