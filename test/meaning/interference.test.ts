// The promise of masking, tried with two databases that differ in labelled values only: what a query shows in clear, how
// many rows it gives, and whether it fails, must be the same on both, unless the gateway said that the query asks about
// a labelled value. (Whether it equals something the client sent is allowed; no constant here does so in one only.)

import { MeaningError } from '@sluice/connectors/postgres/meaning/error.ts';
import { interpret } from '@sluice/connectors/postgres/meaning/interpret.ts';
import type { StatementMeaning } from '@sluice/connectors/postgres/meaning/statement.ts';
import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { randomQuery } from './random-query.ts';
import { openSample, type Sample, schema } from './sample.ts';

const runs = 1500;

let server: TestPostgres;
let sample: Sample;
let other: Client;

/** Other values, in another order and of other lengths, some of them numbers. */
const otherSchema = schema
  .replaceAll("'CANARY_email_' || n", "(9 - n) || 'mail'")
  .replaceAll("'CANARY_phone_' || n", "CASE WHEN n < 3 THEN 'tel' ELSE '' END || (20 - n)")
  .replaceAll("'CSSN' || n", '(70 - n * n)::text')
  .replaceAll("'CANARY_card_' || n", '(100 - n)::text')
  .replaceAll('CANARY_email_vip', 'a')
  .replaceAll('CANARY_phone_vip', 'b')
  .replaceAll('CSSNv', 'c');

beforeAll(async () => {
  server = await createTestPostgres({ init: schema });
  await server.sql('CREATE DATABASE other');
  const url = new URL(server.url);
  url.pathname = '/other';
  other = new Client({ connectionString: url.href });
  await other.connect();
  await other.query(otherSchema);
  sample = await openSample(server.url);
  for (const client of [sample.client, other]) {
    // One way to run each query, whatever the statistics say.
    await client.query(
      "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_hashagg = off; SET statement_timeout = '5s'",
    );
  }
});
afterAll(async () => {
  await other?.end();
  await sample?.close();
  await server?.stop();
});

type Seen = { readonly failed: string } | { readonly rows: readonly string[] };

/** What is left to see when every labelled column is hidden. */
async function look(
  client: Client,
  text: string,
  meaning: StatementMeaning,
  own: boolean,
): Promise<Seen & { hidden?: readonly boolean[] }> {
  try {
    const { rows, fields } = await client.query({ text, rowMode: 'array' });
    const hidden = own
      ? fields.map((field) => {
          const labels =
            field.tableID === 0
              ? meaning.expressionLabels
              : (sample.catalog.columnLabels(field.tableID, field.columnID) ?? ['unknown']);
          return labels.length > 0;
        })
      : undefined;
    const shown = (rows as unknown[][]).map((row) => JSON.stringify(row));
    return hidden === undefined ? { rows: shown } : { rows: shown, hidden };
  } catch (error) {
    return { failed: (error as { code?: string }).code ?? 'unknown' };
  }
}

function inClear(seen: Seen, hidden: readonly boolean[]): unknown {
  if ('failed' in seen) return seen;
  return seen.rows.map((row) => (JSON.parse(row) as unknown[]).map((cell, at) => (hidden[at] === true ? '#' : cell)));
}

describe('a query without exposures', () => {
  const counts = { refused: 0, exposed: 0, failed: 0, compared: 0, hiding: 0 };

  test('shows the same of two databases that differ in labelled values only', async () => {
    await fc.assert(
      fc.asyncProperty(randomQuery, async (text) => {
        let meaning: StatementMeaning | undefined;
        try {
          [meaning] = interpret(text, sample.context);
        } catch (error) {
          expect(error).toBeInstanceOf(MeaningError);
          counts.refused += 1;
        }
        if (meaning === undefined) return;
        if (meaning.exposures.length > 0) {
          counts.exposed += 1;
          return;
        }
        const one = await look(sample.client, text, meaning, true);
        const two = await look(other, text, meaning, false);
        const hidden = one.hidden ?? [];
        if ('failed' in one) counts.failed += 1;
        else counts.compared += 1;
        if (hidden.includes(true)) counts.hiding += 1;
        expect(inClear(two, hidden)).toEqual(inClear(one, hidden));
      }),
      { numRuns: runs },
    );
    // The test is worth something only if it compares, and compares what is hidden.
    expect(counts.compared, JSON.stringify(counts)).toBeGreaterThan(runs / 5);
    expect(counts.hiding, JSON.stringify(counts)).toBeGreaterThan(runs / 10);
    expect(counts.refused, JSON.stringify(counts)).toBeLessThan(runs / 10);
  });
});
