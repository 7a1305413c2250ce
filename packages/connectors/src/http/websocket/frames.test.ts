import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closeFrame, type Message, MessageReader, writeFrame } from './frames.ts';

const key = Buffer.from([1, 2, 3, 4]);

function read(from: 'client' | 'target', chunks: readonly Uint8Array[]): Message[] {
  const reader = new MessageReader(from, 100_000);
  return chunks.flatMap((chunk) => reader.push(chunk));
}

const message = fc.oneof(
  fc.record({
    kind: fc.constantFrom('text' as const),
    data: fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  }),
  fc.record({
    kind: fc.constantFrom('binary' as const),
    data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({
    kind: fc.constantFrom('ping' as const, 'pong' as const),
    data: fc.uint8Array({ maxLength: 125 }).map((bytes) => Buffer.from(bytes)),
  }),
);

describe('frames', () => {
  test('read back as what was written, however they are split', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (messages, client, sizes) => {
          const bytes = Buffer.concat(
            messages.map(({ kind, data }) => writeFrame(kind, data, client ? key : undefined)),
          );
          const chunks: Buffer[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = sizes[i % sizes.length] ?? 1;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(read(client ? 'client' : 'target', chunks)).toEqual(messages);
        },
      ),
    );
  });

  test('in parts are one message, with control frames between them', () => {
    const parts = [
      Buffer.from([0x01, 2, 0x61, 0xc3]),
      writeFrame('ping', Buffer.from('p')),
      Buffer.from([0x80, 1, 0xa4]),
    ];
    expect(read('target', parts)).toEqual([
      { kind: 'ping', data: Buffer.from('p') },
      { kind: 'text', data: Buffer.from('aä') },
    ]);
  });

  test('of every length have the shortest head', () => {
    for (const length of [0, 125, 126, 65_535, 65_536, 70_000]) {
      expect(read('target', [writeFrame('binary', Buffer.alloc(length))])).toEqual([
        { kind: 'binary', data: Buffer.alloc(length) },
      ]);
    }
  });

  test('that close have a code and a reason', () => {
    expect(read('target', [closeFrame(1000, 'bye')])).toEqual([{ kind: 'close', code: 1000, reason: 'bye' }]);
    expect(read('target', [closeFrame(1005, '')])).toEqual([{ kind: 'close', code: 1005, reason: '' }]);
    const [long] = read('target', [closeFrame(1008, 'ä'.repeat(200))]);
    expect(long).toMatchObject({ code: 1008, reason: expect.stringMatching(/^ä{50,62}$/) });
  });

  test.each<[string, 'client' | 'target', number[]]>([
    ['without a mask from a client', 'client', [0x81, 1, 0x61]],
    ['with a mask from a target', 'target', [0x81, 0x81, 0, 0, 0, 0, 0x61]],
    ['with a reserved bit', 'target', [0xc1, 1, 0x61]],
    ['of an unknown kind', 'target', [0x83, 0]],
    ['of an unknown control kind', 'target', [0x8b, 0]],
    ['that continue nothing', 'target', [0x80, 0]],
    ['that begin within another', 'target', [0x01, 1, 0x61, 0x81, 1, 0x61]],
    ['of control in parts', 'target', [0x09, 0]],
    ['of control that are long', 'target', [0x89, 126, 0, 126]],
    ['with a length in more bytes than it takes', 'target', [0x82, 126, 0, 5]],
    ['with a length in eight bytes that needs two', 'target', [0x82, 127, 0, 0, 0, 0, 0, 0, 1, 0]],
    ['with a length beyond all', 'target', [0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['that are larger than may be', 'target', [0x82, 127, 0, 0, 0, 0, 0, 2, 0, 0]],
    ['of text that is no UTF-8', 'target', [0x81, 1, 0xff]],
    ['that close with one byte', 'target', [0x88, 1, 3]],
    ['that close with a code that nobody sends', 'target', [0x88, 2, 3, 0xed]],
    ['that close with a reason that is no UTF-8', 'target', [0x88, 3, 3, 0xe8, 0xff]],
  ])('%s are refused', (_name, from, bytes) => {
    expect(() => read(from, [Buffer.from(bytes)])).toThrow();
    // However they come in.
    expect(() =>
      read(
        from,
        bytes.map((byte) => Buffer.from([byte])),
      ),
    ).toThrow();
  });
});
