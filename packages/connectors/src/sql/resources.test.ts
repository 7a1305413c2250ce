import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inSchema, inTarget } from './resources.ts';
import { sqlDeclarations, sqlVerbs } from './verbs.ts';

describe('resources', () => {
  test('carry the whole path', () => {
    const table = inSchema('Table', 'shop', 'public', 'customers');
    expect(table).toMatchObject({ type: 'Table', id: 'shop/public/customers' });
    expect(table.parent).toMatchObject({ type: 'Schema', id: 'shop/public', parent: { type: 'Target', id: 'shop' } });
    expect(inTarget('Setting', 'shop', 'work_mem').id).toBe('shop/work_mem');
  });

  test('of different names never have one id, whatever is in a name', () => {
    const name = fc.string({ unit: fc.constantFrom('a', '/', '%', '2', 'F'), maxLength: 6 });
    fc.assert(
      fc.property(name, name, name, name, (schema, table, otherSchema, otherTable) => {
        const same = schema === otherSchema && table === otherTable;
        const [one, other] = [inSchema('Table', 't', schema, table), inSchema('Table', 't', otherSchema, otherTable)];
        expect(one.id === other.id).toBe(same);
      }),
    );
  });
});

describe('declarations', () => {
  test('name only resource types that are declared or the target', () => {
    const types = new Set(['Target', ...sqlDeclarations.resources.map(({ type }) => type)]);
    const named = Object.values(sqlVerbs).flatMap(({ resources }) => resources);
    expect(named.filter((type) => !types.has(type))).toEqual([]);
  });
});
