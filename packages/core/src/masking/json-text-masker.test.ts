import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CellMasker } from '../contract/labels.ts';
import type { Json } from '../domain/json.ts';
import { maskJson } from './json-masker.ts';
import type { JsonMaskerOptions } from './json-masks.ts';
import { maskJsonText } from './json-text-masker.ts';
import { createTextMasker } from './text-masker.ts';

const masker: CellMasker = {
  mask: (labels, shape) => (shape.kind === 'text' ? `<${labels.join()}>`.replaceAll('.', '_') : null),
  hide: () => null,
};

/** `labels` by path, written with dots. */
function options(labels: Record<string, string[]> = {}): JsonMaskerOptions {
  const hidden = () => true;
  return {
    labelsAt: (path) => (Object.hasOwn(labels, path.join('.')) ? (labels[path.join('.')] ?? []) : []),
    hidden,
    masker,
    text: createTextMasker({ masker, hidden }),
  };
}

const mask = (source: string, labels?: Record<string, string[]>) => maskJsonText(source, options(labels));

describe('a masked JSON text', () => {
  test.each([
    '{"id": 9007199254740993, "pi": 3.14159265358979323846, "n": -0, "e": 1E+400}',
    '{"b":1,"10":2,"a":3,"2":4}',
    ' [ 1 , { } , [ ] , "" , "\\u00e9\\/\\ud83d" ,\ttrue,\r\nfalse , null ] ',
    '{"a":1,"a":2}',
    '"plain"',
    '42',
  ])('is what it was, to the letter, where nothing is hidden: %s', (source) => {
    expect(mask(source)).toEqual({ value: source, labels: [], masked: false });
  });

  test('changes only what it hides', () => {
    const source = '{ "id" : 9007199254740993,\n "mail":"jane@example.com" , "10":[4111111111111111, 2], "age" : 41 }';
    expect(mask(source, { age: ['pii.age'] })).toEqual({
      value: '{ "id" : 9007199254740993,\n "mail":"<pii_email>" , "10":[null, 2], "age" : null }',
      labels: ['pci.card', 'pii.age', 'pii.email'],
      masked: true,
    });
  });

  test('reads strings as a parser does', () => {
    expect(mask('["jane\\u0040example.com", "\\"jane@example.com\\\\"]').value).not.toMatch(/jane/);
    expect(mask('{"\\u006eame":"Jane"}', { name: ['n'] }).value).toBe('{"\\u006eame":"<n>"}');
  });

  test('hides names of members, and keeps them apart', () => {
    expect(mask('{"jane@example.com":1,"john@example.com":{"x":"jane@example.com"},"x":1}').value).toBe(
      '{"<pii_email>":1,"<pii_email>~2":{"x":"<pii_email>"},"x":1}',
    );
  });

  test('hides all below a label, and every member of a name that is there twice', () => {
    expect(mask('{"a":{"b":[1,"x",true,null]},"a":"y"}', { a: ['l'] }).value).toBe(
      '{"a":{"b":[null,"<l>",null,null]},"a":"<l>"}',
    );
  });

  test.each([
    '',
    ' ',
    '{',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    "{'a':1}",
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '01',
    '1.',
    '.5',
    '+1',
    'nul',
    'NaN',
    '"a',
    '"\\x"',
    '"\n"',
    '"\\"',
    '1 2',
    '[] []',
    '\ufeff{}',
    '/*c*/1',
    'nulll',
    '"a"b',
    '[1}',
    '{"a":1]',
  ])('is refused when it is no JSON: %j', (source) => {
    expect(() => mask(source)).toThrow(expect.objectContaining({ code: 'undecidable' }));
  });

  test.each(['[', '{"a":'])('is refused when it is nested deeper than anybody needs: %s', (open) => {
    expect(() => mask(open.repeat(100_000))).toThrow(/nested more than 256/);
  });

  test('does not take long for strings that are hard to read', () => {
    const source = `["${'\\\\'.repeat(500_000)}", "${'\\"'.repeat(100_000)}"]`;
    expect(mask(source).value).toBe(source);
  });
});

