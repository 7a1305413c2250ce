// PostgreSQL's own programs through the gateway, over TLS, under a policy that permits everything: they must not notice.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPgbench, findPgDump, findPsql, needing, type RealClient } from '../harness/clients.ts';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { type Finished, runProgram, startProgram } from '../harness/run-program.ts';

const psql = findPsql();
const pgbench = findPgbench();
const pgDump = findPgDump();
const engineer = { sub: 'erin', groups: ['engineers'] };

const schema = `
CREATE SCHEMA sales;
CREATE TYPE sales.state AS ENUM ('new', 'paid');
CREATE TABLE sales.customers (id serial PRIMARY KEY, email text NOT NULL UNIQUE, born date, CHECK (email <> ''));
CREATE TABLE sales.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES sales.customers,
  state sales.state DEFAULT 'new', total numeric(10,2), tags text[], extra jsonb);
CREATE INDEX orders_by_state ON sales.orders (state) WHERE state <> 'paid';
CREATE VIEW sales.open_orders AS SELECT o.id, c.email FROM sales.orders o JOIN sales.customers c ON c.id = o.customer;
CREATE FUNCTION sales.double(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE TABLE t (id int PRIMARY KEY, name text, at timestamptz DEFAULT now());
COMMENT ON TABLE t IS 'plain';
INSERT INTO sales.customers (email, born) SELECT 'c' || n || '@example.com', date '1980-01-01' + n FROM generate_series(1, 50) n;
INSERT INTO sales.orders (customer, total, tags, extra) SELECT n, n * 1.5, ARRAY['a', 'b'], '{"x": 1}' FROM generate_series(1, 50) n;
INSERT INTO t (id, name, at) SELECT n, 'name ' || n || E'\\t\\\\', '2026-01-01' FROM generate_series(1, 200) n;
`;

let postgres: TestPostgres;
let gateway: TestGateway;
let folder: string;
let through: Record<string, string>;
let direct: Record<string, string>;

