import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CellMasker } from '../contract/labels.ts';
import type { Json } from '../domain/json.ts';
import { maskJson } from './json-masker.ts';
import { createTextMasker } from './text-masker.ts';

const masker: CellMasker = {
  mask: (labels, shape) => (shape.kind === 'text' ? `<${labels.join()}>`.replaceAll('.', '_') : null),
  hide: () => null,
};

/** `labels` by path, written with dots. */
function mask(value: Json, labels: Record<string, string[]> = {}, hidden: (label: string) => boolean = () => true) {
  const text = createTextMasker({ masker, hidden });
  return maskJson(value, {
    labelsAt: (path) => (Object.hasOwn(labels, path.join('.')) ? (labels[path.join('.')] ?? []) : []),
    hidden,
    masker,
    text,
  });
}

describe('a masked document', () => {
  test('has masks for labelled strings, and null for other values that have none', () => {
    const value = { name: 'Jane', age: 41, vip: true, note: null, rest: { name: 'x', n: 1 } };
    const labels = { name: ['pii.name'], age: ['pii.age'], vip: ['pii.vip'], note: ['pii.note'] };
    expect(mask(value, labels)).toEqual({
      value: { name: '<pii_name>', age: null, vip: null, note: null, rest: { name: 'x', n: 1 } },
      labels: ['pii.age', 'pii.name', 'pii.note', 'pii.vip'],
      masked: true,
    });
  });

  test('is masked below a labelled object or array, too', () => {
    const value = { users: [{ name: 'Jane', tags: ['a', 1] }, { name: 'John' }] };
    expect(mask(value, { 'users.[].name': ['n'] }).value).toEqual({
      users: [{ name: '<n>', tags: ['a', 1] }, { name: '<n>' }],
    });
    expect(mask(value, { users: ['u'], 'users.[].tags': ['t'] }).value).toEqual({
      users: [{ name: '<u>', tags: ['<t,u>', null] }, { name: '<u>' }],
    });
    expect(mask('Jane', { '': ['n'] }).value).toBe('<n>');
  });

  test('shows what may be seen, and tells of it', () => {
    const value = { name: 'Jane', mail: 'jane@example.com', card: '4111111111111111' };
    expect(mask(value, { name: ['n', 'm'] }, (label) => label === 'm' || label === 'pci.card')).toEqual({
      value: { name: '<m>', mail: 'jane@example.com', card: '<pci_card>' },
      labels: ['m', 'n', 'pci.card', 'pii.email'],
      masked: true,
    });
  });

  test('hides what is detected in strings, numbers and names of members', () => {
    const value = {
      text: 'to jane@example.com',
      card: 4111111111111111,
      id: 4111,
      'jane@example.com': 1,
      'john@example.com': 2,
    };
    expect(mask(value).value).toEqual({
      text: 'to <pii_email>',
      card: null,
      id: 4111,
      '<pii_email>': 1,
      '<pii_email>~2': 2,
    });
  });

  test('keeps the order of members, and members with names of the language', () => {
    const value: Json = JSON.parse('{"z":1,"a":2,"__proto__":{"x":"jane@example.com"},"constructor":3}');
    const masked = mask(value).value;
    expect(JSON.stringify(masked)).toBe('{"z":1,"a":2,"__proto__":{"x":"<pii_email>"},"constructor":3}');
    expect(({} as { x?: string }).x).toBeUndefined();
  });

  test('is refused when it is nested deeper than anybody needs', () => {
    const nested = JSON.parse('['.repeat(10_000) + ']'.repeat(10_000));
    expect(() => mask(nested)).toThrow(/nested more than 256/);
  });

  test('is a document of the same form, and the one given is left alone', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const before = JSON.stringify(value);
        const { value: masked } = mask(value as Json, { '': [] });
        expect(JSON.stringify(value)).toBe(before);
        if (!mask(value as Json).masked) expect(JSON.stringify(masked)).toBe(before);
      }),
    );
  });
});
