import type { CellMasker } from '@sluice/core/contract/labels.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../wire/byte-writer.ts';
import type { CopyOptions } from './copy-format.ts';
import { type CopyColumn, createCopyMasker } from './copy-masker.ts';
import { writeCell } from './row-masker.ts';
import { typeOid } from './shapes.ts';

const seen: string[] = [];
const stars: CellMasker = {
  mask(_labels, shape, value) {
    seen.push(value);
    return shape.kind === 'other' ? null : '#***#';
  },
  hide: (_labels, shape) => (shape.kind === 'other' ? null : '#***#'),
};
const text = (labels: readonly string[] = []) => ({ type: typeOid.text, typmod: -1, labels });
/** The middle one of three columns is masked. */
const columns = [text(), text(['pii']), text()];

const defaults = {
  text: { delimiter: '\t', nullText: '\\N', quote: '', escape: '', header: false },
  csv: { delimiter: ',', nullText: '', quote: '"', escape: '"', header: false },
  binary: { delimiter: '', nullText: '', quote: '', escape: '', header: false },
};
type Options = Partial<CopyOptions> & Pick<CopyOptions, 'format'>;

function make(options: Options, described: readonly CopyColumn[] = columns, maxRow = 10_000) {
  return createCopyMasker({ ...defaults[options.format], ...options, columns: described }, stars, { maxRow });
}

function copy(options: Options, input: string | Buffer, described: readonly CopyColumn[] = columns): string {
  seen.length = 0;
  const masker = make(options, described);
  const output = masker.push(Buffer.from(input));
  masker.end();
  return output.toString('utf8');
}

