import { LinkDuplex } from '../duplex.ts';

/** Tells of every byte that comes in, so that whoever is slow can be told from whoever waits; and of more, if asked. */
export class WatchedDuplex extends LinkDuplex {
  onBytes?: () => void;
  onSent?: (bytes: Uint8Array) => void;
  /** The link is closed, although there may be bytes of it that nobody has read. */
  onGone?: () => void;

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk !== null) this.onBytes?.();
    const more = super.push(chunk, encoding);
    if (chunk === null) this.onGone?.();
    return more;
  }

  override _write(chunk: Uint8Array, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.onSent?.(chunk);
    super._write(chunk, encoding, done);
  }

  override _writev(
    chunks: readonly { readonly chunk: Uint8Array; readonly encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    if (this.onSent) for (const { chunk } of chunks) this.onSent(chunk);
    super._writev(chunks, done);
  }
}
