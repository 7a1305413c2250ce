import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { targetAccount } from '../account/account.ts';
import { luhnDigit } from '../seed/cards.ts';
import { stuckOrder } from '../seed/shop.ts';
import { type RunningDatabase, startDatabase } from './database.ts';

const root = process.getuid?.() === 0;

describe('the demo database', () => {
  let base: string;
  let db: RunningDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'sluice-demo-test-'));
    if (root) await chmod(base, 0o711);
    db = await startDatabase({ dir: join(base, 'database') });
    client = await db.connectDirectly();
  });

  afterAll(async () => {
    await client.end();
    await db.remove();
    await rm(base, { recursive: true, force: true });
  });

  async function value(sql: string): Promise<unknown> {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  }

  it('holds a believable shop', async () => {
    expect(Number(await value('SELECT count(*) FROM customers'))).toBe(2000);
    expect(Number(await value('SELECT count(*) FROM order_items'))).toBeGreaterThan(10_000);
    expect(Number(await value('SELECT count(*) FROM monitoring.metrics'))).toBeGreaterThan(3000);
    expect(Number(await value("SELECT count(*) FROM customers WHERE name ~ '[^\\x01-\\x7f]'"))).toBeGreaterThan(500);
    expect(Number(await value('SELECT count(*) FROM customer_orders'))).toBe(6000);
    expect(Number(await value('SELECT max(lifetime_value(id)) FROM customers'))).toBeGreaterThan(0);
  });

  it('has only card numbers with a valid check digit, and amounts that add up', async () => {
    const { rows } = await client.query<{ card_number: string }>('SELECT card_number FROM payments');
    expect(rows.length).toBeGreaterThan(5000);
    for (const { card_number } of rows) expect(luhnDigit(card_number.slice(0, -1))).toBe(card_number.slice(-1));
    const wrong = await value(`SELECT count(*) FROM orders o WHERE total <>
      (SELECT sum(quantity * unit_price) FROM order_items i WHERE i.order_id = o.id)`);
    expect(Number(wrong)).toBe(0);
  });

  it('tells of one paid order that is stuck', async () => {
    expect(await value(`SELECT status FROM orders WHERE id = ${stuckOrder}`)).toBe('payment_pending');
    expect(await value(`SELECT status FROM payments WHERE order_id = ${stuckOrder}`)).toBe('captured');
    expect(await value('SELECT summary FROM monitoring.incidents WHERE resolved_at IS NULL')).toContain(
      `${stuckOrder}`,
    );
  });

  it('continues ids after the loaded rows', async () => {
    const insert =
      "INSERT INTO products (sku, name, category, price, stock) VALUES ('X-1', 'x', 'x', 1, 1) RETURNING id";
    await client.query('BEGIN');
    expect(Number(await value(insert))).toBeGreaterThan(100);
    await client.query('ROLLBACK');
  });

  it('lets the gateway read, write and even drop, but not rule the server', async () => {
    const gateway = await connectAs(db, (await readFile(db.gatewayPasswordFile, 'utf8')).trim());
    await gateway.query('BEGIN; DROP TABLE monitoring.metrics_2019; CREATE TABLE t (); ROLLBACK');
    await expect(gateway.query('CREATE ROLE intruder')).rejects.toMatchObject({ code: '42501' });
    await expect(gateway.query("COPY (SELECT 1) TO PROGRAM 'true'")).rejects.toMatchObject({ code: '42501' });
    await gateway.end();
  });

  it('lets nobody in without the password, and listens on loopback only', async () => {
    await expect(connectAs(db, 'wrong')).rejects.toMatchObject({ code: '28P01' });
    expect(await value('SHOW listen_addresses')).toBe('127.0.0.1');
    expect(await value('SHOW unix_socket_directories')).toBe('');
  });

  it('keeps its passwords from other accounts', async () => {
    expect((await stat(db.gatewayPasswordFile)).mode & 0o077).toBe(0);
    expect((await stat(join(base, 'database', 'superuser-password'))).mode & 0o077).toBe(0);
  });

  it('logs every statement that reaches it', async () => {
    await client.query('SELECT 4711 AS needle');
    expect(await readFile(db.logFile, 'utf8')).toContain('SELECT 4711 AS needle');
  });
});

