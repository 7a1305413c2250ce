import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framesOf, sampleRecording, testKey } from '../../../../test/harness/recording.ts';
import { lengthBase, maxPayload } from './format.ts';
import { FrameReader, type ReaderItem } from './frame-reader.ts';

const original = sampleRecording(testKey());

/** Items in a comparable form. */
function read(bytes: Uint8Array, cuts: readonly number[] = []): unknown[] {
  const reader = new FrameReader();
  const items: unknown[] = [];
  const drain = (): void => {
    for (let item = reader.next(); item; item = reader.next()) items.push(plain(item));
  };
  let at = 0;
  for (const cut of [...cuts.map((part) => part % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    reader.push(bytes.slice(at, cut));
    at = cut;
    drain();
  }
  reader.finish();
  drain();
  return items;
}

function plain(item: ReaderItem): unknown {
  if (item.kind !== 'frame') return item;
  return { offset: item.frame.offset, type: item.frame.type, hashed: Buffer.from(item.frame.hashed).toString('hex') };
}

describe('the frame reader', () => {
  it('reads the same items from any cutting of an intact recording', () => {
    const whole = read(original);
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        expect(read(original, cuts)).toEqual(whole);
      }),
    );
  });

  it('reads the same items from any cutting of a damaged recording', () => {
    const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(edits, fc.array(fc.nat()), fc.nat(40), (changes, cuts, zeros) => {
        const bytes = new Uint8Array(original.length + zeros);
        bytes.set(original);
        for (const [at, value] of changes) bytes[at] = value;
        expect(read(bytes, cuts)).toEqual(read(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the views it gave out intact while it reads on', () => {
    const reader = new FrameReader();
    const kept: { view: Uint8Array; copy: Uint8Array }[] = [];
    for (let at = 0; at < original.length; at += 11) {
      reader.push(original.slice(at, at + 11));
      for (let item = reader.next(); item; item = reader.next()) {
        if (item.kind === 'frame') kept.push({ view: item.frame.hashed, copy: item.frame.hashed.slice() });
      }
    }
    expect(kept.length).toBe(framesOf(original).length);
    for (const { view, copy } of kept) expect(view).toEqual(copy);
  });

  it('covers every byte of any input exactly once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, behind) => {
        const bytes = behind ? new Uint8Array(Buffer.concat([original, noise])) : noise;
        let at = bytes.length >= 12 && Buffer.compare(bytes.subarray(0, 12), original.subarray(0, 12)) === 0 ? 12 : 0;
        for (const item of read(bytes) as { offset: number; bytes?: number; hashed?: string }[]) {
          expect(item.offset).toBe(at);
          at += item.bytes ?? (item.hashed ?? '').length / 2 + 4;
        }
        expect(at).toBe(bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  it('does not believe a length: it waits without taking memory, and goes on behind it', () => {
    const { start, end } = framesOf(original)[3]!;
    const bytes = original.slice();
    new DataView(bytes.buffer).setUint32(start, lengthBase + maxPayload);
    expect(read(bytes)).toContainEqual({ kind: 'damage', offset: start, bytes: end - start, reason: 'length' });
  });

  it('gives up on a file made of false beginnings before that gets expensive', () => {
    const bytes = new Uint8Array(2 * 1024 * 1024);
    bytes.set(original.subarray(0, 12));
    const view = new DataView(bytes.buffer);
    for (let at = 12; at + 64 < bytes.length; at += 16) {
      view.setUint32(at, Math.min(1024 * 1024, bytes.length - at - 8));
      bytes[at + 4] = 2;
    }
    expect(read(bytes)).toContainEqual(expect.objectContaining({ kind: 'damage', reason: 'too_damaged' }));
  });
});
