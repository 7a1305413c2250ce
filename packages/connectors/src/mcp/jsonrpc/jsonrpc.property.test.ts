import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../wire/json/strict-json.ts';
import { LineReader } from './line-reader.ts';
import { type Message, messageJson, NotAMessage, readMessage, writeMessage } from './message.ts';
import { SseReader } from './sse-reader.ts';

function plainJson(): fc.Arbitrary<unknown> {
  return fc.jsonValue().filter((value) => !/\d{15}/.test(JSON.stringify(value)));
}

/** The bytes in pieces, cut where the numbers say. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

const cuts = fc.array(fc.nat(), { maxLength: 20 });
/** Numbers at the edge of what doubles hold are another test's. */
const object = fc.dictionary(fc.string(), plainJson(), { maxKeys: 4 }) as fc.Arbitrary<never>;
const id = fc.oneof(fc.integer(), fc.string({ maxLength: 128, unit: 'grapheme' }));
const method = fc.string({ minLength: 1, maxLength: 128 });
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: fc.constant('request' as const), id, method, params: object }),
  fc.record({ kind: fc.constant('notification' as const), method, params: object }),
  fc.record({ kind: fc.constant('result' as const), id, result: object }),
  fc.record({
    kind: fc.constant('error' as const),
    id,
    error: fc.record({ code: fc.integer(), message: fc.string() }),
  }),
);

describe('messages', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(message, (given) => {
        const read = readMessage(parseStrictJson(writeMessage(given), { bytes: 1e6, loneSurrogates: 'keep' }));
        expect(writeMessage(read)).toBe(writeMessage(given));
        expect(read.kind).toBe(given.kind);
      }),
    );
  });

  it('are that or nothing, whatever document comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (document) => {
        try {
          readMessage(document as never);
        } catch (error) {
          expect(error).toBeInstanceOf(NotAMessage);
        }
      }),
    );
  });

  it('with one member more are none', () => {
    fc.assert(
      fc.property(message, fc.string(), (given, name) => {
        const document = messageJson(given);
        fc.pre(!Object.hasOwn(document, name) && !['params', 'method', 'id', 'result', 'error'].includes(name));
        expect(() => readMessage({ ...document, [name]: 1 })).toThrow(NotAMessage);
      }),
    );
  });
});

describe('a stream of events', () => {
  const event = fc.record({ event: fc.constantFrom('message', 'ping', 'x'), data: fc.string({ unit: 'grapheme' }) });
  const line = (end: string, text: string): string => `${text}${end}`;

  it('is the same however it is split, whatever ends its lines', () => {
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom('\n', '\r', '\r\n'), cuts, fc.boolean(), (events, end, at, bom) => {
        const expected = events.map(({ event: name, data }) => ({
          event: name,
          data: data.split(/\r\n|\r|\n/).join('\n'),
        }));
        const text = expected
          .map(({ event: name, data }) =>
            [
              line(end, ': a comment'),
              line(end, `event: ${name}`),
              line(end, 'id: 7'),
              ...data.split('\n').map((part) => line(end, `data: ${part}`)),
              end,
            ].join(''),
          )
          .join('');
        const bytes = Buffer.from((bom ? '\ufeff' : '') + text);
        const reader = new SseReader(1e6);
        expect(pieces(bytes, at).flatMap((piece) => reader.push(piece))).toEqual(expected);
      }),
    );
  });

  it('of any bytes is read or refused, and refused once is refused for good', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
        const reader = new SseReader(300);
        let broken = false;
        for (const chunk of chunks) {
          try {
            reader.push(chunk);
            expect(broken).toBe(false);
          } catch (error) {
            broken = true;
            expect(error).toMatchObject({ code: 'upstream_protocol' });
          }
        }
      }),
    );
  });

  it('holds no more than the limit, be it one line or many', () => {
    for (const chunk of ['data: xxxxxxxxxxxxxxx', 'data: x\n', ': x', 'x']) {
      const reader = new SseReader(100);
      const flood = (): void => {
        for (let n = 0; n < 1_000; n++) reader.push(Buffer.from(chunk));
      };
      expect(flood).toThrow(/larger than the limit/);
    }
  });
});

describe('lines', () => {
  it('are the same however they are split', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), cuts, (texts, at) => {
        const lines = texts.map((text) => text.replace(/[\r\n]/g, '_'));
        const reader = new LineReader(1e6);
        const bytes = Buffer.from(lines.map((text) => `${text}\r\n\n`).join(''));
        const read = pieces(bytes, at).flatMap((piece) => reader.push(piece));
        expect(read.map((line) => Buffer.from(line).toString())).toEqual(lines);
      }),
    );
  });

  it('longer than the limit are refused, also when they never end', () => {
    const reader = new LineReader(10);
    expect(reader.push(Buffer.from('0123456789\n'))).toHaveLength(1);
    expect(() => reader.push(Buffer.from('0123456789a'))).toThrow(/more than 10 bytes/);
    expect(() => reader.push(Buffer.from('\n'))).toThrow(/more than 10 bytes/);
  });
});
