// What statements mean, as a table: every kind of statement, and every way known of reading a value without its label,
// writing where no write shows, or changing what a name means. A row that is wrong is a hole; rows are added, not removed.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { calls } from './corpus-calls.ts';
import { definitions } from './corpus-definitions.ts';
import { reads } from './corpus-reads.ts';
import type { Row } from './corpus-row.ts';
import { session } from './corpus-session.ts';
import { writes } from './corpus-writes.ts';
import { openSample, type Sample, schema } from './sample.ts';
import { tellAll } from './telling.ts';

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

const corpora: readonly [string, readonly Row[]][] = [
  ['reading', reads],
  ['calling', calls],
  ['writing', writes],
  ['defining', definitions],
  ['steering the session', session],
];

describe.each(corpora)('%s', (_name, rows) => {
  test.each(rows)('%s', (text, meaning) => {
    expect(tellAll(text, sample.context)).toEqual(meaning);
  });

  test.each(rows)('the same with comments and blanks: %s', (text, meaning) => {
    const spaced = `/* a /* b */ ; */\n\t${text.replaceAll(/^(\w+) /g, '$1 -- c;\n ')} -- d ;`;
    if (!meaning.some((one) => one.startsWith('refused'))) expect(tellAll(spaced, sample.context)).toEqual(meaning);
  });
});
