import type { Denial } from '@sluice/core/contract/session.ts';
import { describe, expect, test } from 'vitest';
import { cellValue } from './cells.ts';
import { resultOf, sessionKept } from './result.ts';
import type { Answer } from './wire-client.ts';

const types = (oid: number) => (oid === 23 ? { name: 'int4', element: 0 } : undefined);
const answer = (more: Partial<Answer> = {}): Answer => ({
  columns: [{ name: 'n', table: 0, attribute: 0, type: 23, typmod: -1, format: 0 }],
  rows: [['1']],
  leftOut: undefined,
  suspended: false,
  kept: false,
  tag: 'SELECT 1',
  error: undefined,
  notices: [],
  copy: false,
  status: 'I',
  ...more,
});
const error = new Map([
  ['C', '42501'],
  ['M', 'no'],
  ['P', '8'],
  ['D', 'why'],
  ['H', 'do'],
]);
const denial: Denial = { decision: 'deny', reason: 'r', policies: ['p'], hint: 'h' };

describe('cells', () => {
  test.each([
    [16, 't', true],
    [16, 'f', false],
    [23, '-5', -5],
    [20, '9007199254740991', 9_007_199_254_740_991],
    [20, '9007199254740993', '9007199254740993'],
    [701, '1.5', 1.5],
    [701, 'NaN', 'NaN'],
    [701, 'Infinity', 'Infinity'],
    [1700, '1.10', '1.10'],
    [3802, '{"a": 1}', '{"a": 1}'],
    [23, null, null],
    [23, '***', '***'],
    [23, '', ''],
    [16, '***', '***'],
  ])('of type %i that read %j are %j', (type, text, value) => {
    expect(cellValue(type, text)).toEqual(value);
  });
});

describe('a result', () => {
  test('tells of masks, and of why rows are missing', () => {
    const columns = [{ name: 'n', type: 'int4', format: 'text', masked: ['pii'] }] as const;
    expect(resultOf(answer({ leftOut: 'rows' }), { columns, rowLimit: true }, types)).toEqual({
      outcome: 'done',
      value: {
        columns: [{ name: 'n', type: 'int4', masked: ['pii'] }],
        rows: [[1]],
        row_count: 1,
        command: 'SELECT 1',
        truncated: true,
        truncated_by: 'max_rows',
      },
    });
  });

  test('is the denial that there was, and not its text on the wire', () => {
    expect(resultOf(answer({ error }), { denial }, types)).toEqual({ outcome: 'refused', denial });
  });

  test("is the database's own refusal, where there was no denial", () => {
    expect(resultOf(answer({ error }), {}, types)).toEqual({
      outcome: 'failed',
      code: '42501',
      message: 'no (at character 8)\nwhy\nHint: do',
    });
  });

  test('is no success while a transaction is open', () => {
    for (const status of ['T', 'E'] as const) {
      expect(resultOf(answer({ status, tag: 'BEGIN' }), {}, types)).toMatchObject({ outcome: 'failed', code: '25000' });
    }
  });

  test('is no success where rows were copied', () => {
    expect(resultOf(answer({ copy: true }), {}, types)).toMatchObject({ outcome: 'failed', code: '0A000' });
  });
});

describe('a session is kept', () => {
  test.each([
    ['after reading', answer(), {}, true],
    ['after writing', answer({ tag: 'INSERT 0 1' }), {}, true],
    ['with rows left', answer({ tag: '', suspended: true }), {}, true],
    ['after an error', answer({ tag: '', error }), {}, true],
    ['after a refusal of what would have lasted', answer({ tag: '', error }), { denial, lasting: true }, true],
    ['not after a setting', answer({ tag: 'SET' }), {}, false],
    ['not after a function that may set', answer(), { lasting: true }, false],
    ['not in a transaction', answer({ tag: 'BEGIN', status: 'T' }), {}, false],
    ['not after a table was made', answer({ tag: 'CREATE TABLE' }), {}, false],
  ])('%s', (_, given, findings, kept) => {
    expect(sessionKept(given, findings)).toBe(kept);
  });
});
