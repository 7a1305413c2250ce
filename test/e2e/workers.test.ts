// Two workers behind one gateway, before a real PostgreSQL: what is known once reaches sessions wherever they are served.
// Connections go to the workers in turn, so that two that follow each other are served by two processes.
import { type Client, Client as PgClient } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestGateway, permitAll, type TestGateway, targetName } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { cancelRequest, RawPostgres } from '../harness/raw-postgres.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';
import { workersOf } from '../harness/workers.ts';

const policies = `
@id("see") permit (principal, action in [Action::"connect", Action::"read", Action::"admin", Action::"execute"], resource);
@id("write") @approval("dba") permit (principal, action in Action::"write", resource);
@id("operate") permit (principal in Group::"dba", action in [Action::"gateway:view", Action::"gateway:manage"], resource);
`;
const soon = { timeout: 20_000 };
const agent = { sub: 'agent', kind: 'agent' } as const;
const dba = { sub: 'alex', groups: ['dba'] };

let postgres: TestPostgres;
let gateway: TestGateway;
const clients: Client[] = [];

beforeAll(async () => {
  postgres = await createTestPostgres({ init: 'CREATE TABLE t (id int); CREATE TABLE people (id int, email text)' });
  gateway = await createTestGateway({
    postgres,
    policies,
    labels: { 'pii.email': ['shop.public.people.email'], secret: ['shop.public.later.secret'] },
    config: '"workers": 2, "approvals": { "park": "60s", "max_pending": 2 }',
    metrics: true,
  });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
});
beforeEach(async () => {
  const api = await gateway.apiAs(dba);
  await vi.waitUntil(async () => (await api.sessions({ live: true })).items.length === 0, soon);
});

async function connected(options = {}): Promise<Client> {
  const client = await gateway.connect(agent, options);
  clients.push(client);
  return client;
}

/** The access request that a client is told of. */
function told(client: Client): Promise<string> {
  return new Promise((resolve) =>
    client.once('notice', ({ message }) => resolve(/req_\w+/.exec(message ?? '')?.[0] ?? '')),
  );
}

