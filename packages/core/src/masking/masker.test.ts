import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testDigests } from '../../../../test/harness/digests.ts';
import type { CellShape } from '../contract/labels.ts';
import { createCellMasker } from './masker.ts';
import { isMasked } from './sentinel.ts';
import { parseStrategies, strategies } from './strategy.ts';

function masker(configured: Record<string, string> = {}, scope = 'run 1', key = 'deployment') {
  return createCellMasker({ strategies: parseStrategies(configured), digests: testDigests(key), scope });
}

const text: CellShape = { kind: 'text' };
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const uuid = '3f2b8c1e-9d4a-4c57-8e21-5a6b7c8d9e0f';

describe('what stands for a value computed from labelled ones', () => {
  const shapes: CellShape[] = [
    text,
    { kind: 'text', maxLength: 3 },
    { kind: 'json' },
    { kind: 'uuid' },
    { kind: 'other' },
  ];

  test.each(strategies)('says nothing and is valid under %s', (strategy) => {
    const made = shapes.map((shape) => masker({ secret: strategy }).hide(['secret'], shape));
    const hidden = ['#*masked*#', null, '"#*masked*#"', null, null];
    expect(made).toEqual(strategy === 'null' ? hidden.map(() => null) : hidden);
    for (const shown of made) if (shown !== null) expect(isMasked(shown)).toBe(true);
  });
});

describe('what a masked value shows', () => {
  test.each([
    ['pii.email', 'jane.doe@mail.example.com', 'j#***#@#***#.com'],
    ['pii.phone', '+49 (170) 123-4567', '#***#67'],
    ['pci.card', '4111 1111 1111 1111', '#***#1111'],
    ['pci.pan', '4111-1111-1111-1111', '#***#1111'],
    ['bank.iban', 'DE89 3704 0044 0532 0130 00', 'DE#***#3000'],
    ['pii.national_id', '123-45-6789', '#*masked*#'],
    ['secret', 'hunter2', '#*masked*#'],
    ['constructor', 'hunter2', '#*masked*#'],
  ])('by default, under %s: %s becomes %s', (label, value, shown) => {
    expect(masker().mask([label], text, value)).toBe(shown);
  });

  test.each([
    ['a local part that its first letter gives away', 'pii.email', 'jo@example.com', '#***#@#***#.com'],
    ['marks that make a short local part look long', 'pii.email', 'j\u0301\u0302\u0303@example.com', '#***#@#***#.com'],
    ['a local part of surrogate pairs', 'pii.email', '😀😀😀😀@example.com', '#***#@#***#.com'],
    ['a second @', 'pii.email', 'a.b.c@d@example.com', '#*masked*#'],
    ['a quoted local part', 'pii.email', '"very secret"@example.com', '#*masked*#'],
    ['no top-level domain', 'pii.email', 'root@localhost', '#*masked*#'],
    ['a secret where the domain should be', 'pii.email', 'root@x.correcthorsebattery', '#*masked*#'],
    ['padding', 'pii.email', '   jane@example.com\t ', 'j#***#@#***#.com'],
    ['something else than an address', 'pii.email', 'Jane Doe, Main Street 1', '#*masked*#'],
    ['nothing', 'pii.email', '', '#*masked*#'],
    ['a short number', 'pii.phone', '110', '#*masked*#'],
    ['few digits among signs', 'pii.phone', '(1) - (2) - 3', '#*masked*#'],
    ['words', 'pii.phone', 'call my neighbour 99', '#*masked*#'],
    ['a number that is no card', 'pci.card', '4111 1111 1111 1112', '#*masked*#'],
    ['digits of another script', 'pci.card', '٤١١١١١١١١١١١١١١١', '#*masked*#'],
    ['a number that is no IBAN', 'bank.iban', 'DE89 3704 0044 0532 0130 01', '#*masked*#'],
  ])('hides more when it meets %s', (_what, label, value, shown) => {
    expect(masker().mask([label], text, value)).toBe(shown);
  });

  test('a partial mask asked for by the operator shows a first letter of what is long enough', () => {
    const { mask } = masker({ 'pii.name': 'partial' });
    expect(mask(['pii.name'], text, 'Jane')).toBe('J#***#');
    expect(mask(['pii.name'], text, 'Bob')).toBe('#*masked*#');
    expect(mask(['pii.name'], text, 'B\u0301o\u0302b\u0303')).toBe('#*masked*#');
  });

  test('the most hiding strategy of several labels wins', () => {
    const configured = { a: 'null', b: 'redact', c: 'token', d: 'hash', e: 'partial' };
    const { mask } = masker(configured);
    expect(mask(['e', 'd'], text, 'value')).toMatch(/^masked_h/);
    expect(mask(['d', 'e', 'c'], text, 'value')).toMatch(/^masked_t/);
    expect(mask(['c', 'b', 'd'], text, 'value')).toBe('#*masked*#');
    expect(mask(['b', 'a', 'e'], text, 'value')).toBeNull();
  });

  test('two partial masks that would show different parts show none', () => {
    expect(masker().mask(['pii.email', 'pii.phone'], text, 'jane.doe@example.com')).toBe('#*masked*#');
    expect(masker().mask(['pii.email', 'contact.mail'], text, 'jane.doe@example.com')).toBe('j#***#@#***#.com');
  });

  test('a cell under no label is not decided', () => {
    expect(() => masker().mask([], text, 'value')).toThrow('under no label');
  });

  test('an unknown strategy names its label and the known ones', () => {
    expect(() => parseStrategies({ 'pii.email': 'blur' })).toThrow(/"pii.email".*"blur".*null, redact/);
  });
});

