import { CoreError } from '@sluice/core/domain/error.ts';

/** One event of a stream; an event without data is none. */
export interface SseEvent {
  /** `message` where the stream names no other. */
  readonly event: string;
  readonly data: string;
}

const lf = 0x0a;
const cr = 0x0d;
const colon = 0x3a;

/**
 * Reads a stream of Server-Sent Events (WHATWG HTML section 9.2.6), in whatever pieces it comes. Ids and retry times are
 * not read: a stream is never resumed. Throws `upstream_protocol` when an event is larger than `most` bytes, or its text
 * is no UTF-8, and again for whatever comes after that.
 */
export class SseReader {
  readonly #most: number;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** Bytes of the line that is not over. */
  #line: Uint8Array[] = [];
  #lineBytes = 0;
  #eventBytes = 0;
  #data: string[] = [];
  #event = '';
  #afterCr = false;
  #first = true;
  #broken: CoreError | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** Events that are complete with these bytes. What is left open when the stream ends is dropped, as the standard says. */
  push(bytes: Uint8Array): SseEvent[] {
    if (this.#broken) throw this.#broken;
    const events: SseEvent[] = [];
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === lf && this.#afterCr && at === start) {
        // The second half of a CR LF.
        this.#afterCr = false;
        start = at + 1;
        continue;
      }
      this.#afterCr = false;
      if (byte !== lf && byte !== cr) continue;
      this.#keep(bytes.subarray(start, at));
      this.#endLine(events);
      this.#afterCr = byte === cr;
      start = at + 1;
    }
    if (start < bytes.length) this.#keep(bytes.slice(start));
    return events;
  }

  #keep(bytes: Uint8Array): void {
    this.#lineBytes += bytes.length;
    this.#eventBytes += bytes.length;
    if (this.#eventBytes > this.#most) this.#fail('an event is larger than the limit');
    if (bytes.length > 0) this.#line.push(bytes);
  }

  #endLine(events: SseEvent[]): void {
    const line = concat(this.#line, this.#lineBytes);
    this.#line = [];
    this.#lineBytes = 0;
    const bom = this.#first && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf;
    this.#first = false;
    const bytes = bom ? line.subarray(3) : line;
    if (bytes.length === 0) {
      this.#dispatch(events);
      return;
    }
    const at = bytes.indexOf(colon);
    if (at === 0) {
      // Comments keep a stream alive; they are no part of an event.
      this.#eventBytes -= bytes.length;
      return;
    }
    const name = this.#text(at < 0 ? bytes : bytes.subarray(0, at));
    const from = at < 0 ? bytes.length : bytes[at + 1] === 0x20 ? at + 2 : at + 1;
    if (name === 'data') this.#data.push(this.#text(bytes.subarray(from)));
    else if (name === 'event') this.#event = this.#text(bytes.subarray(from));
  }

  #dispatch(events: SseEvent[]): void {
    if (this.#data.length > 0) events.push({ event: this.#event || 'message', data: this.#data.join('\n') });
    this.#data = [];
    this.#event = '';
    this.#eventBytes = 0;
  }

  #text(bytes: Uint8Array): string {
    try {
      return this.#utf8.decode(bytes);
    } catch {
      return this.#fail('the text is no UTF-8');
    }
  }

  #fail(why: string): never {
    this.#broken = new CoreError('upstream_protocol', 'upstream', 'The target sent a stream that makes no sense.', {
      detail: `server-sent events: ${why}`,
    });
    this.#line = [];
    throw this.#broken;
  }
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
