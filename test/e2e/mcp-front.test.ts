// The gateway's own MCP server, by the official clients of both generations, in front of a real database: what an agent
// can do, what it is told when it may not, and that nothing of one caller is another's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFrontGateway, type FrontClient, type FrontGateway, generations, people } from './mcp-front-gateway.ts';

let front: FrontGateway;
beforeAll(async () => {
  front = await createFrontGateway();
});
afterAll(() => front?.stop());

describe.each(generations)('the %s client', (generation) => {
  let client: FrontClient;
  beforeAll(async () => {
    client = await front.as(people.agent, generation);
  });

  test('is offered tools and told what they are', async () => {
    const tools = await client.tools();
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['list_targets', 'request_status', 'list_my_sessions', 'query', 'describe']),
    );
    const query = tools.find(({ name }) => name === 'query');
    expect(query).toMatchObject({
      annotations: { readOnlyHint: false },
      inputSchema: { required: ['target'], properties: { intent: { type: 'string' } } },
      outputSchema: { type: 'object', required: ['status'] },
    });
    expect(client.instructions()).toMatch(/list_targets/);
  });

  test('lists the targets it may connect to', async () => {
    const { status, result } = await client.call('list_targets', {});
    expect(status).toBe('done');
    expect(result['targets']).toEqual([
      { name: 'down', kind: 'postgres', tags: ['env=test'], operations: ['query', 'describe'] },
      { name: 'shop', kind: 'postgres', tags: ['env=test'], operations: ['query', 'describe'] },
    ]);
  });

  test('queries with parameters, and gets typed and masked values', async () => {
    const answer = await client.call('query', {
      target: 'shop',
      sql: 'SELECT id, name, email, born, active FROM app.people WHERE id = $1',
      parameters: [2],
    });
    expect(answer).toEqual({
      status: 'done',
      result: {
        columns: [
          { name: 'id', type: 'int4' },
          { name: 'name', type: 'text' },
          { name: 'email', type: 'text', masked: ['pii.email'] },
          { name: 'born', type: 'date' },
          { name: 'active', type: 'bool' },
        ],
        rows: [[2, 'name 2', expect.not.stringContaining('mail2'), '2001-02-03', true]],
        row_count: 1,
        command: 'SELECT 1',
        truncated: false,
      },
    });
  });
});

describe('a query', () => {
  let client: FrontClient;
  beforeAll(async () => {
    client = await front.as(people.agent);
  });
  const query = (sql: string, more: Record<string, unknown> = {}) =>
    client.call('query', { target: 'shop', sql, ...more });

  test('stops at max_rows, and says so', async () => {
    const { result } = await query('SELECT id FROM app.people ORDER BY id', { max_rows: 3 });
    expect(result).toMatchObject({ rows: [[1], [2], [3]], row_count: 3, truncated: true, truncated_by: 'max_rows' });
    const usual = await query('SELECT id FROM app.people ORDER BY id');
    expect(usual.result).toMatchObject({ row_count: 200, truncated: true });
    const less = await query('SELECT id FROM app.people WHERE id < 4', { max_rows: 10 });
    expect(less.result).toMatchObject({ row_count: 3, truncated: false, command: 'SELECT 3' });
  });

  test('stops where policy limits rows, and says so', async () => {
    const { result } = await query('SELECT id, size, parts FROM app.logs ORDER BY id');
    expect(result).toMatchObject({ row_count: 2, truncated: true, truncated_by: 'policy' });
    expect(result['columns']).toEqual([
      { name: 'id', type: 'int4' },
      { name: 'size', type: 'int8' },
      { name: 'parts', type: 'text[]' },
    ]);
    expect(result['rows']).toEqual([
      [1, '9007199254740993', '{a,b}'],
      [2, '9007199254740993', '{a,b}'],
    ]);
  });

  test('stops at a megabyte, and says so', async () => {
    const { result } = await query("SELECT n, repeat('x', 100000) FROM generate_series(1, 100) n");
    expect(result).toMatchObject({ row_count: 10, truncated: true, truncated_by: 'bytes' });
    const huge = await query("SELECT repeat('x', 3000000)");
    expect(huge.result).toMatchObject({ row_count: 0, truncated: true, truncated_by: 'bytes' });
  });

  test('with effects runs to its end, however few rows are wanted', async () => {
    const { result } = await query(
      "INSERT INTO app.scratch (note) SELECT 'note ' || n FROM generate_series(1, 50) n RETURNING note",
      { max_rows: 2 },
    );
    expect(result).toMatchObject({ row_count: 2, command: 'INSERT 0 50', truncated: true, truncated_by: 'max_rows' });
    expect(await front.postgres.sql('SELECT count(*)::int AS n FROM app.scratch')).toEqual([{ n: 50 }]);
  });

  test('without rows tells the columns all the same', async () => {
    const { result } = await query('SELECT id, email FROM app.people WHERE false');
    expect(result).toMatchObject({ rows: [], command: 'SELECT 0', columns: [{ name: 'id' }, { name: 'email' }] });
  });

  test('may be of many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => query('SELECT $1::int AS n', { parameters: [index] })),
    );
    expect(answers.map(({ result }) => (result['rows'] as number[][])[0]?.[0])).toEqual(
      Array.from({ length: 20 }, (_, index) => index),
    );
  });

  test('takes every kind of parameter', async () => {
    const { result } = await query('SELECT $1::text, $2::numeric, $3::bool, $4::text, $5::jsonb, $6::text', {
      parameters: ["it's; --", 1.5, true, null, '{"a": 1}', 'æøå 🎈'],
    });
    expect(result['rows']).toEqual([["it's; --", '1.5', true, null, '{"a": 1}', 'æøå 🎈']]);
  });

  test("fails in the database's own words", async () => {
    expect(await query('SELECT 1/0')).toMatchObject({ isError: true, status: 'failed', code: '22012' });
    expect(await query('SELECT nothing FROM app.people')).toMatchObject({ status: 'failed', code: '42703' });
    expect(await query('SELEKT')).toMatchObject({ status: 'failed', code: '42601' });
    expect(await query('SELECT 1; SELECT 2')).toMatchObject({ status: 'failed', code: '42601' });
  });

  test('is no way to COPY, and the next call goes on', async () => {
    expect(await query('COPY app.scratch TO STDOUT')).toMatchObject({ status: 'failed', code: '0A000' });
    expect(await query('COPY app.scratch FROM STDIN')).toMatchObject({ status: 'failed', code: '0A000' });
    expect(await query('SELECT 1')).toMatchObject({ status: 'done' });
  });

  test('leaves no transaction and no setting behind', async () => {
    expect(await query('BEGIN')).toMatchObject({ isError: true, status: 'failed', code: '25000' });
    const set = await query("SET statement_timeout = '5s'");
    expect(set.result).toMatchObject({ command: 'SET', notices: [expect.stringMatching(/gone after it/)] });
    expect((await query('SHOW statement_timeout')).result['rows']).toEqual([['0']]);
    await query("SELECT set_config('statement_timeout', '7s', false)");
    expect((await query('SHOW statement_timeout')).result['rows']).toEqual([['0']]);
  });

  test('with arguments that mean nothing is told what they should be', async () => {
    expect(await query('')).toMatchObject({ isError: true, status: 'failed', code: 'arguments' });
    expect(await query('SELECT 1', { parameters: [{}] })).toMatchObject({ status: 'failed', code: 'arguments' });
    expect(await query('SELECT 1', { max_rows: 5_000 })).toMatchObject({ status: 'failed', code: 'arguments' });
    expect(await query('SELECT 1', { nonsense: 1 })).toMatchObject({ status: 'failed', code: 'arguments' });
    expect(await client.call('query', { sql: 'SELECT 1' })).toMatchObject({ status: 'failed', code: 'arguments' });
    expect(await client.call('nothing', {})).toMatchObject({ status: 'failed', code: 'unknown_tool' });
    expect(await query('SELECT 1', { target: 'nowhere' })).toMatchObject({ status: 'failed', code: 'unknown_target' });
  });
});

