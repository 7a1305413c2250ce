import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDocument } from './document.ts';
import { type BadCase, base, type ConfigFolder, makeConfigFolder } from './testing/config-folder.ts';

let folder: ConfigFolder;
beforeAll(() => {
  folder = makeConfigFolder();
});
afterAll(() => folder.remove());

const bad: readonly BadCase[] = [
  ['an empty file', () => '', ['1:1: error: the file is empty']],
  ['a list', () => '- a', ['1:1: error: the file must hold a mapping of keys, but is a list']],
  [
    'broken YAML',
    () => 'listen: {api: 1',
    ['1:16: error: Flow map in block collection must be sufficiently indented and end with a }'],
  ],
  ['a tab', () => 'listen:\n\tapi: x', ['2:1: error: indentation must be spaces, not tabs']],
  ['bytes that are not UTF-8', () => new Uint8Array([0x61, 0x3a, 0xff]), ['1:1: error: the file is not UTF-8 text']],
  [
    'a duplicate key',
    () => `${base}tls: {cert: a, key: b}\ntls: {cert: a, key: b}\n`,
    ['15:1: error: this key is here twice'],
  ],
  ['two documents', () => `${base}---\n${base}`, ['14:1: error: only one document is allowed in this file']],
  [
    'a merge key',
    () => `x: &x {a: 1}\ny:\n  <<: *x\n`,
    ['3:3: error: merge keys (<<) are not used here; write the keys out'],
  ],
  ['a prototype key', () => `__proto__: {x: 1}\n${base}`, ['1:1: error: this key is not allowed']],
  ['a custom tag', () => `${base}store: !!js/function x\n`, ['14:8: error: tags (!…) are not used here']],
  [
    'aliases that multiply',
    () =>
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(10)}]\nc: &c [${'*b,'.repeat(10)}]\nd: &d [${'*c,'.repeat(10)}]\n`,
    ['1:1: error: aliases repeat too much of the document'],
  ],
  ['deep nesting', () => `a: ${'['.repeat(100)}${']'.repeat(100)}`, ['1:67: error: the document is nested too deeply']],
  [
    'an oversized file',
    () => `${base}#${'x'.repeat(1024 * 1024)}`,
    ['1:1: error: the file is larger than 1048576 bytes'],
  ],
];

describe('a file that is wrong as YAML', () => {
  test.each([
    ['a line without a key', 'listen: 1\nhunter2-secret\nx: 1'],
    ['a bad escape', 'a: "\\hunter2-secret"'],
    ['a word too much', 'a: "x" hunter2-secret'],
    ['a word after a block', 'a: | hunter2-secret\n  x'],
    ['a bracket too much', 'a: [hunter2-secret]]'],
    ['an alias', 'a: *hunter2-secret'],
    ['a tag', 'a: !hunter2-secret x'],
    ['a directive', '%hunter2-secret\n---\na: 1'],
    ['a password with a reserved character', 'a: @hunter2-secret'],
    ['a password with a colon', 'a: pass: hunter2-secret'],
    ['a password that begins like a block', 'a: {hunter2-secret'],
  ])('does not say what is in it: %s', (_, text) => {
    const found = folder.problems(text).join('\n');
    expect(found).toContain('error');
    expect(found).not.toContain('hunter2');
  });

  test('whatever it holds, is refused or read, at places that exist', () => {
    const pieces = fc.constantFrom(
      ...[
        'a',
        ': ',
        '- ',
        '\n',
        '  ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '|',
        '>',
        '&x ',
        '*x',
        '!t ',
        '#',
        '---\n',
        '%',
        '\t',
        '\\',
        '? ',
        '\u0000',
        '\ufeff',
        '😀',
        '<<',
        '0x1',
        'null',
      ],
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const document = readDocument(text, 'x.yaml');
        const lines = text.split(/\r\n|[\r\n]/);
        for (const problem of [
          ...document.problems,
          document.place({ severity: 'error', path: ['a', 0, 'b'], message: 'm' }),
        ]) {
          expect(problem.line).toBeGreaterThanOrEqual(1);
          expect(problem.line).toBeLessThanOrEqual(lines.length + 1);
          expect(problem.column).toBeGreaterThanOrEqual(1);
        }
        expect(document.problems.length > 0).toBe(document.value === undefined);
      }),
      { numRuns: 500 },
    );
  });

  test.each(bad)('%s', (_, text, expected) => {
    expect(folder.problems(text())).toEqual(expected);
  });
});
