import type { Link } from '@sluice/core/contract/link.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkDuplex } from './duplex.ts';

/** One end of a connection, with the other end in the test's hands. */
class Wire implements Link {
  readonly remote = 'test:1';
  readonly loopback = true;
  readonly secure = false;
  readonly written: Buffer[] = [];
  flowing = true;
  paused = false;
  ended = false;
  destroyed = false;
  data: (chunk: Uint8Array) => void = () => {};
  closed: (error?: Error) => void = () => {};
  drained: () => void = () => {};

  onData(callback: (chunk: Uint8Array) => void): void {
    this.data = callback;
  }
  onClose(callback: (error?: Error) => void): void {
    this.closed = callback;
  }
  onDrain(callback: () => void): void {
    this.drained = callback;
  }
  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes));
    return this.flowing;
  }
  cork(): void {}
  uncork(): void {}
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

async function all(stream: LinkDuplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('a link as a stream', () => {
  it('gives what was unread, then what comes, in whatever pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.array(fc.uint8Array({ minLength: 1 })), async (unread, chunks) => {
        const wire = new Wire();
        const stream = new LinkDuplex(wire, unread);
        const read = all(stream);
        for (const chunk of chunks) wire.data(chunk);
        wire.closed();
        expect(await read).toEqual(Buffer.concat([unread, ...chunks]));
      }),
      { numRuns: 50 },
    );
  });

  it('pauses the link while nobody reads, and goes on', async () => {
    const wire = new Wire();
    const stream = new LinkDuplex(wire);
    wire.data(Buffer.alloc(1024 * 1024));
    expect(wire.paused).toBe(true);
    const read = all(stream);
    await new Promise((resolve) => setImmediate(resolve));
    expect(wire.paused).toBe(false);
    wire.closed();
    expect((await read).length).toBe(1024 * 1024);
  });

  it('waits for a slow other side', async () => {
    const wire = new Wire();
    const stream = new LinkDuplex(wire);
    wire.flowing = false;
    let done = false;
    stream.write('one', () => {
      done = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    const finished = new Promise<void>((resolve) => stream.end('two', resolve));
    wire.flowing = true;
    wire.drained();
    await finished;
    expect(Buffer.concat(wire.written).toString()).toBe('onetwo');
    expect(wire.ended).toBe(true);
  });

  it('fails a write that the closing left unfinished, and any after it', async () => {
    const wire = new Wire();
    const stream = new LinkDuplex(wire);
    stream.on('error', () => {});
    wire.flowing = false;
    const failed = new Promise((resolve) => stream.write('one', resolve));
    wire.closed();
    expect(await failed).toBeInstanceOf(Error);
    expect(await new Promise((resolve) => stream.write('late', resolve))).toBeInstanceOf(Error);
  });

  it('ends with the link’s error, and destroys the link when it is destroyed', async () => {
    const wire = new Wire();
    const stream = new LinkDuplex(wire);
    const failed = new Promise((resolve) => stream.once('error', resolve));
    wire.closed(new Error('reset'));
    expect(await failed).toMatchObject({ message: 'reset' });
    expect(wire.destroyed).toBe(true);
  });
});
