/**
 * Buffers for what is made by the hundred KiB, used again by whoever needs one next. To the engine a buffer that large is
 * memory outside of its heap: some thousand of them, each used once, make it collect garbage for nothing else. All work on
 * a chunk happens in one turn of the event loop, so few are enough for all sessions together, and an idle one holds none.
 */

/** Room for what is made of a chunk of 64 KiB, and then some. */
export const spareSize = 98_304;

const most = 4;
const spares: Buffer[] = [];

/** With whatever was in it: only what has been written into it may go anywhere. */
export function takeSpare(): Buffer {
  return spares.pop() ?? Buffer.allocUnsafeSlow(spareSize);
}

/** Of `takeSpare`; nobody may look at it any more. */
export function giveSpare(buffer: Buffer): void {
  if (spares.length < most && buffer.length === spareSize) spares.push(buffer);
}
