// Whatever text comes, a meaning with actions comes out, or a MeaningError: never another error, never nothing.

import { MeaningError } from '@sluice/connectors/postgres/meaning/error.ts';
import { interpret } from '@sluice/connectors/postgres/meaning/interpret.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { calls } from './corpus-calls.ts';
import { definitions } from './corpus-definitions.ts';
import { reads } from './corpus-reads.ts';
import { session } from './corpus-session.ts';
import { writes } from './corpus-writes.ts';
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

const texts = [...reads, ...calls, ...writes, ...definitions, ...session].map(([text]) => text);
const words = [...new Set(texts.flatMap((text) => text.split(/\b/)))];

function understood(text: string): boolean {
  try {
    for (const meaning of interpret(text, sample.context)) {
      expect(meaning.actions.length, text).toBeGreaterThan(0);
      for (const action of meaning.actions) expect(action.resources.length, text).toBeGreaterThan(0);
    }
    return true;
  } catch (error) {
    if (!(error instanceof MeaningError)) throw error;
    // What went wrong inside is no statement's fault.
    expect(error.cause, `${text}: ${String(error.cause)}`).not.toBeInstanceOf(TypeError);
    return false;
  }
}

describe('interpreting', () => {
  test('survives any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void understood(text)),
      { numRuns: 2000 },
    );
  });

  test('survives statements put together from the words of others', () => {
    const word = fc.constantFrom(...words);
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (parts) => void understood(parts.join(' '))),
      { numRuns: 2000 },
    );
  });

  test('survives statements with a word changed, left out or doubled', () => {
    let count = 0;
    const edit = fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.constantFrom(...words), fc.constantFrom(0, 1, 2));
    fc.assert(
      fc.property(edit, ([text, place, word, how]) => {
        const parts = text.split(/\b/);
        const at = place % parts.length;
        parts.splice(at, how === 2 ? 0 : 1, ...(how === 0 ? [] : [word]));
        if (understood(parts.join(''))) count += 1;
      }),
      { numRuns: 6000 },
    );
    expect(count).toBeGreaterThan(500);
  });

  test('refuses a fragment of any statement put where a query is expected, or understands it', () => {
    const shapes = fc.constantFrom(
      'SELECT * FROM (%) q',
      'SELECT (%)',
      'WITH q AS (%) SELECT * FROM q',
      'EXPLAIN %',
      'PREPARE p AS %',
      'DECLARE c CURSOR FOR %',
      'COPY (%) TO STDOUT',
      'CREATE TABLE made AS %',
      'INSERT INTO orders (note) %',
      'CREATE VIEW made AS %',
      'CREATE FUNCTION made() RETURNS void BEGIN ATOMIC %; END',
    );
    fc.assert(
      fc.property(shapes, fc.constantFrom(...texts), (shape, text) => void understood(shape.replace('%', () => text))),
      { numRuns: 3000 },
    );
  });
});
