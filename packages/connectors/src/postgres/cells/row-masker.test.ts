import type { CellMasker } from '@sluice/core/contract/labels.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import type { CellColumn } from './cell-codec.ts';
import { createRowMasker as createMasker, writeCell } from './row-masker.ts';
import { typeOid } from './shapes.ts';

const uuidMask = '6d61736b-0000-8000-8000-000000000000';
const stars: CellMasker = {
  mask(labels, shape) {
    if (labels.includes('null') || shape.kind === 'other') return null;
    return shape.kind === 'uuid' ? uuidMask : shape.kind === 'json' ? '"#***#"' : '#***#';
  },
  hide: (labels, shape) => (shape.kind === 'uuid' ? null : stars.mask(labels, shape, '')),
};

/** As the masker, but from body to body. */
function createRowMasker(...parts: Parameters<typeof createMasker>): (body: Uint8Array) => Buffer {
  const mask = createMasker(...parts);
  return (body) => {
    const to = new ByteWriter();
    // Behind other bytes and before others, as in a chunk of the stream.
    const around = Buffer.concat([Buffer.from('before'), body, Buffer.from('behind')]);
    mask(around, 6, 6 + body.length, to);
    return to.take();
  };
}

function row(cells: readonly (Buffer | null)[]): Buffer {
  const writer = new ByteWriter().int16(cells.length);
  for (const cell of cells) writeCell(writer, cell);
  return writer.take();
}

function cellsOf(body: Buffer): (Buffer | null)[] {
  const reader = new ByteReader(body);
  const cells = Array.from({ length: reader.uint16() }, () => {
    const length = reader.int32();
    return length === -1 ? null : Buffer.from(reader.bytes(length));
  });
  expect(reader.left).toBe(0);
  return cells;
}

function column(oid: number, format: 0 | 1, labels: readonly string[] = ['pii'], typmod = -1): CellColumn {
  return { oid, typmod, format, labels };
}

function maskOne(described: CellColumn, cell: Buffer): Buffer | null | undefined {
  return cellsOf(createRowMasker([described], stars)(row([cell])))[0];
}

