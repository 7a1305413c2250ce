/**
 * Text for a terminal: colours where there is one that shows them, and data from elsewhere made harmless. It lays nothing
 * out (that is layout.ts) and writes nothing itself.
 */
import type { WriteStream } from 'node:tty';

type Paint = (text: string) => string;

export interface Ink {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
}

/** Colours where the stream is a terminal that shows them; elsewhere the text as it is. */
export function ink(stream: NodeJS.WritableStream): Ink {
  // `hasColors` knows NO_COLOR, FORCE_COLOR and TERM; streams that are no terminals don't have it.
  const coloured = (stream as Partial<WriteStream>).hasColors?.() ?? false;
  const paint =
    (open: number, close: number): Paint =>
    (text) =>
      coloured ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    blue: paint(34, 39),
  };
}

/** Text from elsewhere (data, error messages) for a terminal: what could steer it or mislead the eye is spelled out. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => {
    if (sign === '\n') return sign;
    return `\\u{${sign.codePointAt(0)?.toString(16)}}`;
  });
}
