// Drivers of another world through the gateway: psycopg 3 (libpq, text and binary, pipelines, COPY) and asyncpg (its own
// protocol code, binary throughout, prepared statements, its own look at the catalog for types).
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPython, needing, type RealClient } from '../harness/clients.ts';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { runProgram } from '../harness/run-program.ts';

const psycopg = findPython('psycopg');
const asyncpg = findPython('asyncpg');

let postgres: TestPostgres;
let gateway: TestGateway;
let folder: string;
let logins: Record<'direct' | 'token' | 'credential', Record<string, string>>;

beforeAll(async () => {
  postgres = await createTestPostgres({
    init: `CREATE TYPE pair AS (a int, b text); CREATE TYPE mood AS ENUM ('sad', 'ok');
      CREATE TABLE t (id int PRIMARY KEY, name text, m mood, p pair, at timestamptz, data jsonb, tags text[], n numeric);
      INSERT INTO t SELECT n, 'name ' || n, 'ok', row(n, 'x'::text)::pair, '2026-01-01Z', '{"a": 1}', '{x,y}', n * 1.1 FROM generate_series(1, 300) n;`,
  });
  gateway = await createTestGateway({ postgres, tls: true });
  folder = await mkdtemp(join(tmpdir(), 'sluice-e2e-python-'));
  await writeFile(join(folder, 'ca.crt'), gateway.ca?.cert ?? '');
  const claims = { sub: 'notebook', groups: ['engineers'] };
  const issued = await (await gateway.apiAs(claims)).issueAccessCredential({ target: 'shop' });
  const there = {
    PGHOST: 'localhost',
    PGPORT: String(gateway.port),
    PGDATABASE: 'shop',
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: join(folder, 'ca.crt'),
  };
  logins = {
    direct: {
      PGHOST: postgres.host,
      PGPORT: String(postgres.port),
      PGDATABASE: postgres.database,
      PGUSER: postgres.superuser,
      PGPASSWORD: postgres.password,
    },
    token: { ...there, PGUSER: 'notebook', PGPASSWORD: await gateway.token(claims) },
    credential: { ...there, PGUSER: issued.id, PGPASSWORD: issued.secret },
  };
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Runs the script on the server itself and through the gateway; what it prints must be the same. */
async function same(client: RealClient, script: string): Promise<string> {
  if (!client.there) throw new Error(client.reason);
  const run = async (env: Record<string, string>) => {
    const result = await runProgram(client.path, ['-I', '-c', script], {
      env: { ...env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result.stdout;
  };
  const expected = await run(logins.direct);
  expect(await run(logins.token)).toBe(expected);
  expect(await run({ ...logins.credential, ...(client === psycopg ? { PGCHANNELBINDING: 'require' } : {}) })).toBe(
    expected,
  );
  return expected;
}

const withPsycopg = `
import psycopg
with psycopg.connect(autocommit=True) as db:
    for binary in (False, True):
        with db.cursor(binary=binary) as c:
            c.execute("SELECT id, name, m, at, data, tags, n FROM t WHERE id < %s ORDER BY id", (4,))
            print(c.fetchall(), [d.type_code for d in c.description])
    for n in range(8):
        print(db.execute("SELECT name FROM t WHERE id = %s", (n,), prepare=True).fetchall())
    with db.pipeline():
        found = [db.execute("SELECT %s::int * 2", (n,)) for n in range(20)]
    print([f.fetchone() for f in found])
    try:
        with db.transaction():
            db.execute("INSERT INTO t (id) VALUES (5000)")
            db.execute("INSERT INTO t (id) VALUES (1)")
    except psycopg.errors.UniqueViolation as e:
        print(e.sqlstate, e.diag.constraint_name)
    with db.transaction():
        with db.cursor("served") as c:
            c.itersize = 50
            c.execute("SELECT id FROM t ORDER BY id")
            print(sum(row[0] for row in c))
    with db.cursor() as c:
        c.execute("CREATE TEMP TABLE copied (id int, name text)")
        with c.copy("COPY copied FROM STDIN") as copy:
            for n in range(1000):
                copy.write_row((n, "x" * n))
        with c.copy("COPY copied TO STDOUT (FORMAT binary)") as copy:
            print(sum(len(part) for part in copy))
        c.execute("SELECT count(*), sum(length(name)) FROM copied")
        print(c.fetchone())
        print(c.executemany("INSERT INTO copied VALUES (%s, %s)", [(n, None) for n in range(50)]), c.rowcount)
    db.execute("LISTEN news")
    db.execute("NOTIFY news, 'hello'")
    print([(n.channel, n.payload) for n in db.notifies(timeout=20, stop_after=1)])
    print(db.execute("SELECT 1/1; SELECT 2").nextset() if False else db.info.server_version, db.info.encoding)
`;

const withAsyncpg = `
import asyncio, asyncpg, os, ssl
async def main():
    options = {}
    if "PGSSLROOTCERT" in os.environ:
        options["ssl"] = ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"])
    else:
        options["ssl"] = False
    db = await asyncpg.connect(**options)
    print(await db.fetch("SELECT id, name, m, p, at, data, tags, n FROM t WHERE id = ANY($1) ORDER BY id", [1, 2, 3]))
    print(await db.fetchval("SELECT $1::mood", "sad"), await db.fetchval("SELECT ($1::pair).b", (1, "z")))
    statement = await db.prepare("SELECT name FROM t WHERE id = $1")
    print([await statement.fetchval(n) for n in range(5)], statement.get_attributes())
    async with db.transaction():
        total = 0
        async for row in db.cursor("SELECT id FROM t ORDER BY id", prefetch=50):
            total += row["id"]
        print(total)
    try:
        async with db.transaction():
            await db.execute("INSERT INTO t (id) VALUES (1)")
    except asyncpg.UniqueViolationError as e:
        print(e.sqlstate, e.constraint_name, e.detail)
    await db.execute("CREATE TEMP TABLE copied (id int, name text)")
    print(await db.copy_records_to_table("copied", records=[(n, "x" * n) for n in range(500)]))
    print(await db.executemany("INSERT INTO copied VALUES ($1, $2)", [(n, None) for n in range(50)]))
    print(await db.fetchrow("SELECT count(*), sum(length(name)) FROM copied"))
    heard = asyncio.get_running_loop().create_future()
    await db.add_listener("news", lambda *args: heard.done() or heard.set_result(args[2:]))
    await db.execute("NOTIFY news, 'hello'")
    print(await asyncio.wait_for(heard, 20))
    try:
        await db.fetch("SELECT pg_sleep(600)", timeout=0.2)
    except asyncio.TimeoutError:
        print("cancelled", await db.fetchval("SELECT 1"))
    await db.reset()
    await db.close()
    async with asyncpg.create_pool(min_size=2, max_size=4, **options) as pool:
        print(await asyncio.gather(*[pool.fetchval("SELECT $1::int", n) for n in range(20)]))
asyncio.run(main())
`;

describe.skipIf(!psycopg.there)(needing(psycopg, 'psycopg 3'), () => {
  test('prints what it prints on the server itself', { timeout: 90_000 }, async () => {
    expect(await same(psycopg, withPsycopg)).toContain("[('news', 'hello')]");
  });
});

describe.skipIf(!asyncpg.there)(needing(asyncpg, 'asyncpg'), () => {
  test('prints what it prints on the server itself', { timeout: 90_000 }, async () => {
    expect(await same(asyncpg, withAsyncpg)).toContain('cancelled 1');
  });
});