describe('what policy denies', () => {
  test('teaches, and reaches nothing', async () => {
    const client = await front.as(people.agent);
    const answer = await client.call('query', { target: 'shop', sql: 'SELECT * FROM app.secrets' });
    expect(answer).toMatchObject({
      isError: true,
      status: 'denied',
      reason: expect.stringMatching(/Secrets are nobody's business/),
      policies: ['no-secrets'],
      hint: expect.any(String),
    });
    expect(JSON.stringify(answer)).not.toMatch(/do not tell/);
  });

  test('finding out a masked value is denied as well', async () => {
    const client = await front.as(people.agent);
    const sql = "SELECT id FROM app.people WHERE email LIKE 'mail2@%'";
    expect(await client.call('query', { target: 'shop', sql })).toMatchObject({ status: 'denied' });
  });

  test('a target that one may not connect to is as unknown as one that is not there', async () => {
    const client = await front.as(people.nobody);
    const [there, nowhere] = await Promise.all(
      ['shop', 'nowhere'].map((target) => client.call('query', { target, sql: 'SELECT 1' })),
    );
    expect(there).toEqual(nowhere);
    expect((await client.call('list_targets', {})).result).toEqual({ targets: [] });
    expect((await client.tools()).map(({ name }) => name)).not.toContain('query');
  });
});

test('a target that is down fails, and nothing is told of where it should be', async () => {
  const client = await front.as(people.agent);
  const answer = await client.call('query', { target: 'down', sql: 'SELECT 1' });
  expect(answer).toMatchObject({ isError: true, status: 'failed', code: 'upstream_unreachable' });
  expect(JSON.stringify(answer)).not.toMatch(/127\.0\.0\.1/);
});

describe('describing', () => {
  interface Described {
    readonly schema: string;
    readonly name: string;
    readonly needs_consent?: boolean;
    readonly columns: readonly { readonly name: string; readonly masked?: readonly string[] }[];
  }
  const tables = async (client: FrontClient, filter = 'app.'): Promise<readonly Described[]> =>
    (await client.call('describe', { target: 'shop', filter })).result['tables'] as Described[];

  test('shows what may be read, and what of it comes masked', async () => {
    const found = await tables(await front.as(people.agent));
    expect(found.map(({ name }) => name)).toEqual(['ledger', 'logs', 'mails', 'people', 'scratch']);
    expect(found.map(({ needs_consent: asks }) => asks ?? false)).toEqual([true, false, false, false, false]);
    const columns = found.find(({ name }) => name === 'people')?.columns;
    expect(columns?.map(({ name }) => name)).toEqual(['id', 'name', 'email', 'born', 'active']);
    expect(columns?.find(({ name }) => name === 'email')).toMatchObject({ type: 'text', masked: ['pii.email'] });
    const view = found.find(({ name }) => name === 'mails')?.columns;
    expect(view?.find(({ name }) => name === 'email')?.masked).toEqual(['pii.email']);
  });

  test('masks nothing for who may see it', async () => {
    const found = await tables(await front.as(people.trusted), 'APP.PEO');
    expect(found.map(({ name }) => name)).toEqual(['people']);
    expect(JSON.stringify(found)).not.toMatch(/masked/);
  });
});
