import { StringDecoder } from 'node:string_decoder';
import type { Paints } from '../terminal/output.ts';
import { visible, visibleLines } from '../terminal/visible.ts';

const esc = String.fromCharCode(0x1b);

/** Colours, erasing to the end of the line, and the modes for pasting: a transcript loses nothing without them. */
const unneeded = new RegExp(`${esc}\\[(?:[0-9;:]{0,32}m|[0-2]?K|\\?2004[hl])`, 'g');

/** What may become a line break, or a sequence that is left out, with what comes next. */
const begun = new RegExp(`(?:\\r|${esc}(?:\\[[0-9;:?]{0,32})?)$`);

/** A crafted recording may have output of any number of units. */
const mostStreams = 1024;

interface Stream {
  readonly decoder: StringDecoder;
  held: string;
}

/**
 * What came out of units, and what was typed, as text between the lines of a transcript. Every line of it begins with a
 * bar or a `>`, so that nothing in a recording can pass for what the transcript says itself; nothing in it can steer a
 * terminal.
 */
export class ContentText {
  readonly #paint: Paints;
  readonly #streams = new Map<string, Stream>();
  #last = '';
  #typed = '';
  /** Whether the last line has no line break yet. */
  #open = false;

  constructor(paint: Paints) {
    this.#paint = paint;
  }

  output(unit: number, name: string, data: Uint8Array): string {
    const place = `${name} of unit ${unit}`;
    const heading = this.#turnTo(place);
    const stream = this.#stream(place);
    const all = stream.held + stream.decoder.write(data);
    stream.held = begun.exec(all)?.[0] ?? '';
    const text = all.slice(0, all.length - stream.held.length);
    return heading + this.#lines(text.replaceAll('\r\n', '\n').replace(unneeded, ''));
  }

  /** Bytes that were typed: shown line by line. */
  typed(unit: number, data: Uint8Array): string {
    const place = `input of unit ${unit}`;
    const stream = this.#stream(place);
    const heading = this.#typed === '' ? '' : this.#turnTo(place);
    let shown = heading;
    this.#typed += stream.decoder.write(data);
    const lines = this.#typed.split(/\r\n|\r|\n/);
    this.#typed = lines.pop() ?? '';
    if (this.#typed.length > 4096) lines.push(this.#takeTyped());
    if (lines.length > 0) shown += this.#turnTo(place);
    return shown + lines.map((line) => `${this.#paint.dim('>')} ${visible(line)}\n`).join('');
  }

  /** Ends the line that is open; for what the transcript says itself. */
  close(): string {
    this.#last = '';
    const typed = this.#typed === '' ? '' : `${this.#paint.dim('>')} ${visible(this.#takeTyped())}\n`;
    return this.#endLine() + typed;
  }

  /** All is over: what was held back is shown, too. */
  end(): string {
    let shown = '';
    for (const [place, stream] of this.#streams) {
      const rest = stream.held + stream.decoder.end();
      stream.held = '';
      if (rest === '' || rest === '\r') continue;
      shown += this.#turnTo(place) + this.#lines(rest);
    }
    return shown + this.close();
  }

  #takeTyped(): string {
    const typed = this.#typed;
    this.#typed = '';
    return typed;
  }

  #turnTo(place: string): string {
    if (place === this.#last) return '';
    this.#last = place;
    return `${this.#endLine()}${this.#paint.dim(`-- ${visible(place)}`)}\n`;
  }

  #endLine(): string {
    const ended = this.#open ? '\n' : '';
    this.#open = false;
    return ended;
  }

  #lines(text: string): string {
    if (text === '') return '';
    const bar = `${this.#paint.dim('│')} `;
    const lines = visibleLines(text);
    const last = lines.pop() ?? '';
    let shown = '';
    for (const line of lines) {
      shown += `${this.#open ? '' : bar}${line}\n`;
      this.#open = false;
    }
    if (last !== '') {
      shown += `${this.#open ? '' : bar}${last}`;
      this.#open = true;
    }
    return shown;
  }

  #stream(place: string): Stream {
    const known = this.#streams.get(place);
    if (known) return known;
    const [oldest] = this.#streams.keys();
    if (oldest !== undefined && this.#streams.size >= mostStreams) this.#streams.delete(oldest);
    const stream = { decoder: new StringDecoder('utf8'), held: '' };
    this.#streams.set(place, stream);
    return stream;
  }
}