beforeAll(async () => {
  postgres = await createTestPostgres({ log: true, tls: true, init: schema });
  gateway = await createTestGateway({ postgres, tls: true, targetTls: 'require' });
  folder = await mkdtemp(join(tmpdir(), 'sluice-e2e-libpq-'));
  await writeFile(join(folder, 'ca.crt'), gateway.ca?.cert ?? '');
  through = {
    PGHOST: 'localhost',
    PGHOSTADDR: gateway.host,
    PGPORT: String(gateway.port),
    PGDATABASE: 'shop',
    PGUSER: 'erin',
    PGPASSWORD: await gateway.token(engineer),
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: join(folder, 'ca.crt'),
  };
  direct = {
    PGHOST: postgres.host,
    PGPORT: String(postgres.port),
    PGDATABASE: postgres.database,
    PGUSER: postgres.superuser,
    PGPASSWORD: postgres.password,
    PGSSLMODE: 'require',
  };
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

function pathOf(client: RealClient): string {
  if (!client.there) throw new Error(client.reason);
  return client.path;
}

function runPsql(env: Record<string, string>, args: readonly string[], input = ''): Promise<Finished> {
  return runProgram(pathOf(psql), ['-X', '-v', 'ON_ERROR_STOP=1', ...args], { env, input });
}

/** The same through the gateway and without it. */
async function same(run: (env: Record<string, string>) => Promise<Finished>): Promise<Finished> {
  const expected = await run(direct);
  const got = await run(through);
  expect(expected).toMatchObject({ code: 0 });
  expect(got).toEqual(expected);
  return got;
}

describe.skipIf(!psql.there)(needing(psql, 'psql'), () => {
  test.each([
    '\\d',
    '\\dt',
    '\\d t',
    '\\d+ t',
    '\\dt *.*',
    '\\d sales.orders',
    '\\d sales.open_orders',
    '\\di sales.*',
    '\\df sales.*',
    '\\sf sales.double',
    '\\dn+',
    '\\du',
    '\\l',
    '\\dT+ sales.*',
    '\\dp sales.*',
    '\\dx',
    '\\ds sales.*',
  ])('%s shows what it shows on the server itself', async (command) => {
    const { stdout } = await same((env) => runPsql(env, ['-c', command]));
    expect(stdout).not.toBe('');
  });

  test('\\copy writes and reads', async () => {
    const file = join(folder, 'copy.txt');
    const csv = join(folder, 'copy.csv');
    await same((env) => runPsql(env, ['-c', `\\copy (SELECT * FROM t ORDER BY id) TO '${file}'`]));
    const out = await readFile(file, 'utf8');
    expect(out.split('\n')).toHaveLength(201);
    expect(out).toMatch(/^1\tname 1\\t\\\\\t/);
    await runPsql(through, ['-c', 'CREATE TABLE copied (LIKE t)', '-c', `\\copy copied FROM '${file}'`]);
    const back = await runPsql(through, ['-c', `\\copy (SELECT * FROM copied ORDER BY id) TO STDOUT`]);
    expect(back).toMatchObject({ code: 0, stdout: out });
    await same((env) => runPsql(env, ['-c', `\\copy sales.customers TO '${csv}' WITH (FORMAT csv, HEADER)`]));
    expect(await readFile(csv, 'utf8')).toMatch(/^id,email,born\n1,c1@example.com,1980-01-02\n/);
  });

  test('\\copy of what does not fit says what the server says', async () => {
    const { code, stderr } = await runPsql(through, ['-c', '\\copy t FROM STDIN'], '1\tx\n\\.\n');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/missing data for column "at"\nCONTEXT: {2}COPY t, line 1/);
  });

  test('Ctrl-C ends the statement at the server', async () => {
    const running = startProgram(pathOf(psql), ['-X'], {
      env: { ...through, PGAPPNAME: 'ctrl-c' },
      input: 'SELECT pg_sleep(600);\n',
    });
    const asleep = () =>
      postgres.sql(
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()",
      );
    await expect.poll(async () => (await asleep()).length, { timeout: 20_000 }).toBe(1);
    running.kill('SIGINT');
    const { stderr } = await running.ended;
    expect(stderr).toContain('canceling statement due to user request');
    expect(await asleep()).toEqual([]);
  });

  test('\\watch repeats until Ctrl-C', async () => {
    const running = startProgram(pathOf(psql), ['-X', '-At'], {
      env: through,
      input: "SELECT 'tick' \\watch 0.1\n",
    });
    await running.saw(/(tick[\s\S]*){3}/);
    running.kill('SIGINT');
    await running.ended;
  });

  test('\\gexec, \\gset, \\bind and several -c run in order', async () => {
    const script = [
      "SELECT format('SELECT %s * 10 AS n', n) FROM generate_series(1, 3) n \\gexec",
      'SELECT 40 + 2 AS answer \\gset',
      "SELECT :answer AS it, :'answer' AS text;",
      'BEGIN; SAVEPOINT a; SELECT 1; ROLLBACK TO a; COMMIT;',
      '\\errverbose',
    ].join('\n');
    await same((env) => runPsql(env, [], script));
    await same((env) => runPsql(env, ['-c', 'SELECT 1; SELECT 2', '-c', '\\d t', '-c', 'VALUES (3)']));
    await same((env) =>
      runPsql(env, ['-1', '-c', 'CREATE TEMP TABLE x (a int)', '-c', 'INSERT INTO x VALUES (1) RETURNING a']),
    );
  });

  test('an error reads as it does on the server', async () => {
    for (const sql of [
      'SELECT 1/0',
      'SELEC 1',
      "SELECT * FROM sales.orders WHERE id = 'x'",
      'INSERT INTO t VALUES (1)',
    ]) {
      const [expected, got] = [await runPsql(direct, ['-c', sql]), await runPsql(through, ['-c', sql])];
      expect(got).toEqual(expected);
      expect(got.code).toBe(1);
    }
  });

  test('an access credential logs in by SCRAM, bound to the channel', async () => {
    const api = await gateway.apiAs(engineer);
    const { id, secret } = await api.issueAccessCredential({ target: 'shop' });
    const env = { ...through, PGUSER: id, PGPASSWORD: secret, PGCHANNELBINDING: 'require' };
    expect(await runPsql(env, ['-At', '-c', 'SELECT count(*) FROM t'])).toMatchObject({ code: 0, stdout: '200\n' });
    const wrong = await runPsql({ ...env, PGPASSWORD: `${secret}x` }, ['-c', 'SELECT 1']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('Authentication failed');
  });

  test('without TLS a token still works on loopback, and channel binding is then refused by the client', async () => {
    const plain = { ...through, PGSSLMODE: 'disable' };
    expect(await runPsql(plain, ['-At', '-c', 'SELECT 1'])).toMatchObject({ code: 0, stdout: '1\n' });
  });
});

describe.skipIf(!pgbench.there)(needing(pgbench, 'pgbench'), () => {
  const bench = (args: readonly string[]): Promise<Finished> =>
    runProgram(pathOf(pgbench), args, { env: { ...through, PGUSER: 'erin' } });

  test('fills its tables and runs in every mode without a failure', { timeout: 180_000 }, async () => {
    expect(await bench(['-i', '-s', '1', '--foreign-keys'])).toMatchObject({ code: 0 });
    for (const [index, mode] of ['simple', 'extended', 'prepared'].entries()) {
      const write = await bench(['-n', '-M', mode, '-c', '4', '-j', '2', '-t', '25']);
      expect(write, write.stderr).toMatchObject({ code: 0 });
      expect(write.stdout).toMatch(/actually processed: 100\/100[\s\S]*failed transactions: 0 /);
      const [rows] = await postgres.sql<{ n: number; even: boolean }>(
        'SELECT count(*)::int AS n, (SELECT sum(abalance) FROM pgbench_accounts) = sum(delta) AS even FROM pgbench_history',
      );
      expect(rows).toEqual({ n: 100 * (index + 1), even: true });
      const read = await bench(['-n', '-S', '-M', mode, '-c', '4', '-j', '2', '-t', '50']);
      expect(read.stdout).toMatch(/actually processed: 200\/200[\s\S]*failed transactions: 0 /);
    }
    const pipelined = join(folder, 'pipeline.sql');
    await writeFile(pipelined, '\\startpipeline\nSELECT 1;\nSELECT count(*) FROM t;\nSELECT 3;\n\\endpipeline\n');
    const pipeline = await bench(['-n', '-M', 'extended', '-f', pipelined, '-t', '20']);
    expect(pipeline.stdout, pipeline.stderr).toMatch(/failed transactions: 0 /);
  });
});

describe.skipIf(!pgDump.there)(needing(pgDump, 'pg_dump'), () => {
  /** Newer versions fence their output with a random word. */
  const unfenced = (dump: Finished): Finished => ({
    ...dump,
    stdout: dump.stdout.replace(/^\\(un)?restrict .*$/gm, ''),
  });

  test.each([
    ['the schema', ['--schema-only']],
    ['everything', []],
    ['one table as INSERTs', ['--inserts', '-t', 't']],
  ])('dumps %s as it does on the server itself', async (_, args) => {
    const { stdout } = await same(async (env) =>
      unfenced(await runProgram(pathOf(pgDump), ['-n', 'public', '-n', 'sales', ...args], { env })),
    );
    expect(stdout).toContain('CREATE TABLE');
  });
});
