// What the gateway says a query touches, against what the server itself says: which table each result column comes from
// (RowDescription) and which relations it locks. And the point of it all: no labelled value leaves in a cell that is not
// labelled, whatever the query makes of it.

import { interpret } from '@sluice/connectors/postgres/meaning/interpret.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { queries } from './queries.ts';
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

/** Values of the sample that only labelled columns hold, with the label. A part of one is as bad as all of it. */
const canaries: readonly [text: string, label: string][] = [
  ['canary_email', 'pii.email'],
  ['canary_phone', 'pii.phone'],
  ['canary_card', 'pci'],
  ['cssn', 'pii.ssn'],
];

async function inTransaction<T>(work: () => Promise<T>): Promise<T> {
  await sample.client.query('BEGIN');
  try {
    return await work();
  } finally {
    await sample.client.query('ROLLBACK');
  }
}

describe('the meaning of a query agrees with the server', () => {
  test.each(queries)('%s', async (text) => {
    const [meaning] = interpret(text, sample.context);
    if (meaning === undefined) throw new Error('no meaning');
    await inTransaction(async () => {
      const result = await sample.client.query({ text, rowMode: 'array' });
      const labelsOf = result.fields.map((field) =>
        field.tableID === 0 ? meaning.expressionLabels : sample.catalog.columnLabels(field.tableID, field.columnID),
      );
      for (const row of result.rows as unknown[][]) {
        row.forEach((cell, at) => {
          const shown = JSON.stringify(cell)?.toLowerCase() ?? '';
          for (const [canary, label] of canaries) {
            if (shown.includes(canary)) expect(labelsOf[at], `column ${at + 1} shows ${label}`).toContain(label);
          }
        });
      }
      const locked = await sample.client.query<{ relation: number; name: string }>(
        `SELECT DISTINCT relation, relation::regclass::text AS name FROM pg_locks JOIN pg_class ON pg_class.oid = relation
         WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation >= 16384 AND relkind NOT IN ('i', 'I', 't', 'S')`,
      );
      const touched = new Set(meaning.relations);
      const missed = locked.rows.filter(({ relation }) => !touched.has(Number(relation)));
      // What a function touches in its body is never seen; that it is called is an action.
      if (!meaning.actions.some(({ verb }) => verb === 'sql:call')) expect(missed.map(({ name }) => name)).toEqual([]);
    });
  });
});
