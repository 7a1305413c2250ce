// The drivers of Node through the gateway under a policy that permits everything: what they do all day, compared with
// the same on the server itself.
import { Client, type ClientConfig, type QueryConfig } from 'pg';
import postgresJs from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';

const service = { sub: 'billing', kind: 'service' } as const;
let postgres: TestPostgres;
let gateway: TestGateway;
let tls: { ca: string; servername: string };
const open: { end(): Promise<void> }[] = [];

beforeAll(async () => {
  postgres = await createTestPostgres({
    init: `
      CREATE TYPE mood AS ENUM ('sad', 'ok');
      CREATE TABLE t (id int PRIMARY KEY, name text, m mood, at timestamptz, data jsonb, tags text[], n numeric, b bytea);
      INSERT INTO t SELECT n, 'name ' || n, 'ok', '2026-01-01', '{"a": [1, 2]}', '{x,y}', n * 1.1, '\\xdead' FROM generate_series(1, 500) n;`,
  });
  gateway = await createTestGateway({ postgres, tls: true });
  tls = { ca: gateway.ca?.cert ?? '', servername: 'localhost' };
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end()));
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

async function through(more: ClientConfig = {}): Promise<Client> {
  const client = await gateway.connect(service, { ssl: tls, ...more });
  open.push(client);
  return client;
}

async function direct(): Promise<Client> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  open.push(client);
  return client;
}

async function credential(): Promise<{ user: string; password: string }> {
  const issued = await (await gateway.apiAs(service)).issueAccessCredential({ target: 'shop' });
  return { user: issued.id, password: issued.secret };
}

