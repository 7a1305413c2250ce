import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scrubError } from './scrub-error.ts';

describe('a message of the server about masked data', () => {
  test('keeps severity, code and position, and loses everything that may quote a value', () => {
    const scrubbed = scrubError(
      new Map([
        ['S', 'FEHLER'],
        ['V', 'ERROR'],
        ['C', '23505'],
        ['M', 'duplicate key value violates unique constraint "customers_email_key"'],
        ['D', 'Key (email)=(jane@example.com) already exists.'],
        ['H', 'hint'],
        ['P', '17'],
        ['q', 'select 1'],
        ['W', 'PL/pgSQL function f() line 1'],
        ['n', 'customers_email_key'],
        ['R', '_bt_check_unique'],
      ]),
    );
    expect([...scrubbed.keys()]).toEqual(['S', 'V', 'C', 'M', 'P']);
    expect(Object.fromEntries(scrubbed)).toMatchObject({ S: 'ERROR', V: 'ERROR', C: '23505', P: '17' });
    expect(scrubbed.get('M')).toMatch(/constraint does not allow.*masked data/);
  });

  test('does not carry data out in a code, a severity or a position of its own', () => {
    const told = new Map([
      ['S', 'jane'],
      ['V', 'jane'],
      ['C', 'JANE1'],
      ['P', 'jane'],
      ['M', 'jane'],
    ]);
    expect(JSON.stringify([...scrubError(told)])).not.toMatch(/jane/i);
  });

  test('of a notice stays a notice', () => {
    const scrubbed = scrubError(
      new Map([
        ['S', 'NOTICE'],
        ['V', 'NOTICE'],
        ['C', '00000'],
        ['M', 'jane'],
      ]),
    );
    expect(scrubbed.get('V')).toBe('NOTICE');
    expect(scrubbed.get('M')).toMatch(/the server sent a message/);
  });

  test('is complete and says none of the text it came with, whatever fields there are', () => {
    const letter = fc.constantFrom(...'SVCMDHPpqWstcdnFLRXYZ');
    const text = fc.string({ minLength: 1 }).map((value) => `<${value}>`);
    fc.assert(
      fc.property(fc.array(fc.tuple(letter, text)), (fields) => {
        const scrubbed = scrubError(new Map(fields));
        for (const needed of 'SVCM') expect(scrubbed.get(needed)).toMatch(/^./);
        const said = [...scrubbed.values()].join('\0');
        for (const [, value] of fields) expect(said).not.toContain(value);
      }),
    );
  });
});