describe('two workers', { timeout: 60_000 }, () => {
  test('have the sessions between them, each with its own recording, and one journal', async () => {
    const pids = await workersOf(gateway.dir);
    expect(new Set(pids.values()).size).toBe(2);
    const both = [await connected(), await connected(), await connected(), await connected()];
    const answers = await Promise.all(both.map((client) => client.query('SELECT 1 AS one')));
    expect(answers.map(({ rows }) => rows)).toEqual(both.map(() => [{ one: 1 }]));
    const api = await gateway.apiAs(dba);
    const { items } = await api.sessions({ live: true });
    expect(items).toHaveLength(4);
    await Promise.all(both.map((client) => client.end()));
    await expect.poll(async () => (await api.sessions({ live: true })).items, soon).toEqual([]);
    for (const { id } of items) {
      const path = (await sessionRecordings(gateway.dir)).find((each) => each.includes(id)) ?? '';
      expect((await recordedEvents(path)).map(({ type }) => type).slice(-2)).toEqual(['end', 'seal']);
    }
  });

  test('mask alike, by one key', async () => {
    await postgres.sql("INSERT INTO people VALUES (1, 'someone@example.com')");
    const [one, other] = [await connected(), await connected()];
    const seen = await Promise.all([one, other].map((client) => client.query('SELECT email FROM people')));
    expect(seen[0]?.rows).toEqual(seen[1]?.rows);
    expect(JSON.stringify(seen[0]?.rows)).not.toContain('someone');
  });

  test('let what was approved happen once, of two sessions that wait for the same', async () => {
    await postgres.sql('DELETE FROM t');
    const [one, other] = [await connected(), await connected()];
    const requests = [told(one), told(other)];
    const inserts = [one, other].map((client) => client.query('INSERT INTO t VALUES (1)').catch((error) => error));
    const [request, same] = await Promise.all(requests);
    expect(same).toBe(request);
    await (await gateway.apiAs(dba)).approve(request ?? '');
    const outcomes = await Promise.all(inserts);
    expect(outcomes.filter((outcome) => outcome.rowCount === 1)).toHaveLength(1);
    expect(await postgres.sql('SELECT id FROM t')).toEqual([{ id: 1 }]);
  });

  test('count what waits for consent together', async () => {
    const all = [await connected(), await connected(), await connected()];
    const first = all.slice(0, 2).map((client, at) => {
      const notice = told(client);
      client.query(`INSERT INTO t VALUES (${at + 10})`).catch(() => undefined);
      return notice;
    });
    await Promise.all(first);
    await expect(all[2]?.query('INSERT INTO t VALUES (12)')).rejects.toThrow(
      /2 requests of this principal are waiting/,
    );
    const api = await gateway.apiAs(dba);
    for (const request of first) await api.deny(await request, 'not now');
  });

  test('end a session that is killed, whichever serves it', async () => {
    const both = [await connected(), await connected()];
    const ends = both.map((client) => new Promise((resolve) => client.once('error', resolve)));
    const api = await gateway.apiAs(dba);
    for (const { id } of (await api.sessions({ live: true })).items) await api.kill(id);
    for (const end of ends)
      expect(await end).toMatchObject({ code: '57P01', message: 'An operator ended this session.' });
    await expect
      .poll(async () => (await api.sessions({ limit: 2 })).items.map((session) => session.end_reason), soon)
      .toEqual(['killed', 'killed']);
  });

  test('end all sessions of an access credential that is taken back, and take no more of it', async () => {
    const api = await gateway.apiAs(agent);
    const { id: user, secret: password } = await api.issueAccessCredential({ target: targetName });
    const both = [await connected({ user, password }), await connected({ user, password })];
    const ends = both.map((client) => new Promise((resolve) => client.once('error', resolve)));
    await api.revokeAccessCredential(user);
    for (const end of ends) expect(await end).toMatchObject({ message: expect.stringContaining('revoked') });
    for (const _ of both) await expect(connected({ user, password })).rejects.toThrow(/Authentication failed/);
  });

  test('stop a statement whose cancel comes to the other one', async () => {
    for (let turn = 0; turn < 2; turn++) {
      const client = (await connected()) as Client & { readonly processID: number; readonly secretKey: number };
      const sleeping = client.query('SELECT pg_sleep(600)');
      const running = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'";
      await expect.poll(async () => (await postgres.sql(running)).length, soon).toBe(1);
      const secret = Buffer.alloc(4);
      secret.writeInt32BE(client.secretKey);
      const other = await RawPostgres.open(gateway.host, gateway.port);
      other.send(cancelRequest(client.processID, secret));
      await expect(sleeping).rejects.toThrow(/canceling statement/);
      // One connection more, so that in the next turn the session is the other worker's.
      await connected();
    }
  });

  test('stop nothing by a key that is not known anywhere', async () => {
    const client = (await connected()) as Client & { readonly processID: number; readonly secretKey: number };
    const sleeping = client.query('SELECT pg_sleep(1), 7 AS seven');
    const wrong = Buffer.alloc(4);
    wrong.writeInt32BE(client.secretKey ^ 1);
    for (const _ of [1, 2]) {
      const other = await RawPostgres.open(gateway.host, gateway.port);
      other.send(cancelRequest(client.processID, wrong));
      expect(await other.rest()).toEqual([]);
    }
    expect((await sleeping).rows[0]).toMatchObject({ seven: 7 });
  });

  test('judge by names as another session has just changed them', async () => {
    const [one, other] = [await connected(), await connected()];
    await postgres.sql("CREATE TABLE later (id int, note text); INSERT INTO later VALUES (1, 'nothing to hide')");
    const read = async (client: Client): Promise<string> =>
      JSON.stringify((await client.query('SELECT * FROM later')).rows);
    expect(await read(other)).toContain('nothing to hide');
    expect(await read(one)).toContain('nothing to hide');
    await one.query('ALTER TABLE later RENAME COLUMN note TO secret');
    expect(await read(other)).not.toContain('nothing to hide');
    expect(await read(one)).not.toContain('nothing to hide');
  });

  test('add up at /metrics', async () => {
    await connected();
    await connected();
    const read = async (): Promise<string> => (await fetch(gateway.metrics)).text();
    await expect.poll(read, soon).toMatch(/^sluice_sessions\{target="shop"\} 2$/m);
    const text = await read();
    expect(text).toMatch(/^sluice_workers 2$/m);
    expect(text).toMatch(/^sluice_worker_restarts_total 0$/m);
    // Three processes: none of them is this small together.
    const resident = Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
    expect(resident).toBeGreaterThan(process.memoryUsage().rss);
    expect(text.match(/^# HELP sluice_sessions /gm)).toHaveLength(1);

    // What is counted where units are judged, in two processes here.
    const decided = async (): Promise<number> => {
      const counted = /^sluice_overhead_seconds_count\{connector="postgres",stage="decide"\} (\d+)$/m.exec(
        await read(),
      );
      return Number(counted?.[1] ?? 0);
    };
    const before = await decided();
    const both = [await connected(), await connected()];
    for (const client of both) for (let turn = 0; turn < 10; turn++) await client.query(`SELECT ${turn}`);
    expect(await decided()).toBeGreaterThanOrEqual(before + 20);
  });

  test('are told of in the answer about health', async () => {
    const health = await (await fetch(`${gateway.api}/api/v1/health`)).json();
    expect(health).toMatchObject({ ready: true, checks: { workers: 'ok' } });
  });

  test('come under changed policies together, and end what is no longer allowed', async () => {
    const both = [await connected(), await connected()];
    const ends = both.map((client) => new Promise((resolve) => client.once('error', resolve)));
    await gateway.setPolicies(`${permitAll}\n@id("out") forbid (principal is Agent, action, resource);`);
    for (const end of ends) expect(await end).toMatchObject({ message: 'Policy no longer allows this session.' });
    for (const _ of both) await expect(connected()).rejects.toThrow(/out/);
    await gateway.setPolicies(policies);
    for (const _ of both) expect((await (await connected()).query('SELECT 1 AS one')).rowCount).toBe(1);
  });
});

describe('a client that leaves while it waits for consent', () => {
  test('takes its request with it', async () => {
    const client = new PgClient({
      host: gateway.host,
      port: gateway.port,
      database: targetName,
      user: 'anyone',
      password: await gateway.token(agent),
    });
    client.on('error', () => {});
    await client.connect();
    const request = told(client);
    client.query('INSERT INTO t VALUES (2)').catch(() => undefined);
    const id = await request;
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    const api = await gateway.apiAs(dba);
    await expect.poll(async () => (await api.accessRequest(id)).state, soon).toBe('cancelled');
  });
});
