import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventStreamSplitter, mapEvent } from './event-stream.ts';
import { LineSplitter } from './line-splitter.ts';

/** The bytes in pieces of these sizes, again and again. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const text = fc
  .array(
    fc.constantFrom(
      'data: x',
      'data:',
      'event: y',
      ': c',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      'é',
      '\u{1f600}',
      'a:b',
      '\ufeff',
    ),
    {
      maxLength: 30,
    },
  )
  .map((parts) => parts.join(''));

describe('an event stream', () => {
  const events = (chunks: readonly Buffer[]): string[][] => {
    const splitter = new EventStreamSplitter(10_000);
    return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
  };

  test('has the same events however it is split', () => {
    fc.assert(
      fc.property(text, sizes, (source, cut) => {
        const bytes = Buffer.from(source);
        expect(events(pieces(bytes, cut))).toEqual(events([bytes]));
      }),
      { numRuns: 1_000 },
    );
  });

  test('is what the standard says', () => {
    const source = '\ufeffdata: a\r\ndata:b\r\r: comment\ndata\n\nid: 7\nevent: e\ndata:  c\n\ndata: left';
    const seen = events([Buffer.from(source)]);
    expect(seen).toEqual([
      ['data: a', 'data:b'],
      [': comment', 'data'],
      ['id: 7', 'event: e', 'data:  c'],
      ['data: left'],
    ]);
    const same = { data: (each: string) => each.toUpperCase(), other: (each: string) => each };
    expect(seen.map((lines) => mapEvent(lines, same))).toEqual([
      'data: A\ndata: B\n\n',
      ':comment\ndata: \n\n',
      'id: 7\nevent: e\ndata:  C\n\n',
      'data: LEFT\n\n',
    ]);
  });

  test('has no way for a mask to begin another field or event', () => {
    const evil = { data: () => 'a\n\nevent: b\r\ndata: c', other: (each: string) => each };
    expect(mapEvent(['data: x'], evil)).toBe('data: a\ndata: \ndata: event: b\ndata: data: c\n\n');
  });

  test('ends with an error for an event that is too large', () => {
    const splitter = new EventStreamSplitter(100);
    expect(() => {
      for (let i = 0; i < 50; i++) splitter.push(Buffer.from('data: xxxx\n'));
    }).toThrow(expect.objectContaining({ code: 'response_too_large' }));
    expect(() => new EventStreamSplitter(100).push(Buffer.alloc(101, 0x61))).toThrow();
  });
});

describe('lines', () => {
  const lines = (chunks: readonly Buffer[]): string[] => {
    const splitter = new LineSplitter(10_000);
    return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()].map(String);
  };

  test('are the same however they are split, and nothing is lost', () => {
    fc.assert(
      fc.property(text, sizes, (source, cut) => {
        const bytes = Buffer.from(source);
        const split = lines(pieces(bytes, cut));
        expect(split).toEqual(lines([bytes]));
        expect(split.join('')).toBe(bytes.toString());
      }),
    );
  });

  test('end with an error when one is too large', () => {
    expect(() => new LineSplitter(10).push(Buffer.from('01234567890\n'))).toThrow();
    expect(() => new LineSplitter(10).push(Buffer.from('01234567890'))).toThrow();
  });
});