function binary(rows: readonly (readonly (string | null)[])[]): Buffer {
  const writer = new ByteWriter().bytes(Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')).int32(0).int32(0);
  for (const row of rows) {
    writer.int16(row.length);
    for (const cell of row) writeCell(writer, cell === null ? null : Buffer.from(cell));
  }
  return writer.int16(-1).take();
}

describe('COPY in text format', () => {
  const format = 'text';

  test('masks the field and hands the masker the real value', () => {
    expect(copy({ format }, '1\tja\\tne\\\\\\n\\x41\\102\tx\n2\t\\N\ty\n')).toBe('1\t#***#\tx\n2\t\\N\ty\n');
    expect(seen).toEqual(['ja\tne\\\nAB']);
  });

  test('leaves clear fields as they are, escapes and all', () => {
    expect(copy({ format }, 'a\\\tb\tsecret\t\\\\\\N\n')).toBe('a\\\tb\t#***#\t\\\\\\N\n');
  });

  test('knows the options of the statement', () => {
    expect(copy({ format, delimiter: '|', nullText: '-', header: true }, 'id|email|n\n1|a\\|b|-\n')).toBe(
      'id|email|n\n1|#***#|-\n',
    );
    expect(copy({ format, delimiter: '#' }, '1#a#2\n')).toBe('1#\\#***\\##2\n');
  });

  test('does not tell a value that reads like the null text from others', () => {
    expect(copy({ format, nullText: 'jane' }, '1\tjane\tx\n2\tjohn\tx\n')).toBe('1\t#***#\tx\n2\t#***#\tx\n');
  });

  test('writes a null where no mask is valid or no type is known', () => {
    const described = [{ type: 23, labels: ['pii'] }];
    expect(copy({ format }, '42\n\\N\n', described)).toBe('\\N\n\\N\n');
    expect(copy({ format: 'csv' }, '42\n\n', described)).toBe('\n\n');
    expect(copy({ format }, 'jane\n', [{ labels: ['pii'] }])).toBe('\\N\n');
  });

  test.each(['1\t2\n', '1\t2\t3\t4\n', '\n', '1\t2\t3'])('refuses the row %j', (row) => {
    expect(() => copy({ format }, row)).toThrow(RangeError);
  });
});

describe('COPY in CSV', () => {
  const format = 'csv';

  test('masks the field and hands the masker the real value', () => {
    expect(copy({ format }, '1,"ja""ne,\nx",z\n2,,\n3,"",""\n')).toBe('1,"#***#",z\n2,,\n3,"#***#",""\n');
    expect(seen).toEqual(['ja"ne,\nx', '']);
  });

  test('knows the options of the statement', () => {
    const options = { format, delimiter: ';', nullText: 'NULL', quote: "'", escape: '\\', header: true } as const;
    expect(copy(options, "a;'b\n';c\n1;'it\\'s \\\\';x\n2;NULL;x\n3;'NULL';NULL\n")).toBe(
      "a;'b\n';c\n1;'#***#';x\n2;NULL;x\n3;'#***#';NULL\n",
    );
    expect(seen).toEqual(["it's \\", 'NULL']);
  });

  test('quotes a mask that needs it', () => {
    expect(copy({ format, quote: '#', escape: '#' }, '1,jane,2\n')).toBe('1,###***###,2\n');
    expect(copy({ format, delimiter: '*' }, '1*jane*2\n')).toBe('1*"#***#"*2\n');
    expect(copy({ format, nullText: '#***#' }, '1,jane,2\n')).toBe('1,"#***#",2\n');
  });

  test.each(['1,2\n', '1,2,3,4\n', '1,"2,3\n'])('refuses the row %j', (row) => {
    expect(() => copy({ format }, row)).toThrow(RangeError);
  });
});

describe('COPY in binary format', () => {
  const format = 'binary';

  test('masks the field and keeps the rest', () => {
    const rows = [
      ['1', 'jane', '2'],
      ['', null, null],
    ];
    expect(copy({ format }, binary(rows))).toBe(
      binary([
        ['1', '#***#', '2'],
        ['', null, null],
      ]).toString('utf8'),
    );
    expect(seen).toEqual(['jane']);
  });

  test.each([
    ['no signature', Buffer.alloc(30)],
    ['no trailer', binary([]).subarray(0, 19)],
    ['bytes behind the trailer', Buffer.concat([binary([]), Buffer.of(0)])],
    ['another number of fields', binary([['1', '2']])],
    ['a length below -1', Buffer.concat([binary([]).subarray(0, 19), Buffer.from([0, 3, 0xff, 0xff, 0xff, 0xf0])])],
  ])('refuses a stream with %s', (_what, input) => {
    expect(() => copy({ format }, input)).toThrow(RangeError);
  });
});

describe('any split of a COPY stream', () => {
  const value = fc.string({ unit: fc.constantFrom('a', 'ä', ',', '"', '\\', '\n', '\t', '#', 'N', '.'), maxLength: 6 });
  const rows = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 5 });
  const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 12 });
  const csv = (field: string) => `"${field.replaceAll('"', '""')}"`;
  const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\t': '\\t' };
  const plain = (field: string) => field.replace(/[\\\n\t]/g, (letter) => escapes[letter] ?? letter);
  const writers: Record<CopyOptions['format'], (rows: readonly (readonly string[])[]) => Buffer> = {
    text: (all) => Buffer.from(all.map((row) => `${row.map(plain).join('\t')}\n`).join('')),
    csv: (all) => Buffer.from(all.map((row) => `${row.map(csv).join(',')}\n`).join('')),
    binary,
  };

  test.each(['text', 'csv', 'binary'] as const)('gives the same masked rows (%s)', (format) => {
    fc.assert(
      fc.property(rows, cuts, (all, places) => {
        const input = writers[format](all);
        const masker = make({ format });
        const ends = [...new Set(places.filter((place) => place < input.length))].sort((a, b) => a - b);
        const pieces = [0, ...ends].map((from, index) => input.subarray(from, ends[index] ?? input.length));
        const output = Buffer.concat(pieces.map((piece) => masker.push(Uint8Array.from(piece))));
        masker.end();
        expect(output).toEqual(writers[format](all.map(([a, , c]) => [a, '#***#', c])));
      }),
      { numRuns: 500 },
    );
  });

  test.each(['text', 'csv', 'binary'] as const)('of any bytes passes nothing on unparsed (%s)', (format) => {
    const soup = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 });
    fc.assert(
      fc.property(soup, (pieces) => {
        const masker = make({ format }, [text(['pii'])], 100);
        try {
          for (const piece of pieces) {
            for (const line of masker.push(piece).toString('latin1').split('\n')) {
              expect(['', '"#***#"', '#***#', '\\N']).toContain(line);
            }
          }
          masker.end();
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('keeps a bounded part of a row and is dead after an error', () => {
    const masker = make({ format: 'text' }, columns, 100);
    for (let size = 0; size < 100; size += 10) expect(masker.push(Buffer.alloc(10, 'a'))).toHaveLength(0);
    expect(() => masker.push(Buffer.from('a'))).toThrow(/more than 100 bytes/);
    expect(() => masker.push(Buffer.from('\tb\tc\n'))).toThrow(RangeError);
    expect(() => masker.end()).toThrow(RangeError);
  });
});

describe('a COPY row taken in one go', () => {
  /** With a short way that knows values of small letters, and says so with another mask. */
  const quick: CellMasker = {
    mask: (_labels, _shape, value) => (value === 'null' ? null : /^[a-c]{2,}$/.test(value) ? `#*${value[0]}*#` : value),
    hide: () => '#***#',
    plain: () => ({
      longest: 5,
      write(from, start, end, into, at) {
        if (!/^[a-c]{2,}$/.test(Buffer.from(from.subarray(start, end)).toString('latin1'))) return -1;
        into.set(Buffer.from(`#*${String.fromCharCode(from[start] ?? 0)}*#`), at);
        return at + 5;
      },
    }),
  };
  const options = fc.oneof(
    fc.record({
      format: fc.constant('text' as const),
      delimiter: fc.constantFrom('\t', '|', '#', 'a'),
      nullText: fc.constantFrom('\\N', '', 'ab', 'null'),
      quote: fc.constant(''),
      escape: fc.constant(''),
      header: fc.boolean(),
    }),
    fc.record({
      format: fc.constant('csv' as const),
      delimiter: fc.constantFrom(',', '|', '*'),
      nullText: fc.constantFrom('', '#*a*#', 'ab', '\\N'),
      quote: fc.constantFrom('"', "'"),
      escape: fc.constantFrom('"', "'", '\\'),
      header: fc.boolean(),
    }),
  );
  const field = fc.stringMatching(/^([abc]{0,4}|null|ab|"[a,"]*"|[ab\\,"'|\n\t#*Né]{0,6}|\\N)$/u);
  const labels = fc.constantFrom<readonly string[]>([], ['pii']);

  test('is masked as one that is pushed, or left to be', () => {
    let taken = 0;
    fc.assert(
      fc.property(
        options,
        fc.array(fc.tuple(field, labels), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('\n', '\n', '\n', '', '\\\n', '\n\n', '\r\n'),
        fc.boolean(),
        (chosen, fields, ending, behindAnother) => {
          const described = fields.map(([, list]) => text(list));
          const row = Buffer.from(fields.map(([value]) => value).join(chosen.delimiter) + ending);
          const around = Buffer.concat([Buffer.from('ab"'), row, Buffer.from('ab"\n')]);
          const [one, other] = [0, 1].map(() => createCopyMasker({ ...chosen, columns: described }, quick));
          if (!one || !other) throw new Error('no maskers');
          const first = Buffer.from(`${fields.map(() => 'x').join(chosen.delimiter)}\n`);
          if (behindAnother) for (const masker of [one, other]) masker.push(first);
          const to = new ByteWriter();
          to.bytes(Buffer.from('kept'));
          if (!one.row(around, 3, 3 + row.length, to)) {
            expect(to.take().toString()).toBe('kept');
            return;
          }
          taken++;
          expect(to.take().toString()).toBe(`kept${other.push(row).toString()}`);
          expect(() => one.end()).not.toThrow();
          expect(() => other.end()).not.toThrow();
          // Both go on alike.
          expect(one.push(first)).toEqual(other.push(first));
        },
      ),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(500);
  });

  test('leaves nothing behind when the masker throws, and is the last', () => {
    const throwing: CellMasker = {
      mask() {
        throw new Error('no');
      },
      hide: () => null,
    };
    const masker = createCopyMasker({ ...defaults.text, format: 'text', columns }, throwing);
    const row = Buffer.from('1\tada\t2\n');
    expect(() => masker.row(row, 0, row.length, new ByteWriter())).toThrow('no');
    expect(masker.row(row, 0, row.length, new ByteWriter())).toBe(false);
    expect(() => masker.push(row)).toThrow(RangeError);
  });

  test('waits for what came of another one before', () => {
    const masker = make({ format: 'text' });
    expect(masker.push(Buffer.from('1\tsec'))).toHaveLength(0);
    const row = Buffer.from('ret\tx\ty\n');
    expect(masker.row(row, 0, row.length, new ByteWriter())).toBe(false);
  });
});
