import { StringDecoder } from 'node:string_decoder';
import { HttpError } from '../../wire/http/http-error.ts';

/**
 * Cuts Server-Sent Events (HTML, section 9.2.6) into events. However the bytes are split, the events are the same. An
 * event is given as its lines; line ends of any kind are gone.
 */
export class EventStreamSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #most: number;
  #rest = '';
  #lines: string[] = [];
  #size = 0;
  #first = true;

  /** `most`: longest event, in characters. */
  constructor(most: number) {
    this.#most = most;
  }

  push(bytes: Uint8Array): string[][] {
    return this.#take(this.#decoder.write(Buffer.from(bytes)), false);
  }

  /** What was left without the blank line that would end it, too. */
  end(): string[][] {
    const events = this.#take(this.#decoder.end(), true);
    if (this.#rest !== '') this.#lines.push(this.#rest);
    this.#rest = '';
    if (this.#lines.length > 0) events.push(this.#lines);
    this.#lines = [];
    return events;
  }

  #take(text: string, last: boolean): string[][] {
    const events: string[][] = [];
    let all = this.#rest + text;
    // A byte order mark at the beginning is no part of the first line.
    if (this.#first && all !== '') {
      this.#first = false;
      if (all.startsWith('\ufeff')) all = all.slice(1);
    }
    let from = 0;
    for (;;) {
      const at = nextEnd(all, from);
      if (at < 0) break;
      // A carriage return may be half of a line end.
      if (all[at] === '\r' && at === all.length - 1 && !last) break;
      const line = all.slice(from, at);
      from = at + (all.startsWith('\r\n', at) ? 2 : 1);
      this.#size += line.length;
      if (line !== '') this.#lines.push(line);
      else {
        if (this.#lines.length > 0) events.push(this.#lines);
        this.#lines = [];
        this.#size = 0;
      }
    }
    this.#rest = all.slice(from);
    if (this.#size + this.#rest.length > this.#most) {
      throw new HttpError('response_too_large', 'The target sent an event that is too large to be masked.');
    }
    return events;
  }
}

function nextEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x0d) return at;
  }
  return -1;
}

/** One event with all of its texts mapped; its data, which may be on several lines, as one text. */
export function mapEvent(
  lines: readonly string[],
  map: { data(text: string): string; other(text: string): string },
): string {
  const written: string[] = [];
  const data: string[] = [];
  let dataAt = -1;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') {
      if (dataAt < 0) dataAt = written.push('') - 1;
      data.push(value);
    } else written.push(`${name}:${name === '' ? '' : ' '}${map.other(value)}`);
  }
  if (dataAt >= 0) {
    const text = map.data(data.join('\n'));
    written[dataAt] = text
      .split(/\r\n|\r|\n/)
      .map((line) => `data: ${line}`)
      .join('\n');
  }
  return `${written.join('\n')}\n\n`;
}
