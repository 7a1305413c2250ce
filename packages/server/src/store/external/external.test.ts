import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../../../../../test/harness/postgres.ts';
import { migrations } from '../migrations.ts';
import type { StoreNotice } from '../store-port.ts';
import { openExternal } from './open.ts';
import { parseStoreUrl } from './url.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

let server: TestPostgres;
let folder: string | undefined;
beforeAll(async () => {
  server = await createTestPostgres({
    tls: true,
    init: `create role plain login password 'p:l/a@in';
      create role guest login password 'guest';
      revoke all on schema public from public;`,
  });
});
afterAll(async () => {
  await server.stop('immediate');
  if (folder) await rm(folder, { recursive: true });
});

const at = (user: string, password: string, database = 'postgres', port = server.port) =>
  `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;

async function failure(url: string): Promise<{ code: string; message: string }> {
  const error = await openExternal(url, quiet).then(
    () => {
      throw new Error('it opened');
    },
    (reason: unknown) => reason as Error & { code: string },
  );
  return { code: error.code, message: error.message };
}

describe("a shared store that can't be opened says why, without its password", () => {
  const secret = 'sehr-geheim';

  it.each<[string, () => string, string, RegExp]>([
    [
      'a wrong password',
      () => at('plain', secret),
      'store_refused',
      /plain@127\.0\.0\.1:\d+\/postgres refuses the login/,
    ],
    ['no such database', () => at('postgres', server.password, 'nowhere'), 'store_refused', /no such database/],
    ['no right to make tables', () => at('guest', 'guest'), 'store_refused', /schema "sluice"/],
    ['nobody listens', () => at('u', secret, 'd', 1), 'store_unreachable', /refuses connections/],
    ['an unknown host', () => `postgres://u:${secret}@no.such.host.invalid/d`, 'store_unreachable', /does not resolve/],
    ['no socket there', () => `postgres://u:${secret}@x/d?host=/nowhere`, 'store_unreachable', /no such socket/],
    [
      'a certificate of nobody',
      () => `${at('postgres', server.password)}?sslmode=verify-full`,
      'store_refused',
      /certificate/,
    ],
    ['not a URL', () => `nonsense ${secret}`, 'store_misconfigured', /not a URL/],
    ['another kind of URL', () => `mysql://u:${secret}@h/d`, 'store_misconfigured', /not a URL/],
    ['no host', () => `postgres:///d`, 'store_misconfigured', /no host/],
    ['no user', () => `postgres://h/d`, 'store_misconfigured', /no user/],
    ['no database', () => `postgres://u:${secret}@h`, 'store_misconfigured', /no database/],
    ['a broken percent sign', () => `postgres://u:%zz${secret}@h/d`, 'store_misconfigured', /percent/],
    ['a password that is not encoded', () => `postgres://u:${secret}/x@h/d`, 'store_misconfigured', /percent-encoded/],
    [
      'an unknown parameter',
      () => `postgres://u:${secret}@h/d?sslmod=require`,
      'store_misconfigured',
      /unknown parameter sslmod/,
    ],
    ['an unknown sslmode', () => `postgres://u:${secret}@h/d?sslmode=prefer`, 'store_misconfigured', /sslmode must be/],
    [
      'verify-ca without a CA',
      () => `postgres://u:${secret}@h/d?sslmode=verify-ca`,
      'store_misconfigured',
      /sslrootcert/,
    ],
    ['a missing CA', () => `postgres://u:${secret}@h/d?sslrootcert=/no.pem`, 'store_misconfigured', /no\.pem.*ENOENT/],
  ])('%s', async (_what, url, code, message) => {
    const error = await failure(url());
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error.message).not.toContain(secret);
    expect(error.message).not.toContain(server.password);
  });

  it('a server that takes connections and never answers', async () => {
    const silent: Server = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const opening = openExternal(at('u', secret, 'd', port), quiet, { connect: 200, query: 200 });
    await expect(opening).rejects.toMatchObject({ code: 'store_unreachable' });
    silent.close();
  });
});

