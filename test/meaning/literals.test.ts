// Texts that differ in their literals only may share what is known of one of them, unless a value takes part in the
// meaning. Each is compared with a text that nothing is known of.

import { MeaningCache } from '@sluice/connectors/postgres/meaning/cache.ts';
import { MeaningError } from '@sluice/connectors/postgres/meaning/error.ts';
import * as grammar from '@sluice/connectors/postgres/meaning/grammar.ts';
import { interpret } from '@sluice/connectors/postgres/meaning/interpret.ts';
import type { MeaningContext, StatementMeaning } from '@sluice/connectors/postgres/meaning/statement.ts';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { calls } from './corpus-calls.ts';
import { definitions } from './corpus-definitions.ts';
import { reads } from './corpus-reads.ts';
import { session } from './corpus-session.ts';
import { writes } from './corpus-writes.ts';
import { queries } from './queries.ts';
import { randomQuery } from './random-query.ts';
import { openSample, type Sample, schema } from './sample.ts';

let server: TestPostgres;
let sample: Sample;
beforeAll(async () => {
  server = await createTestPostgres({ init: schema });
  sample = await openSample(server.url);
});
afterAll(async () => {
  await sample?.close();
  await server?.stop();
});

const numbers = ['0', '1', '2', '3', '8', '24', '53', '1259', '999999999', '2147483648', '99999999999999999999'];
const strings = [
  '',
  'x',
  '%',
  '0',
  '1 day',
  'on',
  'now',
  'calm',
  'search_path',
  'role',
  'public',
  'evil',
  'customers',
  'evil.customers',
  'public.numbers',
  'email',
  'pg_authid',
  "it''s",
  '; delete from customers',
  'select * from customers',
  '#*masked*#',
];

/** A part of the text that is not a literal, or one; found in a way of its own. */
const literal = /'(?:[^']|'')*'|(?<![\w.$"])\d+(?![\w.])/g;

function withLiterals(text: string, pick: (all: readonly string[]) => string): string {
  return text.replace(literal, (found) => (found.startsWith("'") ? `'${pick(strings)}'` : pick(numbers)));
}

/** All that anybody can learn of it; what was kept of an earlier text is nothing to learn. */
function tellWhole(meanings: readonly StatementMeaning[]): unknown {
  const told = meanings.map(({ literals, ...rest }) => ({ ...rest, literals: [...literals].sort() }));
  return JSON.parse(
    JSON.stringify(told, (key, value) => {
      if (key === 'model') return undefined;
      return key === 'fingerprint' ? value() : value;
    }),
  );
}

function outcome(text: string, ask: (text: string, ctx: MeaningContext) => readonly StatementMeaning[]): unknown {
  try {
    return tellWhole(ask(text, sample.context));
  } catch (error) {
    if (error instanceof MeaningError) return { refused: error.code, message: error.message, at: error.position };
    throw error;
  }
}

function compare(cache: MeaningCache, text: string): void {
  expect(
    outcome(text, (...args) => cache.interpret(...args)),
    text,
  ).toEqual(outcome(text, interpret));
}

const corpus = [...[...reads, ...calls, ...writes, ...definitions, ...session].map(([text]) => text), ...queries];
const withSome = [...new Set(corpus)].filter((text) => text.search(literal) >= 0);

afterEach(() => void vi.restoreAllMocks());

describe('a text that differs from others in its literals', () => {
  test.each(withSome)('means what it means by itself: %s', (text) => {
    const cache = new MeaningCache();
    let turn = 0;
    const inTurn = (all: readonly string[]): string => all[turn++ % all.length] ?? '';
    for (const each of [text, text, withLiterals(text, () => '1'), withLiterals(text, () => '2')]) compare(cache, each);
    for (let n = 0; n < strings.length; n++) {
      compare(cache, withLiterals(text, inTurn));
      turn += n;
    }
  });

  test('at random', () => {
    const cache = new MeaningCache();
    const seeds = fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(randomQuery, fc.array(seeds, { minLength: 3, maxLength: 3 }), (text, each) => {
        compare(cache, text);
        for (const picks of each) {
          let at = 0;
          const pick = (all: readonly string[]): string => all[(picks[at++ % picks.length] ?? 0) % all.length] ?? '';
          compare(cache, withLiterals(text, pick));
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    (n: number) => `select name from customers where id = ${n}`,
    (n: number) => `insert into orders (id, note) values (-${n}, 'it''s ${n}')`,
    (n: number) => `update orders set total = total + - ${n} where id = ${n * 2};`,
    (n: number) => `delete from orders where note in ('a${n}', '') and id < ${n - 1}`,
    (n: number) => `select date '2020-01-0${n}', name::varchar(${n}) from customers limit ${n}`,
  ])('is not parsed once two of its kind were: %s', (text) => {
    const cache = new MeaningCache();
    for (const n of [1, 2]) cache.interpret(text(n), sample.context);
    const parsed = vi.spyOn(grammar, 'parse');
    for (const n of [3, 4, 5]) cache.interpret(text(n), sample.context);
    expect(parsed).not.toHaveBeenCalled();
    cache.interpret(`${text(6)} -- comment`, sample.context);
    expect(parsed).toHaveBeenCalledOnce();
  });

  test('keeps its own text, in the meaning and in what is asked of policy', () => {
    const cache = new MeaningCache();
    for (const id of [1, 2]) cache.interpret(`select id from orders where id = ${id}`, sample.context);
    const [third] = cache.interpret('  select id from orders where id = 3 ; ', sample.context);
    expect(third?.text).toBe('select id from orders where id = 3');
    expect(third?.actions.map(({ text }) => text)).toEqual(['select id from orders where id = 3']);
    expect(third?.model).toBeUndefined();
    const [fourth] = cache.interpret('select id from orders where id = 4', sample.context);
    expect(fourth?.model).toBeDefined();
    expect(fourth?.actions.map(({ text }) => text)).toEqual(['select id from orders where id = 4']);
    expect(fourth?.actions[0]?.model).toBe(fourth?.model?.actions[0]);
    expect(Object.isFrozen(fourth?.actions[0]?.model)).toBe(true);
  });

  test('is known by one look at each of its blanks, however many there are', () => {
    const cache = new MeaningCache();
    const blanks = ' \t\n'.repeat(5_000);
    const text = (n: number): string => `select name from customers where id =${blanks}${n}${blanks.slice(0, 100)};`;
    // Looking from each blank on at those behind it takes a third of a second for each text, and more than a test may for all.
    for (let n = 0; n < 200; n++) {
      const [only] = cache.interpret(text(n), sample.context);
      expect(only?.text.endsWith(String(n))).toBe(true);
    }
  });

  test('shares nothing across a path, a role or a catalog', () => {
    const cache = new MeaningCache();
    for (const id of [1, 2, 3]) cache.interpret(`select name from customers where id = ${id}`, sample.context);
    const evil = { ...sample.context, searchPath: ['pg_catalog', 'evil', 'public'] };
    const [elsewhere] = cache.interpret('select name from customers where id = 4', evil);
    expect(elsewhere?.actions[0]?.resources[0]?.id).toBe('shop/evil/customers');
    const gone = { changes: [{ kind: 'gone', schema: 'public', name: 'customers' }] } as const;
    expect(() =>
      cache.interpret('select name from customers where id = 5', { ...sample.context, overlay: gone }),
    ).toThrow(MeaningError);
  });
});
