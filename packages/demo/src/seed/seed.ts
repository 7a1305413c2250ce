/**
 * Fills an empty database with the example shop: tables, some thousands of rows, a view, a function and monitoring data.
 * Everything is made up by our own generator and the same on every machine, but for the dates, which end now. Not a
 * migration tool: it expects to run once.
 */
import type pg from 'pg';
import { monitoring } from './monitoring.ts';
import { random } from './random.ts';
import type { Row } from './row.ts';
import { constraints, loadOrder, numbered, type TableName, tables } from './schema.ts';
import { shop } from './shop.ts';

/** Rows per statement: large enough to be fast, small enough that one JSON value stays under a few megabytes. */
const batch = 5000;

/** Runs in one transaction, so that the shop is there whole or not at all. `owner` gets to own everything. */
export async function seed(client: pg.Client, owner: string, now: number = Date.now()): Promise<void> {
  const rows = generate(now);
  await client.query('BEGIN');
  await client.query(`ALTER SCHEMA public OWNER TO ${owner}`);
  await client.query(`SET LOCAL ROLE ${owner}`);
  await client.query(tables);
  for (const table of loadOrder) await load(client, table, rows[table]);
  await client.query(constraints);
  for (const table of numbered) {
    await client.query(`SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table}))`);
  }
  await client.query('COMMIT');
  await client.query('VACUUM ANALYZE');
}

export function generate(now: number): Readonly<Record<TableName, readonly Row[]>> {
  const draw = random(20_190_612);
  const goods = shop(draw, now);
  const health = monitoring(draw, now);
  return {
    'public.customers': goods.customers,
    'public.products': goods.products,
    'public.orders': goods.orders,
    'public.order_items': goods.order_items,
    'public.payments': goods.payments,
    'monitoring.services': health.services,
    'monitoring.metrics': health.metrics,
    'monitoring.health_checks': health.health_checks,
    'monitoring.slow_queries': health.slow_queries,
    'monitoring.incidents': health.incidents,
    'monitoring.metrics_2019': health.metrics_2019,
  };
}

async function load(client: pg.Client, table: TableName, rows: readonly Row[]): Promise<void> {
  for (let from = 0; from < rows.length; from += batch) {
    const part = JSON.stringify(rows.slice(from, from + batch));
    await client.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`, [part]);
  }
}
