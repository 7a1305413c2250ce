import type { Readable } from 'node:stream';
import { HttpError } from './http-error.ts';

export interface BodyBounds {
  readonly bytes: number;
  /** Longest wait for the next piece, in milliseconds. */
  readonly time: number;
  /** As the head says, where it does. */
  readonly announced?: string | undefined;
}

/** A body as it comes, within bounds. Whatever breaks it off is an `HttpError`. `begin` is called when reading begins. */
export async function* boundedBody(source: Readable, bounds: BodyBounds, begin: () => void): AsyncIterable<Uint8Array> {
  const tooLarge = (): HttpError => new HttpError('body_too_large', `The body is larger than ${bounds.bytes} bytes.`);
  if (Number(bounds.announced ?? 0) > bounds.bytes) throw tooLarge();
  begin();
  let total = 0;
  let late = false;
  const pieces = source.iterator({ destroyOnReturn: false });
  for (;;) {
    const timer = setTimeout(() => {
      late = true;
      source.destroy(new Error('the body stands still'));
    }, bounds.time);
    timer.unref();
    let next: IteratorResult<Uint8Array>;
    try {
      next = await pieces.next();
    } catch (cause) {
      if (late) throw new HttpError('timeout', 'The body of the request stopped coming.', { cause });
      throw new HttpError('client_gone', 'The client broke the request off.', { cause });
    } finally {
      clearTimeout(timer);
    }
    if (next.done) return;
    total += next.value.length;
    if (total > bounds.bytes) throw tooLarge();
    yield next.value;
  }
}

/** All of a body, when its size is bounded. */
export async function wholeBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}
