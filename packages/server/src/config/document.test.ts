import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  test.each(bad)('%s', (_, text, expected) => {
    expect(folder.problems(text())).toEqual(expected);
  });
});
