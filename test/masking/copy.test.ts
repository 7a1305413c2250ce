// What the server itself writes with COPY, masked, and read back by the server: the one reader whose opinion of a
// masked stream counts.

import { spawnSync } from 'node:child_process';
import { type CopyOut, createCopyMasker } from '@sluice/connectors/postgres/cells/copy-masker.ts';
import { typeOid } from '@sluice/connectors/postgres/cells/shapes.ts';
import type { CellMasker } from '@sluice/core/contract/labels.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPsql, needing } from '../harness/clients.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';

const psql = findPsql();

const shown = '#***#,"\\\t';
const masker: CellMasker = {
  mask: (_labels, shape) => (shape.kind === 'other' ? null : shown),
  hide: (_labels, shape) => (shape.kind === 'other' ? null : shown),
};

const awkward = [
  'plain',
  '',
  '\\N',
  '\\.',
  'NULL',
  'tab\there',
  'line\nbreak',
  'return\r\n',
  'back\\slash\\',
  '"quoted"',
  "it's",
  'comma, semi; pipe| hash# star*',
  ' padded ',
  'ünïcode 😀',
  '\u0001\u0008\u000b',
];

type Options = Omit<CopyOut, 'columns'>;
const none = { delimiter: '', nullText: '', quote: '', escape: '', header: false };
const formats: [string, Options][] = [
  ['format text', { ...none, format: 'text', delimiter: '\t', nullText: '\\N' }],
  [
    `format text, delimiter '|', null 'NULL', header`,
    { ...none, format: 'text', delimiter: '|', nullText: 'NULL', header: true },
  ],
  [`format text, delimiter '#', null ''`, { ...none, format: 'text', delimiter: '#' }],
  ['format csv', { ...none, format: 'csv', delimiter: ',', quote: '"', escape: '"' }],
  [
    `format csv, delimiter ';', null 'NULL', quote '''', escape '\\', header`,
    { format: 'csv', delimiter: ';', nullText: 'NULL', quote: "'", escape: '\\', header: true },
  ],
  [
    `format csv, delimiter '*', quote '#', escape ','`,
    { ...none, format: 'csv', delimiter: '*', quote: '#', escape: ',' },
  ],
  ['format binary', { ...none, format: 'binary' }],
];

const columns = [
  { labels: [] },
  { labels: ['pii'], type: typeOid.text },
  { labels: [] },
  { labels: ['pii'], type: 1700 },
  { labels: [] },
];

describe('a masked COPY', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await createTestPostgres({
      init: `
        create table original (id int, secret text, clear text, amount numeric, many text[]);
        create table unmasked (like original);
        create table masked (like original);`,
    });
    for (const [id, value] of awkward.entries()) {
      await server.sql('insert into original values ($1, $2, $2, 1.5, array[$2])', [id, value]);
    }
    await server.sql('insert into original (id) values (99)');
  });
  afterAll(() => server.stop());

  const run = (command: string, input?: Uint8Array): Buffer => {
    if (!psql.there) throw new Error(psql.reason);
    const args = [server.url, '-v', 'ON_ERROR_STOP=1', '-q', '-c', command];
    const { stdout, stderr, status } = spawnSync(psql.path, args, { input: input ?? '', timeout: 30_000 });
    if (status !== 0) throw new Error(`${command}: ${stderr}`);
    return stdout;
  };

  test.skipIf(!psql.there).each(formats)(needing(psql, 'is read back by the server (%s)'), async (options, copy) => {
    const stream = run(`copy original to stdout (${options})`);
    const rows = createCopyMasker({ ...copy, columns }, masker);
    const output = rows.push(stream);
    rows.end();
    await server.sql('truncate masked, unmasked');
    run(`copy unmasked from stdin (${options})`, stream);
    run(`copy masked from stdin (${options})`, output);

    // Text format with a null text that values can have is ambiguous by itself: what counts is what the server makes
    // of its own stream.
    const before = await server.sql('select * from unmasked order by id');
    const secrets = await server.sql<{ secret: string | null }>('select secret from original order by id');
    const after = await server.sql('select * from masked order by id');
    // There, nulls are masked like any value, so that nobody can ask for a value by calling it null.
    const nullShown = copy.format === 'text' && copy.nullText !== '\\N' ? shown : null;
    expect(after).toEqual(
      before.map((row, index) => ({
        ...row,
        secret: secrets[index]?.secret === null ? nullShown : shown,
        amount: null,
      })),
    );
  });
});
