import { Scan } from './detect-scan.ts';
import { ByteDecoder, encodeText } from './stream-text.ts';
import { MaskWriter, type TextMaskerOptions } from './text-masker.ts';

/**
 * Masks what is detected in a stream of bytes, UTF-8 with anything in between; what is not masked comes out as the
 * bytes it was. Masks one stream, in one direction.
 *
 * However the stream is split, the masked stream is the same: bytes are held while what they could be depends on the
 * ones that follow. That is at most a few thousand characters (a private key and a long token are not held; they are
 * hidden as they come), and mostly the last word: a line is whole with its line break, and a prompt that ends in `$ `
 * or `# ` comes out at once. What would take more than 256 Ki characters to decide, because of invisible ones between,
 * comes out masked.
 *
 * A word at the end of a prompt would wait for whoever is to answer it. So the owner calls `idle` when nothing has come
 * for a moment (some 20 ms): words come out, while what is already telling (six digits, `jane@exam`, `ghp_`, the value
 * behind `password=`) is held until more comes, be it the echo of a key. The price: of a value that comes in parts with
 * pauses between them, what is no more than a word or a few digits before a pause is shown; if the value is recognised
 * in the end, the rest of it is hidden. Where nobody waits, as in HTTP bodies, `idle` should not be called.
 */
export class StreamMasker {
  readonly #decoder = new ByteDecoder();
  readonly #writer: MaskWriter;
  readonly #scan: Scan;
  /** Bytes of an unfinished character that were let out at a pause. */
  #early: Uint8Array = new Uint8Array(0);

  constructor({ masker, hidden }: TextMaskerOptions) {
    this.#writer = new MaskWriter(masker);
    this.#scan = new Scan(hidden, this.#writer);
  }

  /** Labels of the values found so far, shown or not; sorted. */
  get labels(): readonly string[] {
    return [...this.#writer.labels].sort();
  }

  /** Whether anything was hidden so far. */
  get masked(): boolean {
    return this.#writer.masked;
  }

  push(bytes: Uint8Array): Uint8Array {
    this.#scan.push(this.#decoder.push(bytes));
    return this.#take();
  }

  idle(): Uint8Array {
    this.#scan.pause();
    const shown = this.#take();
    // What talks in bytes of its own may have stopped in what looks like the middle of a character. It is read as one
    // all the same when its rest comes, so that a value is recognised that a pause has torn there.
    if (!this.#scan.clear || this.#decoder.rest.length <= this.#early.length) return shown;
    const more = this.#decoder.rest.subarray(this.#early.length);
    this.#early = this.#decoder.rest.slice();
    const both = new Uint8Array(shown.length + more.length);
    both.set(shown);
    both.set(more, shown.length);
    return both;
  }

  /** The stream is over. */
  end(): Uint8Array {
    this.#scan.end(this.#decoder.end());
    return this.#take();
  }

  /** What was written, without the bytes at its beginning that are out already. */
  #take(): Uint8Array {
    const bytes = encodeText(this.#writer.take());
    if (bytes.length === 0) return bytes;
    const early = this.#early;
    this.#early = new Uint8Array(0);
    // A mask does not begin with them: then half a character stays before it.
    return early.every((byte, at) => bytes[at] === byte) ? bytes.subarray(early.length) : bytes;
  }
}