describe('node-postgres', () => {
  test('gets the same rows, fields and types for every way to ask', async () => {
    const clients = [await direct(), await through(), await through(await credential())];
    const asked: readonly QueryConfig[] = [
      { text: 'SELECT * FROM t ORDER BY id LIMIT 3' },
      { text: 'SELECT id, name FROM t WHERE id = ANY($1) ORDER BY id', values: [[2, 4]] },
      {
        text: 'SELECT $1::jsonb -> $2 AS v, $3::mood AS m, $4::timestamptz AS at',
        values: ['{"k": 5}', 'k', 'sad', new Date(0)],
      },
      { text: 'SELECT b, $1::bytea AS c FROM t WHERE id = 1', values: [Buffer.from([0, 255])] },
      { text: 'SELECT name FROM t WHERE id = $1', values: [7], name: 'by-id' },
      { text: 'SELECT name FROM t WHERE id = $1', values: [8], name: 'by-id' },
      { text: 'SELECT id FROM t ORDER BY id LIMIT 2', rowMode: 'array' } as QueryConfig,
      { text: '' },
    ];
    for (const config of asked) {
      const [expected, ...results] = await Promise.all(
        clients.map(async (client) => {
          const { command, rowCount, rows, fields } = await client.query(config);
          return { command, rowCount, rows, fields };
        }),
      );
      for (const result of results) expect(result).toEqual(expected);
    }
  });

  test('gets several results of one string, and queued queries in order', async () => {
    const client = await through();
    const results = (await client.query('SELECT 1 AS a; SELECT 2 AS b')) as unknown as { rows: unknown[] }[];
    expect(results.map(({ rows }) => rows)).toEqual([[{ a: 1 }], [{ b: 2 }]]);
    const queued = Array.from({ length: 50 }, (_, index) => client.query('SELECT $1::int AS n', [index]));
    expect((await Promise.all(queued)).map(({ rows }) => rows[0].n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  test('reads through a cursor', async () => {
    const client = await through();
    await client.query('BEGIN');
    await client.query('DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id');
    expect((await client.query('FETCH 2 FROM c')).rows).toEqual([{ id: 1 }, { id: 2 }]);
    await client.query('MOVE 100 IN c');
    expect((await client.query('FETCH c')).rows).toEqual([{ id: 103 }]);
    await client.query('CLOSE c');
    await client.query('COMMIT');
  });

  test('hears what others notify', async () => {
    const [listener, speaker] = [await through(), await through()];
    const heard = new Promise((resolve) => listener.on('notification', resolve));
    await listener.query('LISTEN news');
    await speaker.query("NOTIFY news, 'hello'");
    expect(await heard).toMatchObject({ channel: 'news', payload: 'hello' });
  });

  test('meets an error inside a transaction as the server gives it', async () => {
    const errors = await Promise.all(
      [await direct(), await through()].map(async (client) => {
        await client.query('BEGIN');
        const first = await client.query('INSERT INTO t (id) VALUES (1)').catch((error) => error);
        const second = await client.query('SELECT 1').catch((error) => error);
        await client.query('ROLLBACK');
        expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
        const fields = ({ code, message, detail, constraint, table, severity, routine }: Record<string, unknown>) => ({
          code,
          message,
          detail,
          constraint,
          table,
          severity,
          routine,
        });
        return [fields(first), fields(second)];
      }),
    );
    expect(errors[1]).toEqual(errors[0]);
    expect(errors[1]?.[0]).toMatchObject({ code: '23505', constraint: 't_pkey' });
    expect(errors[1]?.[1]).toMatchObject({ code: '25P02' });
  });

  test('keeps a savepoint, a temporary table and a setting of its own', async () => {
    const client = await through();
    await client.query("SET application_name = 'mine'; SET search_path = pg_temp, public");
    await client.query('CREATE TEMP TABLE scratch (a int)');
    await client.query('BEGIN');
    await client.query('INSERT INTO scratch VALUES (1)');
    await client.query('SAVEPOINT s');
    await client.query('INSERT INTO scratch VALUES (2)');
    await client.query('ROLLBACK TO s');
    await client.query('COMMIT');
    expect((await client.query('SELECT a FROM scratch')).rows).toEqual([{ a: 1 }]);
    expect((await client.query('SHOW application_name')).rows).toEqual([{ application_name: 'mine' }]);
    await client.query('DISCARD ALL');
    await expect(client.query('SELECT a FROM scratch')).rejects.toMatchObject({ code: '42P01' });
  });
});

describe('postgres.js', () => {
  async function connect(): Promise<postgresJs.Sql> {
    const { user, password } = await credential();
    const sql = postgresJs({
      host: gateway.host,
      port: gateway.port,
      database: 'shop',
      user,
      password,
      max: 2,
      ssl: tls,
      onnotice: () => {},
    });
    open.push(sql);
    return sql;
  }

  test('logs in with a token, too', async () => {
    const password = await gateway.token(service);
    const sql = postgresJs({
      host: gateway.host,
      port: gateway.port,
      database: 'shop',
      user: 'x',
      password,
      max: 1,
      ssl: tls,
    });
    open.push(sql);
    expect([...(await sql`SELECT 1 AS one`)]).toEqual([{ one: 1 }]);
  });

  test('passes parameters, fragments and arrays, and fetches the types it needs', async () => {
    const sql = await connect();
    expect([...(await sql`SELECT id, tags, data FROM t WHERE id IN ${sql([1, 2])} ORDER BY id`)]).toEqual([
      { id: 1, tags: ['x', 'y'], data: { a: [1, 2] } },
      { id: 2, tags: ['x', 'y'], data: { a: [1, 2] } },
    ]);
    const moods =
      await sql`SELECT ${sql.array(['a', 'b'])}::text[] AS list, ${'sad'}::mood AS mood, ${new Date(0)}::timestamptz AS at`;
    expect(moods[0]).toEqual({ list: ['a', 'b'], mood: 'sad', at: new Date(0) });
    expect([...(await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b'))].map((rows) => [...rows])).toEqual([
      [{ a: 1 }],
      [{ b: 2 }],
    ]);
  });

  test('commits and rolls back', async () => {
    const sql = await connect();
    await sql.begin(async (tx) => {
      await tx`INSERT INTO t ${tx({ id: 1001, name: 'kept' })}`;
      await tx
        .savepoint(async (inner) => {
          await inner`INSERT INTO t ${inner({ id: 1002, name: 'gone' })}`;
          throw new Error('undo');
        })
        .catch(() => {});
    });
    await sql
      .begin(async (tx) => {
        await tx`DELETE FROM t WHERE id = 1001`;
        throw new Error('undo');
      })
      .catch(() => {});
    expect([...(await sql`SELECT id FROM t WHERE id > 1000`)]).toEqual([{ id: 1001 }]);
    await sql`DELETE FROM t WHERE id = 1001`;
  });

  test('streams through a cursor and by COPY in both directions', async () => {
    const sql = await connect();
    let seen = 0;
    await sql`SELECT id FROM t ORDER BY id`.cursor(100, (rows) => {
      seen += rows.length;
    });
    expect(seen).toBe(500);
    let copied = '';
    for await (const chunk of await sql`COPY (SELECT id, name FROM t ORDER BY id LIMIT 2) TO STDOUT`.readable())
      copied += chunk;
    expect(copied).toBe('1\tname 1\n2\tname 2\n');
    const writable = await sql`COPY t (id, name) FROM STDIN`.writable();
    await new Promise<void>((resolve, reject) => {
      writable.on('error', reject).on('finish', resolve);
      writable.write('2001\tcopied');
      writable.end(' in parts\n');
    });
    await expect
      .poll(async () => [...(await sql`SELECT name FROM t WHERE id = 2001`)])
      .toEqual([{ name: 'copied in parts' }]);
    await sql`DELETE FROM t WHERE id = 2001`;
  });

  test('cancels a query, and listens', async () => {
    const sql = await connect();
    const sleeping = sql`SELECT pg_sleep(600)`;
    const ended = sleeping.catch((error: { code: string }) => error.code);
    await expect
      .poll(
        async () =>
          (
            await postgres.sql(
              "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'",
            )
          ).length,
      )
      .toBe(1);
    sleeping.cancel();
    expect(await ended).toBe('57014');
    const heard = new Promise<string>(
      (resolve) => void sql.listen('channel', resolve).then(() => sql.notify('channel', 'hi')),
    );
    expect(await heard).toBe('hi');
  });
});