describe('what stays equal', () => {
  const { mask } = masker({ h: 'hash', t: 'token' });

  test('a hash is the same in the whole deployment and in no other', () => {
    const value = mask(['h'], text, 'jane');
    expect(masker({ h: 'hash' }, 'run 2').mask(['h'], text, 'jane')).toBe(value);
    expect(masker({ h: 'hash' }, 'run 1', 'other key').mask(['h'], text, 'jane')).not.toBe(value);
    expect(mask(['h'], text, 'john')).not.toBe(value);
  });

  test('a token is the same within its scope only, and under every label, so that joins still work', () => {
    const value = mask(['t'], text, 'jane');
    expect(masker({ t: 'token', u: 'token' }).mask(['u'], text, 'jane')).toBe(value);
    expect(masker({ t: 'token' }, 'run 2').mask(['t'], text, 'jane')).not.toBe(value);
    expect(mask(['h'], text, 'jane')?.slice(8)).not.toBe(value?.slice(8));
  });

  test('a UUID stays a UUID', () => {
    expect(mask(['t'], { kind: 'uuid' }, uuid)).toMatch(uuidForm);
    expect(mask(['h'], { kind: 'uuid' }, uuid.toUpperCase())).toBe(mask(['h'], { kind: 'uuid' }, uuid));
    expect(masker().mask(['secret'], { kind: 'uuid' }, uuid)).toBeNull();
  });
});

describe('any mask of any value', () => {
  const label = fc.constantFrom('pii.email', 'pii.phone', 'pci.card', 'bank.iban', 'pii.name');
  const strategy = fc.constantFrom(...strategies);
  const shape: fc.Arbitrary<CellShape> = fc.oneof(
    fc.record({ kind: fc.constant('text' as const), maxLength: fc.integer({ min: 1, max: 60 }) }),
    fc.constantFrom<CellShape>(text, { kind: 'json' }, { kind: 'uuid' }, { kind: 'other' }),
  );
  const value = fc.oneof(
    fc.emailAddress(),
    fc.stringMatching(/^\+?[0-9 ()-]{5,20}$/),
    fc.constantFrom('4111111111111111', 'DE89370400440532013000', uuid),
    fc.string({ unit: 'binary', maxLength: 300 }),
  );

  test('is valid for its shape, recognisable, the same each time, and not the value', () => {
    fc.assert(
      fc.property(label, strategy, shape, value, (name, how, form, secret) => {
        const { mask } = masker({ [name]: how });
        const masked = mask([name], form, secret);
        expect(masker({ [name]: how }).mask([name], form, secret)).toBe(masked);
        if (masked === null) return;
        expect(isMasked(masked)).toBe(true);
        expect(isMasked(masked.toUpperCase())).toBe(true);
        expect(isMasked(`update t set a = '${masked}' where b = 1`)).toBe(true);
        expect(masked).not.toBe(secret);
        if (form.kind === 'text') expect(masked.length).toBeLessThanOrEqual(form.maxLength ?? 1000);
        else if (form.kind === 'json') expect(typeof JSON.parse(masked)).toBe('string');
        else if (form.kind === 'uuid') expect(masked).toMatch(uuidForm);
        else expect.unreachable('a type without a valid mask must be null');
      }),
      { numRuns: 2000 },
    );
  });

  test('shows of a value at most four letters at its end, one at its start, and a top-level domain', () => {
    const marks = /#\*\*\*#|#\*masked\*#/g;
    fc.assert(
      fc.property(label, value, (name, secret) => {
        const masked = masker({ [name]: 'partial' }).mask([name], text, secret) ?? '';
        const shown = masked.replace(marks, '\0').split('\0');
        const known = secret.trim().toUpperCase();
        // Whatever is shown leaves most of the value unsaid.
        const letters = shown
          .join('')
          .replace('@', '')
          .replace(/\.[A-Za-z]{2,12}$/, '');
        expect(letters.length).toBeLessThanOrEqual(6);
        if (letters !== '') expect(letters.length * 2).toBeLessThanOrEqual(known.length);
      }),
      { numRuns: 2000 },
    );
  });
});
