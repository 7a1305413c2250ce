// Clients that vanish: their statement is ended at the server, their session and its recording are closed.
import { runCommand } from '@sluice/cli/testing/command.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { query, RawPostgres } from '../harness/raw-postgres.ts';

const agent = { sub: 'agent', kind: 'agent' } as const;
const large = "SELECT n, repeat('x', 200) FROM generate_series(1, 20000000) n";

let postgres: TestPostgres;
let gateway: TestGateway;

beforeAll(async () => {
  postgres = await createTestPostgres({ init: 'CREATE TABLE t (id int)' });
  gateway = await createTestGateway({ postgres });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

/** Statements of clients that the server works on right now. */
async function active(): Promise<string[]> {
  const rows = await postgres.sql<{ query: string }>(
    "SELECT query FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
  );
  return rows.map((row) => row.query);
}

async function ended(): Promise<void> {
  const api = await gateway.apiAs(agent);
  await expect.poll(active, { timeout: 10_000 }).toEqual([]);
  await expect.poll(async () => (await api.sessions({ live: true })).items).toEqual([]);
  const [last] = (await api.sessions({ limit: 1 })).items;
  expect(last).toMatchObject({ end_reason: 'client_closed' });
  const verified = await runCommand(['audit', 'verify', gateway.dir, '--json'], { cwd: gateway.dir });
  expect(verified, verified.stdout).toMatchObject({ code: 0 });
}

test('gone in the middle of a result', async () => {
  const client = await RawPostgres.login(gateway, await gateway.token(agent));
  client.send(query(large));
  await client.until('D');
  client.end();
  await ended();
});

test('gone while the server computes', async () => {
  const client = await RawPostgres.login(gateway, await gateway.token(agent));
  client.send(query('SELECT pg_sleep(600)'));
  await expect.poll(active).toEqual(['SELECT pg_sleep(600)']);
  client.end();
  await ended();
});

test('gone in the middle of a transaction', async () => {
  const client = await gateway.connect(agent);
  await client.query('BEGIN');
  await client.query('INSERT INTO t VALUES (1)');
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  await ended();
  expect(await postgres.sql('SELECT * FROM t')).toEqual([]);
});

test('gone in the middle of a message', async () => {
  const client = await RawPostgres.login(gateway, await gateway.token(agent));
  client.send(query('INSERT INTO t VALUES (2)').subarray(0, 12));
  client.end();
  await ended();
  expect(await postgres.sql('SELECT * FROM t')).toEqual([]);
});

test('gone in the middle of a COPY', async () => {
  const client = await RawPostgres.login(gateway, await gateway.token(agent));
  client.send(query('COPY t FROM STDIN'));
  await client.until('G');
  client.send(Buffer.from('d\0\0\0\x06' + '1\n', 'latin1'));
  client.end();
  await ended();
  expect(await postgres.sql('SELECT * FROM t')).toEqual([]);
});
