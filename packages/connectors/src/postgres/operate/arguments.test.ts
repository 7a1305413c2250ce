import { describe, expect, test } from 'vitest';
import { ArgumentError, describeArguments, queryArguments } from './arguments.ts';

describe('arguments of a query', () => {
  test('are read, with what is usual for what is not said', () => {
    expect(queryArguments({ sql: 'SELECT 1' })).toEqual({
      kind: 'statement',
      text: 'SELECT 1',
      parameters: [],
      rows: 200,
      bytes: 1_048_576,
    });
    const parameters = ['x', 1.5, 1e21, true, false, null, ''];
    expect(queryArguments({ sql: 'x', parameters, max_rows: 1_000 })).toMatchObject({
      parameters: ['x', '1.5', '1e+21', 'true', 'false', null, ''],
      rows: 1_000,
    });
  });

  test.each([
    {},
    { sql: 1 },
    { sql: ' ' },
    { sql: 'a\0' },
    { sql: 'x', parameters: 'y' },
    { sql: 'x', parameters: [['y']] },
    { sql: 'x', parameters: ['\0'] },
    { sql: 'x', parameters: Array(257).fill(1) },
    { sql: 'x', max_rows: 0 },
    { sql: 'x', max_rows: 1_001 },
    { sql: 'x', max_rows: 1.5 },
    { sql: 'x', max_rows: '5' },
    { sql: 'x', cursor: 'y' },
    { cursor: 'x', parameters: [] },
    { cursor: 'x', max_rows: 0 },
    { cursor: 'x', other: 1 },
    { cursor: 1 },
    { cursor: undefined as unknown as string },
  ])('are refused when they mean nothing: %j', (input) => {
    expect(() => queryArguments(input)).toThrow(ArgumentError);
  });

  test('are a cursor in place of a statement', () => {
    expect(queryArguments({ cursor: 'x' })).toEqual({ kind: 'more', rows: 200, bytes: 1_048_576 });
    expect(queryArguments({ cursor: 'x', max_rows: 7 })).toMatchObject({ kind: 'more', rows: 7 });
  });

  test('are never repeated in the refusal', () => {
    expect(() => queryArguments({ sql: 'x', parameters: [{ secret: 'hunter2' }] })).toThrow(/Parameter \$1/);
    expect(() => queryArguments({ sql: 'x', parameters: [{ secret: 'hunter2' }] })).not.toThrow(/hunter2/);
  });
});

test('arguments of a description are a filter, in any case', () => {
  expect([describeArguments({}), describeArguments({ filter: 'App.X' })]).toEqual(['', 'app.x']);
  for (const input of [{ filter: 1 }, { filter: 'x'.repeat(129) }, { other: 1 }]) {
    expect(() => describeArguments(input)).toThrow(ArgumentError);
  }
});
