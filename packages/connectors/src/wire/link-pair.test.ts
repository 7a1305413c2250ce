import type { Link } from '@sluice/core/contract/link.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linkPair } from './link-pair.ts';

/** Everything that comes until the link closes. */
function all(link: Link): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  return new Promise((resolve) => {
    link.onData((chunk) => parts.push(chunk));
    link.onClose(() => resolve(Buffer.concat(parts)));
  });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a pair of links', () => {
  test('brings any bytes, however they are split, in order and whole, both ways', async () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 0, maxLength: 50 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(chunks, chunks, async (there, back) => {
        const { near, far } = linkPair('test');
        const [atFar, atNear] = [all(far), all(near)];
        for (const chunk of back) far.write(chunk);
        for (const chunk of there) near.write(chunk);
        await turn();
        near.end();
        expect(await atFar).toEqual(Buffer.concat(there));
        expect(await atNear).toEqual(Buffer.concat(back));
      }),
    );
  });

  test('tells nothing before the turn in which it was handed over has ended', async () => {
    const { near, far } = linkPair('test');
    let heard = false;
    near.write(Buffer.from('x'));
    far.onData(() => {
      heard = true;
    });
    await Promise.resolve();
    expect(heard).toBe(false);
    await turn();
    await turn();
    expect(heard).toBe(true);
  });

  test('keeps what comes while nobody listens, and while paused', async () => {
    const { near, far } = linkPair('test');
    near.write(Buffer.from('a'));
    await turn();
    far.pause();
    const got: string[] = [];
    far.onData((chunk) => got.push(Buffer.from(chunk).toString()));
    near.write(Buffer.from('b'));
    await turn();
    await turn();
    expect(got).toEqual([]);
    far.resume();
    await turn();
    expect(got).toEqual(['a', 'b']);
  });

  test('pauses the writer of a slow reader, and tells it when there is room', async () => {
    const { near, far } = linkPair('test');
    far.pause();
    far.onData(() => {});
    let drained = 0;
    near.onDrain(() => drained++);
    const chunk = Buffer.alloc(100_000);
    expect([1, 2, 3, 4].map(() => near.write(chunk))).toEqual([true, true, false, false]);
    await turn();
    expect(drained).toBe(0);
    far.resume();
    await turn();
    expect(drained).toBe(1);
    expect(near.write(chunk)).toBe(true);
  });

  test.each(['end', 'destroy'] as const)(
    'closes both sides once by %s, however often, from either side',
    async (how) => {
      for (const side of ['near', 'far'] as const) {
        const pair = linkPair('test');
        const closed: string[] = [];
        pair.near.onData(() => {});
        pair.far.onData(() => {});
        pair.near.onClose(() => closed.push('near'));
        pair.far.onClose(() => closed.push('far'));
        pair[side][how]();
        pair[side][how]();
        pair.near.destroy();
        await turn();
        await turn();
        expect(closed.sort()).toEqual(['far', 'near']);
        expect(pair.near.write(Buffer.from('late'))).toBe(true);
        const late = new Promise<void>((resolve) => pair.far.onClose(() => resolve()));
        await late;
      }
    },
  );

  test('has no TLS', async () => {
    const { far } = linkPair('test');
    expect([far.canTls, far.secure, far.loopback, far.channelBinding()]).toEqual([false, false, true, undefined]);
    await expect(far.startTls({})).rejects.toMatchObject({ code: 'client_protocol' });
  });
});