describe('a masked cell', () => {
  const secret = Buffer.from('secret');

  test.each([
    ['text', typeOid.text, 0, secret, Buffer.from('#***#')],
    ['text', typeOid.text, 1, secret, Buffer.from('#***#')],
    ['varchar', typeOid.varchar, 1, secret, Buffer.from('#***#')],
    ['json', typeOid.json, 1, Buffer.from('{"a":1}'), Buffer.from('"#***#"')],
    ['jsonb', typeOid.jsonb, 0, Buffer.from('{"a": 1}'), Buffer.from('"#***#"')],
    ['jsonb', typeOid.jsonb, 1, Buffer.from('\x01{"a": 1}'), Buffer.from('\x01"#***#"')],
    ['uuid', typeOid.uuid, 0, Buffer.from('3f2b8c1e-9d4a-4c57-8e21-5a6b7c8d9e0f'), Buffer.from(uuidMask)],
    ['uuid', typeOid.uuid, 1, Buffer.alloc(16, 7), Buffer.from(uuidMask.replaceAll('-', ''), 'hex')],
    ['int4', 23, 0, Buffer.from('42'), null],
    ['int4', 23, 1, Buffer.alloc(4), null],
    ['text[]', 1009, 1, secret, null],
    ['xml', 142, 0, secret, null],
    ['an unknown type', 4_000_000_000, 0, secret, null],
  ] as const)('of type %s (%i) in format %i stays valid', (_name, oid, format, cell, masked) => {
    expect(maskOne(column(oid, format), cell)).toEqual(masked);
  });

  test('stays null where it was null', () => {
    expect(cellsOf(createRowMasker([column(typeOid.text, 0)], stars)(row([null])))).toEqual([null]);
  });

  test('shows nothing when it is computed, not even whether it is null', () => {
    const masker: CellMasker = { mask: (_labels, _shape, value) => value, hide: () => 'hidden' };
    const computed = { ...column(typeOid.text, 0), computed: true };
    const rows = [Buffer.from('a'), Buffer.from('bb'), null].map((cell) => row([cell, cell]));
    const mask = createRowMasker([computed, column(23, 0, [])], masker);
    expect(rows.map((body) => cellsOf(mask(body))[0]?.toString())).toEqual(['hidden', 'hidden', 'hidden']);
    expect(rows.map((body) => cellsOf(mask(body))[1]?.toString())).toEqual(['a', 'bb', undefined]);
  });

  test('is null where its bytes are no UTF-8', () => {
    expect(maskOne(column(typeOid.text, 0), Buffer.of(0x6a, 0xff, 0xfe))).toBeNull();
  });

  test('is told how long it may be', () => {
    const asked: unknown[] = [];
    const masker: CellMasker = {
      mask(_labels, shape) {
        asked.push(shape);
        return null;
      },
      hide: () => null,
    };
    const columns = [column(typeOid.varchar, 0, ['a'], 24), column(typeOid.bpchar, 0, ['a'], 5)];
    createRowMasker([...columns, column(typeOid.name, 0)], masker)(row([secret, secret, secret]));
    expect(asked).toEqual([20, 1, 63].map((maxLength) => ({ kind: 'text', maxLength })));
  });

  test('of a domain is valid for its base type', () => {
    const lookup = (oid: number) =>
      oid === 99_000 ? { kind: 'domain' as const, base: typeOid.uuid, name: 'ref' } : undefined;
    const mask = createRowMasker([column(99_000, 1)], stars, lookup);
    expect(cellsOf(mask(row([Buffer.alloc(16)])))[0]).toHaveLength(16);
  });

  test.each([
    ['a uuid of 15 bytes', column(typeOid.uuid, 1), row([Buffer.alloc(15)])],
    ['a jsonb of version 2', column(typeOid.jsonb, 1), row([Buffer.from('\x02{}')])],
    ['an empty body', column(typeOid.text, 0), Buffer.alloc(0)],
    ['too few columns', column(typeOid.text, 0), row([])],
    ['too many columns', column(typeOid.text, 0), row([secret, secret])],
    ['bytes behind the end', column(typeOid.text, 0), Buffer.concat([row([secret]), Buffer.of(0)])],
    ['a length below -1', column(typeOid.text, 0), Buffer.from([0, 1, 0xff, 0xff, 0xff, 0xfe])],
    ['a length beyond the end', column(typeOid.text, 0), Buffer.from([0, 1, 0x7f, 0xff, 0xff, 0xff, 1])],
    ['a length cut short', column(typeOid.text, 0), Buffer.from([0, 1, 0, 0])],
  ])('is refused with %s', (_what, described, body) => {
    expect(() => createRowMasker([described], stars)(body)).toThrow(RangeError);
  });

  test('that failed leaves nothing in the next row', () => {
    const mask = createRowMasker([column(typeOid.text, 0), column(typeOid.uuid, 1)], stars);
    expect(() => mask(row([secret, secret]))).toThrow(RangeError);
    expect(cellsOf(mask(row([secret, null])))).toEqual([Buffer.from('#***#'), null]);
  });
});

describe('any row', () => {
  const described = fc.record({
    column: fc.record({
      oid: fc.constantFrom<number>(typeOid.text, typeOid.varchar, typeOid.json, 23, 17, 99_999),
      typmod: fc.constantFrom(-1, 20),
      format: fc.constantFrom<0 | 1>(0, 1),
      labels: fc.constantFrom<readonly string[]>([], [], ['pii'], ['pii', 'null']),
    }),
    cell: fc.option(fc.uint8Array({ minLength: 8, maxLength: 40 }).map((bytes) => Buffer.from(bytes))),
  });

  test('keeps its columns, its clear cells byte for byte and its nulls, and nothing of what is masked', () => {
    fc.assert(
      fc.property(fc.array(described, { maxLength: 12 }), (cells) => {
        const mask = createRowMasker(
          cells.map((cell) => cell.column),
          stars,
        );
        const before = row(cells.map(({ cell }) => cell));
        const copy = Buffer.from(before);
        const masked = cellsOf(mask(before));
        expect(before).toEqual(copy);
        expect(masked).toHaveLength(cells.length);
        for (const [
          index,
          {
            cell,
            column: { labels },
          },
        ] of cells.entries()) {
          const shown = masked[index];
          if (labels.length === 0 || cell === null) expect(shown).toEqual(cell);
          else expect(shown?.includes(cell) ?? false).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('of any bytes is either well-formed or refused', () => {
    const mask = createRowMasker([column(typeOid.text, 0), column(23, 1, [])], stars);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 30 }).map((rest) => Uint8Array.of(0, 2, 0, 0, 0, 1, 65, 0, 0, 0, ...rest)),
    );
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          expect(cellsOf(mask(body))).toHaveLength(2);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