describe('any document', () => {
  const word = fc.constantFrom('a', 'b', 'jane@example.com', '4111111111111111', '"', '\\', '\u2028', 'é', '😀');
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      word,
      fc.constantFrom(null, true, false, 0, -1.5, 4111111111111111, 1e21),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(word, tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  const labels = { a: ['x'], 'b.a': ['y'], 'a.[]': ['z'], '[].b': ['w'] };

  test('is masked as its parsed form is', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, '\t'), (document, indent) => {
        const source = JSON.stringify(document, null, indent);
        const text = maskJsonText(source, options(labels));
        const parsed = maskJson(document as Json, options(labels));
        expect({ ...text, value: JSON.parse(text.value) }).toEqual({
          ...parsed,
          value: JSON.parse(JSON.stringify(parsed.value)),
        });
        if (!text.masked) expect(text.value).toBe(source);
      }),
      { numRuns: 1000 },
    );
  });

  test('is accepted exactly when a parser accepts it', () => {
    const sign = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', '-', '.', 'e', ' ', 'null', '"', '\\', '0');
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 12 }), (signs) => {
        const source = signs.join('');
        let valid = true;
        try {
          JSON.parse(source);
        } catch {
          valid = false;
        }
        if (valid) expect(mask(source).value).toBe(source);
        else expect(() => mask(source)).toThrow(expect.objectContaining({ code: 'undecidable' }));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('documents of one form, one after the other', () => {
  const labels: Record<string, string[]> = { name: ['n'], '[].name': ['n'], '[].a.name': ['m'] };
  const stable = (path: readonly string[]): readonly string[] => labels[path.join('.')] ?? [];

  test.each<[string, readonly (readonly [source: string, shown: string])[]]>([
    [
      'with members in another order, missing, or twice',
      [
        ['[{"id":1,"name":"Jane"}]', '[{"id":1,"name":"<n>"}]'],
        ['[{"name":"Jane","id":1}]', '[{"name":"<n>","id":1}]'],
        ['[{"id":"x","id":1,"name":"Jane","name":"John"}]', '[{"id":"x","id":1,"name":"<n>","name":"<n>"}]'],
        ['[{"name" : "Jane"},{"id":1}]', '[{"name" : "<n>"},{"id":1}]'],
      ],
    ],
    [
      'with a name that is written in another way',
      [
        ['[{"name":"Jane"}]', '[{"name":"<n>"}]'],
        ['[{"\\u006eame":"Jane"}]', '[{"\\u006eame":"<n>"}]'],
        ['[{"name\\u0000":"Jane"}]', '[{"name\\u0000":"Jane"}]'],
        ['[{"nam":"Jane","names":"Jane"}]', '[{"nam":"Jane","names":"Jane"}]'],
      ],
    ],
    [
      'with another form below the same name',
      [
        ['[{"a":{"name":"Jane"}}]', '[{"a":{"name":"<m>"}}]'],
        ['[{"a":["name"],"name":1}]', '[{"a":["name"],"name":null}]'],
        ['{"name":{"a":{"name":"x"}}}', '{"name":{"a":{"name":"<n>"}}}'],
      ],
    ],
    [
      'with names that are values',
      [
        ['{"jane@example.com":"x"}', '{"<pii_email>":"x"}'],
        ['{"john@example.com":"x"}', '{"<pii_email>":"x"}'],
        ['{"john@example.com":"x","jane@example.com":"y"}', '{"<pii_email>":"x","<pii_email>~2":"y"}'],
      ],
    ],
  ])('are masked as if each were the first: %s', (_, rows) => {
    for (const [source, shown] of [...rows, ...rows]) {
      const { value, labels: found } = maskJsonText(source, { ...options(), labelsAt: stable });
      expect(value).toBe(shown);
      expect(found).toEqual(maskJsonText(source, options(labels)).labels);
    }
  });

  test('are masked by what is hidden now', () => {
    const shown = [true, false, true].map((hides) => {
      const hidden = (): boolean => hides;
      const text = createTextMasker({ masker, hidden });
      return maskJsonText('[{"name":"Jane"}]', { labelsAt: stable, hidden, masker, text });
    });
    expect(shown.map(({ value }) => value)).toEqual(['[{"name":"<n>"}]', '[{"name":"Jane"}]', '[{"name":"<n>"}]']);
    expect(shown.every(({ labels: found }) => found.join() === 'n')).toBe(true);
  });

  test('are masked the same whatever came before them', () => {
    const word = fc.constantFrom('a', 'name', '"', 'jane@example.com', '[]', 'é', '\\');
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        word,
        fc.constantFrom(1, null, 4111111111111111),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(word, tie('any'), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 5 }), (all) => {
        for (const each of all) {
          const source = JSON.stringify(each);
          expect(maskJsonText(source, { ...options(), labelsAt: stable })).toEqual(
            maskJsonText(source, options(labels)),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  test('that break off leave nothing behind', () => {
    const masked = (source: string) => maskJsonText(source, { ...options(), labelsAt: stable });
    masked('[{"name":"Jane"}]');
    expect(() => masked('[{"name":"Jane","x":')).toThrow(/not JSON/);
    expect(masked('[{"name":"Jane"}]').value).toBe('[{"name":"<n>"}]');
  });
});
