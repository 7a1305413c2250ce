import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fields, FieldsWriter } from './fields.ts';
import { Framer, most, SftpError, type } from './protocol.ts';
import { readRequest } from './requests.ts';

const packet = fc.uint8Array({ minLength: 1, maxLength: 60 });

function framed(body: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

describe('packets', () => {
  test('are the same however the stream is split', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 6 }), fc.array(fc.nat(400), { maxLength: 8 }), (bodies, places) => {
        const bytes = Buffer.concat(bodies.map(framed));
        const cuts = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const framer = new Framer('client');
        const found = cuts.flatMap((cut, index) => framer.push(bytes.subarray(index === 0 ? 0 : cuts[index - 1], cut)));
        expect(found.map((each) => Buffer.from(each).toString('hex'))).toEqual(
          bodies.map((each) => Buffer.from(each).toString('hex')),
        );
      }),
    );
  });

  test.each([0, most.packet + 1, 0xffff_ffff])('of %d bytes are refused before anything of them is kept', (length) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    expect(() => new Framer('client').push(head)).toThrow(SftpError);
  });

  test('of any bytes are understood or refused', () => {
    const some = fc.tuple(
      fc.constantFrom(...Object.values(type)),
      fc.oneof(
        fc.uint8Array({ maxLength: 80 }),
        fc.array(fc.oneof(fc.string({ maxLength: 9 }), fc.nat(300)), { maxLength: 5 }).map((parts) => {
          const writer = new FieldsWriter().uint32(7);
          for (const part of parts) typeof part === 'string' ? writer.text(part) : writer.uint32(part);
          return writer.take();
        }),
      ),
    );
    fc.assert(
      fc.property(some, ([kind, bytes]) => {
        try {
          readRequest(Buffer.concat([Buffer.from([kind]), bytes]));
        } catch (error) {
          expect(error).toBeInstanceOf(SftpError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('attributes', () => {
  test('come back as they were written', () => {
    const attributes = fc.record(
      {
        size: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        owner: fc.record({ uid: fc.nat(), gid: fc.nat() }),
        mode: fc.nat(0xffff),
        times: fc.record({ accessed: fc.nat(), modified: fc.nat() }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(attributes, (given) => {
        const fields = new Fields(new FieldsWriter().attributes(given).take(), 'client');
        expect(fields.attributes()).toEqual(given);
        fields.end();
      }),
    );
  });

  test('that the gateway does not know are refused from a client', () => {
    for (const flags of [0x8000_0000, 0x10, 0x2000_0001]) {
      const fields = new Fields(new FieldsWriter().uint32(flags).uint64(0n).uint64(0n).take(), 'client');
      expect(() => fields.attributes()).toThrow(SftpError);
    }
  });
});
