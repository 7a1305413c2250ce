import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Framer, FramingError, type Treatment } from './framer.ts';

interface Seen {
  readonly frames: { type: number; body: string }[];
  readonly pieces: { type: number; bytes: string }[];
  readonly oversized: { type: number; length: number }[];
}

function run(chunks: readonly Buffer[], treat: (type: number, length: number) => Treatment = () => 'keep'): Seen {
  const seen: Seen = { frames: [], pieces: [], oversized: [] };
  const framer = new Framer(treat, {
    frame: (type, frame) => seen.frames.push({ type, body: frame.toString('hex') }),
    piece: (type, bytes, first) => {
      if (first) seen.pieces.push({ type, bytes: '' });
      seen.pieces.at(-1)!.bytes += bytes.toString('hex');
    },
    oversized: (type, length) => seen.oversized.push({ type, length }),
  });
  for (const chunk of chunks) framer.push(chunk);
  return seen;
}

function message(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => (bytes.length === 0 ? 0 : cut % bytes.length)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

const messages = fc.array(fc.tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 40 })), {
  maxLength: 12,
});
const cuts = fc.array(fc.nat(), { maxLength: 20 });

describe('cutting a stream into messages', () => {
  it('gives the same messages for any split of the stream', () => {
    fc.assert(
      fc.property(messages, cuts, (list, at) => {
        const whole = Buffer.concat(list.map(([type, body]) => message(type, Buffer.from(body))));
        const seen = run(split(whole, at));
        expect(seen.frames).toEqual(
          list.map(([type, body]) => ({ type, body: message(type, Buffer.from(body)).toString('hex') })),
        );
      }),
    );
  });

  it('passes a streamed message on byte for byte, and drops a skipped one, whatever the split', () => {
    fc.assert(
      fc.property(messages, cuts, (list, at) => {
        const treat = (type: number): Treatment => (type % 3 === 0 ? 'stream' : type % 3 === 1 ? 'skip' : 'keep');
        const whole = Buffer.concat(list.map(([type, body]) => message(type, Buffer.from(body))));
        const seen = run(split(whole, at), treat);
        const of = (rest: number) =>
          list
            .filter(([type]) => type % 3 === rest)
            .map(([type, body]) => message(type, Buffer.from(body)).toString('hex'));
        expect(
          [
            ...seen.frames.filter(({ type }) => type % 3 === 0).map(({ body }) => body),
            ...seen.pieces.map(({ bytes }) => bytes),
          ].sort(),
        ).toEqual(of(0).sort());
        expect(seen.frames.filter(({ type }) => type % 3 === 2).map(({ body }) => body)).toEqual(of(2));
        expect(seen.oversized.map(({ length }) => length)).toEqual(
          list.filter(([type]) => type % 3 === 1).map(([, body]) => body.length + 4),
        );
      }),
    );
  });

  it.each([
    ['negative', [0x51, 0xff, 0xff, 0xff, 0xff]],
    ['shorter than itself', [0x51, 0, 0, 0, 3]],
    ['zero', [0x51, 0, 0, 0, 0]],
    ['the smallest integer', [0x51, 0x80, 0, 0, 0]],
  ])('refuses a length that is %s and stays dead', (_, bytes) => {
    const framer = new Framer(() => 'keep', { frame: () => {}, piece: () => {}, oversized: () => {} });
    expect(() => framer.push(Buffer.from(bytes))).toThrow(FramingError);
    expect(() => framer.push(message(0x51, Buffer.alloc(1)))).toThrow(FramingError);
  });

  it('asks for the cap before it keeps anything', () => {
    const huge = Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff]);
    expect(() => run([huge], (_, length) => (length > 1_000 ? 'fatal' : 'keep'))).toThrow(FramingError);
  });
});