describe('the address of a shared store', () => {
  it('is in the clear by default only on this machine', () => {
    expect(parseStoreUrl('postgres://u:p@localhost/d')).toMatchObject({ secure: true, client: { ssl: false } });
    expect(parseStoreUrl('postgres://u:p@[::1]:7/d')).toMatchObject({
      secure: true,
      client: { ssl: false, host: '::1', port: 7 },
    });
    expect(parseStoreUrl('postgres://u:p@db/d')).toMatchObject({
      secure: true,
      client: { ssl: { rejectUnauthorized: true } },
    });
    expect(parseStoreUrl('postgres://u:p@db/d?sslmode=disable')).toMatchObject({
      secure: false,
      client: { ssl: false },
    });
    expect(parseStoreUrl('postgres://u:p@db/d?sslmode=require')).toMatchObject({ secure: false });
  });

  it('is decoded', () => {
    const { client, shown } = parseStoreUrl('postgresql://u%40x:p%2Fw@db:6543/d%20e');
    expect(client).toMatchObject({ user: 'u@x', password: 'p/w', host: 'db', port: 6543, database: 'd e' });
    expect(shown).toBe('u@x@db:6543/d e');
  });
});

describe('a shared store', () => {
  it('is reached over TLS, with a name that is checked', async () => {
    const url = `${server.url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(await caFile())}`;
    const store = await openExternal(url, quiet);
    const result = await sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(
      store.db,
    );
    expect(result.rows).toEqual([{ ssl: true }]);
    await store.close();
  });

  it('takes a role that may not make schemas but was given one', async () => {
    await server.sql('create schema if not exists sluice; grant all on schema sluice to plain');
    await server.sql('drop schema sluice cascade; create schema sluice authorization plain');
    const store = await openExternal(at('plain', 'p:l/a@in'), quiet);
    await store.ping();
    await store.close();
    await server.sql('drop schema sluice cascade');
  });

  it('is migrated once by many that start at once', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openExternal(server.url, quiet)));
    expect(await server.sql('select count(*)::int as count from sluice.migrations')).toEqual([
      { count: migrations.length },
    ]);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('survives the loss of every connection, in a transaction too, and tells subscribers to look again', async () => {
    const store = await openExternal(server.url, quiet);
    const notices: StoreNotice[] = [];
    let wake = () => {};
    await store.subscribe('test_loss', (notice) => {
      notices.push(notice);
      wake();
    });
    const next = (count: number) =>
      new Promise<void>((resolve) => {
        wake = () => notices.length >= count && resolve();
        wake();
      });
    const cut = () =>
      server.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sluice'`);
    const doomed = store.transaction(async (trx) => {
      await sql`select 1`.execute(trx);
      await cut();
      await sql`select 2`.execute(trx);
    });
    await expect(doomed).rejects.toThrow();
    await next(1);
    await store.notify('test_loss', 'after');
    await next(2);
    expect(notices).toEqual([{ kind: 'resync' }, { kind: 'message', payload: 'after' }]);
    await store.close();
  });

  it('does not hand on a connection that never got its answer', async () => {
    const store = await openExternal(server.url, quiet, { connect: 5_000, query: 500 });
    const pid = async () => {
      const result = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(store.db);
      return result.rows[0]!.pid;
    };
    const frozen = await pid();
    process.kill(frozen, 'SIGSTOP');
    try {
      const stuck = store.transaction((trx) => sql`select 1`.execute(trx));
      await expect(stuck).rejects.toThrow();
      expect(await pid()).not.toBe(frozen);
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
    await store.close();
  });

  it('says what a statement that takes too long was stopped by', async () => {
    const store = await openExternal(server.url, quiet, { connect: 5_000, query: 300 });
    await expect(sql`select pg_sleep(60)`.execute(store.db)).rejects.toMatchObject({ code: '57014' });
    await store.ping();
    await store.close();
  });
});

async function caFile(): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-ca-'));
  const file = join(folder, 'ca.pem');
  await writeFile(file, server.ca!.cert);
  return file;
}
