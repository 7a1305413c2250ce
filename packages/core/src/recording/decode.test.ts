import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testAction, testKey, verifierPorts } from '../../../../test/harness/recording.ts';
import { nestsDeeper } from './check.ts';
import { decodeFrame } from './decode.ts';
import { eventTypes } from './format.ts';
import type { Frame } from './frame-reader.ts';
import { countRows, encodeRow, rowsOf } from './row-cells.ts';

function frame(type: number, payload: Uint8Array | object | string, flags = 0): Frame {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const bytes = payload instanceof Uint8Array ? payload : new TextEncoder().encode(text);
  const none = new Uint8Array(0);
  return { offset: 0, type, flags, time: 0, previous: none, payload: bytes, hashed: none };
}

function deflated(plain: Uint8Array, claimed = plain.length): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(claimed);
  return Buffer.concat([size, deflateRawSync(plain)]);
}

const action = testAction(1, 'SELECT 1');
const { inflater } = verifierPorts(testKey());

describe('decoding an event', () => {
  it('accepts what the writer writes, and fields that a later version adds', () => {
    expect(decodeFrame(frame(eventTypes.action, { ...action, later: [1] }), inflater)).toMatchObject({ event: action });
  });

  it.each([
    ['an unknown type', frame(99, action)],
    ['unknown flags', frame(eventTypes.action, action, 2)],
    ['a body of another type', frame(eventTypes.notice, action)],
    ['a number where a text belongs', frame(eventTypes.action, { ...action, text: [7] })],
    ['a missing field', frame(eventTypes.action, { ...action, effect: undefined })],
    ['an unknown effect', frame(eventTypes.action, { ...action, effect: 'permit' })],
    ['a list instead of an object', frame(eventTypes.action, [action])],
    ['null', frame(eventTypes.action, 'null')],
    ['no JSON', frame(eventTypes.action, '{')],
    ['no UTF-8', frame(eventTypes.action, Uint8Array.of(0x22, 0xff, 0x22))],
    ['deep nesting', frame(eventTypes.action, '['.repeat(100_000))],
    ['an inherited field', frame(eventTypes.resize, '{"__proto__":{"columns":1,"rows":1},"type":"resize"}')],
    ['detail with an object in it', frame(eventTypes.event, { type: 'event', name: 'x', detail: { a: {} } })],
    ['a seal of the wrong length', frame(eventTypes.seal, new Uint8Array(79))],
    ['a compressed seal', frame(eventTypes.seal, deflated(new Uint8Array(80)), 1)],
    ['rows that claim more than they hold', frame(eventTypes.rows, Uint8Array.of(0, 0, 0, 1, 0, 1, 0, 0, 0, 9))],
    ['rows with another count', frame(eventTypes.rows, Uint8Array.of(0, 0, 0, 2, 0, 0))],
    ['a cell length below -1', frame(eventTypes.rows, Uint8Array.of(0, 0, 0, 1, 0, 1, 255, 255, 255, 254))],
    ['rows without a count', frame(eventTypes.rows, Uint8Array.of(0))],
    ['terminal bytes without direction', frame(eventTypes.terminal, new Uint8Array(0))],
    ['compressed data that is none', frame(eventTypes.rows, Uint8Array.of(0, 0, 0, 9, 1, 2, 3), 1)],
    ['compressed data that is too short to be', frame(eventTypes.rows, Uint8Array.of(1), 1)],
    ['data that inflates to more than it says', frame(eventTypes.rows, deflated(new Uint8Array(10_000), 4), 1)],
    ['data that inflates to less than it says', frame(eventTypes.rows, deflated(new Uint8Array(4), 10_000), 1)],
    ['data that claims more than is allowed', frame(eventTypes.rows, deflated(new Uint8Array(4), 2 ** 32 - 1), 1)],
  ])('names %s as a problem', (_what, crafted) => {
    expect(decodeFrame(crafted, inflater)).toEqual({ problem: expect.any(String) });
  });

  it('never throws, whatever the payload', () => {
    const types = fc.integer({ min: 0, max: 17 });
    fc.assert(
      fc.property(types, fc.nat(3), fc.uint8Array({ maxLength: 120 }), (type, flags, payload) => {
        decodeFrame(frame(type, payload, flags), inflater);
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(types, fc.json(), (type, body) => void decodeFrame(frame(type, body), inflater)));
  });
});

describe('rows', () => {
  const cell = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: null });

  it('come back as they were encoded', () => {
    fc.assert(
      fc.property(fc.array(fc.array(cell, { maxLength: 5 }), { maxLength: 10 }), (rows) => {
        const bytes = new Uint8Array(Buffer.concat(rows.map((row) => encodeRow(row))));
        expect(countRows(bytes)).toBe(rows.length);
        expect([...rowsOf(bytes)]).toEqual(rows);
      }),
    );
  });

  it('are refused when cut', () => {
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 5 }), fc.nat(), (row, where) => {
        const bytes = encodeRow(row);
        expect(countRows(bytes.subarray(0, 1 + (where % (bytes.length - 1))))).toBe(-1);
      }),
    );
  });
});

describe('nesting', () => {
  it('is counted outside of texts only', () => {
    expect(nestsDeeper('[[]]', 1)).toBe(true);
    expect(nestsDeeper('[[]]', 2)).toBe(false);
    expect(nestsDeeper('["[[[\\"[[["]', 1)).toBe(false);
    expect(nestsDeeper('[[],[],[]]', 2)).toBe(false);
  });
});