describe('the demo database over its lives', () => {
  let base: string;
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'sluice-demo-test-'));
  });
  afterAll(async () => {
    await rm(base, { recursive: true, force: true });
  });

  it('keeps data over a stop, and recovers from kill -9 of everything', async () => {
    const dir = join(base, 'kept');
    if (root) await chmod(base, 0o711);
    const first = await startDatabase({ dir });
    await change(first, 'UPDATE products SET stock = 12345 WHERE id = 1');
    await first.stop();

    // A second process that starts the server and dies without a word, and takes its guard with it.
    const script = `
      import { startDatabase } from ${JSON.stringify(fileURLToPath(new URL('./database.ts', import.meta.url)))};
      await startDatabase({ dir: ${JSON.stringify(dir)} });
      process.stdout.write('up');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');

    const second = await startDatabase({ dir });
    const client = await second.connectDirectly();
    expect((await client.query('SELECT stock FROM products WHERE id = 1')).rows).toEqual([{ stock: 12345 }]);
    await client.end();
    await second.remove();
  });

  it('takes over from a server that was left running', async () => {
    const dir = join(base, 'left');
    if (root) await chmod(base, 0o711);
    const first = await startDatabase({ dir });
    const orphaned = await first.connectDirectly();
    const second = await startDatabase({ dir });
    await expect(orphaned.query('SELECT 1')).rejects.toThrow();
    await change(second, 'SELECT 1');
    await second.stop();
  });

  it('starts over when it was killed before the shop was whole', async () => {
    const dir = join(base, 'half');
    if (root) await chmod(base, 0o711);
    const first = await startDatabase({ dir });
    const orphaned = await first.connectDirectly();
    await rm(join(dir, 'filled'));
    await orphaned.query('DROP TABLE payments');
    const second = await startDatabase({ dir });
    await change(second, 'SELECT card_number FROM payments LIMIT 1');
    await expect(orphaned.query('SELECT 1')).rejects.toThrow();
    await second.stop();
  });

  it('leaves an unrelated process alone that a stale file names', async () => {
    const dir = join(base, 'stale');
    if (root) await chmod(base, 0o711);
    const first = await startDatabase({ dir });
    await first.stop();
    const unrelated = spawn('/bin/sleep', ['600'], { ...(await targetAccount()).ids, stdio: 'ignore' });
    await once(unrelated, 'spawn');
    const data = join(dir, 'server', 'data');
    await writeFile(join(data, 'postmaster.pid'), `${unrelated.pid}\n${data}\n1700000000\n5432\n`);
    const second = await startDatabase({ dir });
    await change(second, 'SELECT 1');
    expect(unrelated.exitCode).toBe(null);
    expect(unrelated.kill('SIGKILL')).toBe(true);
    await second.stop();
  });

  it.skipIf(!root)('as root, works below a folder that the server may not enter (skipped unless root)', async () => {
    const closed = join(base, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const dir = join(closed, 'database');
    const first = await startDatabase({ dir });
    await change(first, 'UPDATE products SET stock = 54321 WHERE id = 1');
    await first.stop();
    const second = await startDatabase({ dir });
    const client = await second.connectDirectly();
    expect((await client.query('SELECT stock FROM products WHERE id = 1')).rows).toEqual([{ stock: 54321 }]);
    await client.end();
    const outside = (await readFile(join(dir, 'location'), 'utf8')).trim();
    expect((await readdir(outside)).length).toBeGreaterThan(0);
    await second.remove();
    await expect(stat(outside)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

async function connectAs(db: RunningDatabase, password: string): Promise<pg.Client> {
  const { host, port, database } = db;
  const client = new pg.Client({ host, port, database, user: db.gatewayUser, password, ssl: false });
  await client.connect();
  return client;
}

async function change(db: RunningDatabase, sql: string): Promise<void> {
  const client = await db.connectDirectly();
  await client.query(sql);
  await client.end();
}
