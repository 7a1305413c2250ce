import { HttpError } from '../../wire/http/http-error.ts';

/** Cuts a stream into lines, each with its line feed but perhaps the last. However it is split, the lines are the same. */
export class LineSplitter {
  readonly #most: number;
  #pieces: Uint8Array[] = [];
  #size = 0;

  /** `most`: longest line, in bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  push(bytes: Uint8Array): Buffer[] {
    const lines: Buffer[] = [];
    let from = 0;
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, from)) {
      lines.push(Buffer.concat([...this.#pieces, bytes.subarray(from, at + 1)]));
      this.#pieces = [];
      this.#size = 0;
      from = at + 1;
    }
    const rest = bytes.subarray(from);
    if (rest.length > 0) {
      // Copied, for the bytes are the caller's.
      this.#pieces.push(Buffer.from(rest));
      this.#size += rest.length;
    }
    if (this.#size > this.#most || lines.some((line) => line.length > this.#most)) {
      throw new HttpError('response_too_large', 'The target sent a line that is too large to be masked.');
    }
    return lines;
  }

  end(): Buffer[] {
    const rest = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#size = 0;
    return rest.length > 0 ? [rest] : [];
  }
}
