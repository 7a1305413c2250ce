// The operation on databases, through the gateway's own MCP server: what could be left behind in a session for the next
// call, more than one statement or more rows than asked for, and one principal in another's session. One way per row,
// phrased as what must come of it. Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFrontGateway, type FrontClient, type FrontGateway, people } from '../e2e/mcp-front-gateway.ts';

let front: FrontGateway;
let client: FrontClient;

beforeAll(async () => {
  front = await createFrontGateway();
  client = await front.as(people.agent);
});
afterAll(() => front?.stop());

const query = (sql: string, more: Record<string, unknown> = {}) =>
  client.call('query', { target: 'shop', sql, ...more });

/** Of the database itself: nothing of what the call held is held any more. */
async function quiet(): Promise<void> {
  const held = async () => {
    const rows = await front.postgres.sql(
      "SELECT (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks, (SELECT count(*)::int FROM pg_stat_activity WHERE state LIKE 'idle in transaction%') AS open",
    );
    return rows[0];
  };
  await expect.poll(held, { timeout: 10_000 }).toEqual({ locks: 0, open: 0 });
}

describe('nothing is left behind for the next call by', () => {
  test.each([
    'BEGIN',
    'START TRANSACTION READ ONLY',
    'BEGIN ISOLATION LEVEL SERIALIZABLE',
    'DECLARE c CURSOR WITH HOLD FOR SELECT 1',
    'PREPARE p AS SELECT 1',
    'LISTEN somebody',
    'SET search_path = pg_catalog, app',
    'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    "SET statement_timeout = '1ms'",
    'SET ROLE pg_monitor',
    "SELECT set_config('search_path', 'app', false)",
    "SELECT set_config('statement_timeout', '1', false)",
    'SELECT pg_advisory_lock(4711)',
    'SELECT pg_try_advisory_lock(4712) FROM app.people WHERE id = 1',
    'CREATE TEMPORARY TABLE people AS SELECT 1 AS id',
    'CREATE TEMP VIEW people AS SELECT 1 AS id',
    'LOCK TABLE app.scratch',
    'SAVEPOINT s',
    'COMMIT AND CHAIN',
    'PREPARE TRANSACTION $$x$$',
    'COPY app.scratch TO STDOUT',
    'COPY app.scratch FROM STDIN',
    'SELECT 1 / 0',
    'VACUUM app.scratch',
  ])('%s', async (sql) => {
    await query(sql);
    await quiet();
    const clean = await query('SELECT id FROM app.people WHERE id = 5');
    expect(clean, JSON.stringify(clean)).toMatchObject({ status: 'done', result: { rows: [[5]] } });
    const seen = await query("SELECT current_setting('statement_timeout'), current_setting('transaction_isolation')");
    if (seen.status === 'done') expect(seen.result['rows']).toEqual([['0', 'read committed']]);
    const bare = await query('SELECT id FROM people WHERE id = 5');
    expect(bare.status, JSON.stringify(bare)).not.toBe('done');
  });
});

describe('one call is one statement and as many rows as were asked for', () => {
  test.each([
    "INSERT INTO app.scratch (note) VALUES ('one'); INSERT INTO app.scratch (note) VALUES ('two')",
    "SELECT 1; INSERT INTO app.scratch (note) VALUES ('two')",
    "SELECT 1;;INSERT INTO app.scratch (note) VALUES ('two');",
    "SELECT 1 /* ; */; -- \nINSERT INTO app.scratch (note) VALUES ('two')",
    "COMMIT; INSERT INTO app.scratch (note) VALUES ('two')",
    "DO $$ BEGIN INSERT INTO app.scratch (note) VALUES ('two'); END $$",
  ])('%s', async (sql) => {
    expect((await query(sql)).isError).toBe(true);
    expect(await front.postgres.sql('SELECT note FROM app.scratch')).toEqual([]);
  });

  test.each([0, -1, 1.5, 1_001, 1e9, '5', null, true, [1]])('max_rows %s is none', async (max_rows) => {
    expect(await query('SELECT id FROM app.people', { max_rows })).toMatchObject({ status: 'failed' });
  });

  test.each([
    'SELECT id FROM app.people',
    'SELECT id FROM app.people FETCH FIRST 400 ROWS ONLY',
    'WITH x AS (SELECT id FROM app.people) SELECT * FROM x',
    'VALUES (1), (2), (3), (4)',
    'SELECT generate_series(1, 1000000)',
    'UPDATE app.people SET active = active RETURNING id',
    'TABLE app.logs',
  ])('%s gives no more than three', async (sql) => {
    const answer = await query(sql, { max_rows: 3 });
    if (answer.status !== 'done') return expect(answer.status).toBe('denied');
    expect((answer.result['rows'] as unknown[]).length).toBeLessThanOrEqual(3);
    expect(answer.result).toMatchObject({ truncated: true });
  });

  test('cells that are too large are left out, and said to be', async () => {
    const answer = await query("SELECT repeat('x', 3000000), 1");
    expect(answer).toMatchObject({ status: 'done', result: { rows: [], truncated: true, truncated_by: 'bytes' } });
  });
});

describe('a principal is alone in its session', () => {
  test('also with the run, the step and the application of another', async () => {
    const other = await front.as(people.trusted);
    const call = (whose: FrontClient) =>
      whose.call('query', {
        target: 'shop',
        sql: 'SELECT email FROM app.people WHERE id = 5',
        run: 'same',
        step: 'same',
      });
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => call(n % 2 === 0 ? client : other)));
    for (const [n, { result }] of answers.entries()) {
      const shown = JSON.stringify(result['rows']).includes('mail5@example.com');
      expect(shown).toBe(n % 2 === 1);
    }
  });

  test('and with a later token that says less of it has less', async () => {
    const more = await front.as({ ...people.trusted });
    const less = await front.as({ ...people.trusted, groups: ['agents'] });
    const call = (whose: FrontClient) =>
      whose.call('query', { target: 'shop', sql: 'SELECT email FROM app.people WHERE id = 6', run: 'r' });
    expect(JSON.stringify(await call(more))).toContain('mail6@example.com');
    expect(JSON.stringify(await call(less))).not.toContain('mail6@example.com');
  });
});
