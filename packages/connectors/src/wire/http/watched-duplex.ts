import { LinkDuplex } from '../duplex.ts';

/** Tells of every byte that comes in, so that whoever is slow can be told from whoever waits. */
export class WatchedDuplex extends LinkDuplex {
  onBytes?: () => void;

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk !== null) this.onBytes?.();
    return super.push(chunk, encoding);
  }
}
