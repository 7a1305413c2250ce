import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../../../../test/harness/postgres.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations.ts';
import { openStore, type StoreConfig } from './store.ts';
import type { Store, StoreNotice } from './store-port.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

let server: TestPostgres;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-store-'));
  server = await createTestPostgres();
});

afterAll(async () => {
  await server.stop('immediate');
  await rm(folder, { recursive: true, force: true });
});

/** Collects notices, and resolves when as many as wanted have come. */
function collector() {
  const got: StoreNotice[] = [];
  let wake = () => {};
  return {
    got,
    take: (notice: StoreNotice) => {
      got.push(notice);
      wake();
    },
    async reach(count: number) {
      while (got.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

const kinds: [string, () => StoreConfig][] = [
  ['embedded', () => ({ kind: 'embedded', dir: folder })],
  ['postgres', () => ({ kind: 'postgres', url: server.url })],
];

describe.each(kinds)('a store of kind %s', (kind, config) => {
  let store: Store;

  beforeAll(async () => {
    store = await openStore(config(), quiet);
    await store.ping();
  });
  afterAll(() => store.close());

  const seen = (id: string, at: number) =>
    store.db.insertInto('principals').values({
      id,
      kind: 'user',
      display_name: 'Ann',
      groups: JSON.stringify(['dba', "o'hara"]),
      owner_id: null,
      last_seen: at,
    });
  const read = (id: string) => store.db.selectFrom('principals').selectAll().where('id', '=', id).executeTakeFirst();

  it('says its kind', () => expect(store.kind).toBe(kind));

  it('gives times back as numbers and JSON as values', async () => {
    const result = await seen('a', 1_763_600_000_123).executeTakeFirst();
    expect(result.numInsertedOrUpdatedRows).toBe(1n);
    expect(await read('a')).toEqual({
      id: 'a',
      kind: 'user',
      display_name: 'Ann',
      groups: ['dba', "o'hara"],
      owner_id: null,
      last_seen: 1_763_600_000_123,
    });
  });

  it('takes bytes and gives the same bytes back', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const result = await sql<{ b: Buffer }>`select ${bytes}::bytea as b`.execute(store.db);
    expect(Buffer.compare(result.rows[0]!.b, bytes)).toBe(0);
  });

  it('carries large values and many rows', async () => {
    const text = '€'.repeat(200_000);
    const result = await sql<{ t: string; n: number }>`select ${text} as t, n from generate_series(1, 10) n`.execute(
      store.db,
    );
    expect(result.rows).toHaveLength(10);
    expect(result.rows.every((row, index) => row.t === text && row.n === index + 1)).toBe(true);
  });

  it('commits a transaction that resolves and rolls back one that rejects', async () => {
    await store.transaction(async (trx) => {
      await trx.updateTable('principals').set({ last_seen: 5 }).where('id', '=', 'a').execute();
    });
    expect((await read('a'))?.last_seen).toBe(5);
    const failing = store.transaction(async (trx) => {
      await trx.deleteFrom('principals').execute();
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect((await read('a'))?.last_seen).toBe(5);
  });

  it('goes on after a statement that fails, alone and in a transaction', async () => {
    await expect(seen('a', 1).execute()).rejects.toMatchObject({ code: '23505' });
    const failing = store.transaction(async (trx) => {
      await sql`select 1/0`.execute(trx);
    });
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect((await read('a'))?.id).toBe('a');
  });

  it('queues what is asked at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        store.transaction(async (trx) => {
          const result = await sql<{ n: number }>`select ${index}::int as n`.execute(trx);
          return result.rows[0]?.n;
        }),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });

  it('tells subscribers, in order, and only of their channel', async () => {
    const one = collector();
    const other = collector();
    const stop = await store.subscribe('test_one', one.take);
    await store.subscribe('test_other', other.take);
    await store.notify('test_one', 'first');
    await store.notify('test_one', 'second "quoted" \' payload');
    await store.notify('test_other', 'x');
    await Promise.all([one.reach(2), other.reach(1)]);
    expect(one.got).toEqual([
      { kind: 'message', payload: 'first' },
      { kind: 'message', payload: 'second "quoted" \' payload' },
    ]);
    await stop();
    await store.notify('test_one', 'third');
    await store.notify('test_other', 'y');
    await other.reach(2);
    expect(one.got).toHaveLength(2);
  });

  it('tells of a transaction when it commits, and never of one rolled back', async () => {
    const inbox = collector();
    await store.subscribe('test_commit', inbox.take);
    await store
      .transaction(async (trx) => {
        await store.notify('test_commit', 'lost', trx);
        throw new Error('no');
      })
      .catch(() => {});
    await store.transaction((trx) => store.notify('test_commit', 'kept', trx));
    await inbox.reach(1);
    expect(inbox.got).toEqual([{ kind: 'message', payload: 'kept' }]);
  });

  it('survives a subscriber that throws', async () => {
    const inbox = collector();
    await store.subscribe('test_throw', () => {
      throw new Error('broken subscriber');
    });
    await store.subscribe('test_throw', inbox.take);
    await store.notify('test_throw', 'a');
    await inbox.reach(1);
  });

  it('refuses channels and payloads that are not fit for a statement', async () => {
    await expect(store.notify('x; drop table y', 'a')).rejects.toMatchObject({ code: 'store_misuse' });
    await expect(store.subscribe('X"', () => {})).rejects.toMatchObject({ code: 'store_misuse' });
    await expect(store.notify('test_one', 'x'.repeat(8_000))).rejects.toMatchObject({ code: 'store_misuse' });
  });

  it('is migrated once, and refuses a schema newer than it knows', async () => {
    await migrate(store.db);
    await migrate(store.db);
    const applied = await store.db.selectFrom('migrations').select('number').orderBy('number').execute();
    expect(applied).toEqual(migrations.map(({ number }) => ({ number })));
    await expect(migrate(store.db, [])).rejects.toMatchObject({ code: 'store_newer' });
  });

  it('applies a later migration whole or not at all', async () => {
    const broken = { number: 999, name: 'broken', sql: 'create table sluice.half (id int); select 1/0;' };
    await expect(migrate(store.db, [...migrations, broken])).rejects.toMatchObject({ code: '22012' });
    const found = await sql<{ t: string | null }>`select to_regclass('sluice.half')::text as t`.execute(store.db);
    expect(found.rows[0]?.t).toBeNull();
  });
});
