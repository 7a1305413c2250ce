import { type Kysely, sql } from 'kysely';
import { type Migration, migrations, schemaName } from './migrations.ts';
import { StoreError } from './store-error.ts';
import type { Tables } from './tables.ts';

/** Any number that nothing else in a shared database is likely to lock: "sluice" in ASCII. */
const lockKey = 0x736c75696365;

/**
 * Brings the schema up to date, in one transaction; gateways that start together on one database wait for each other.
 * Rejects with `store_newer` when a later version of the gateway has migrated it already.
 */
export async function migrate(db: Kysely<Tables>, steps: readonly Migration[] = migrations): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(lockKey)})`.execute(trx);
    await prepare(trx);
    const applied = await trx.withSchema(schemaName).selectFrom('migrations').select('number').execute();
    const numbers = new Set(applied.map((row) => row.number));
    const latest = Math.max(0, ...numbers);
    const known = Math.max(0, ...steps.map((step) => step.number));
    if (latest > known) {
      throw new StoreError(
        'store_newer',
        `The store has schema ${latest}, and this version of the gateway knows schemas up to ${known}. Start the newer version again, or restore a backup of the store made before it.`,
      );
    }
    for (const step of [...steps].sort((a, b) => a.number - b.number)) {
      if (numbers.has(step.number)) continue;
      await sql.raw(step.sql).execute(trx);
      await trx
        .withSchema(schemaName)
        .insertInto('migrations')
        .values({ number: step.number, name: step.name })
        .execute();
    }
  });
}

/** Asks before it creates: a role may be allowed to use a schema made for it without being allowed to make one. */
async function prepare(trx: Kysely<Tables>): Promise<void> {
  const found = await sql<{ schema: boolean; table: boolean }>`
    select to_regnamespace(${schemaName}) is not null as "schema",
      to_regclass(${`${schemaName}.migrations`}) is not null as "table"`.execute(trx);
  const row = found.rows[0];
  if (!row?.schema) await sql`create schema ${sql.id(schemaName)}`.execute(trx);
  if (!row?.table) {
    await sql`create table ${sql.id(schemaName, 'migrations')} (
      number integer primary key,
      name text not null,
      applied_at timestamptz not null default now()
    )`.execute(trx);
  }
}
