import { CoreError } from '@sluice/core/domain/error.ts';

const lf = 0x0a;
const cr = 0x0d;

/**
 * Cuts a program's output into lines, in whatever pieces it comes: MCP's stdio transport has one message per line and no
 * line break inside one. Empty lines are skipped. Throws `upstream_protocol` for a line of more than `most` bytes, and
 * for whatever comes after it.
 */
export class LineReader {
  readonly #most: number;
  #parts: Uint8Array[] = [];
  #length = 0;
  #broken: CoreError | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  push(bytes: Uint8Array): Uint8Array[] {
    if (this.#broken) throw this.#broken;
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let at = bytes.indexOf(lf); at >= 0; at = bytes.indexOf(lf, start)) {
      this.#keep(bytes.subarray(start, at));
      const line = this.#take();
      if (line.length > 0) lines.push(line);
      start = at + 1;
    }
    if (start < bytes.length) this.#keep(bytes.slice(start));
    return lines;
  }

  #keep(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > this.#most) {
      this.#parts = [];
      this.#broken = new CoreError('upstream_protocol', 'upstream', 'The target sent more than a message may have.', {
        detail: `a line of more than ${this.#most} bytes`,
      });
      throw this.#broken;
    }
    this.#parts.push(bytes);
  }

  #take(): Uint8Array {
    const line = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      line.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    return line.at(-1) === cr ? line.subarray(0, -1) : line;
  }
}
