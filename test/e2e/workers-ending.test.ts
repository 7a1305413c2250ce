// Workers that end, and a gateway that ends before them: who loses what, and that nothing goes unrecorded for it.
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '@sluice/cli/testing/command.ts';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestGateway } from '../harness/gateway.ts';
import { createGatewayHome, type GatewayHome, type GatewayProcess } from '../harness/gateway-process.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { recordedEvents, sentTexts, sessionRecordings } from '../harness/recorded-events.ts';
import { lives, workersOf } from '../harness/workers.ts';

const claims = { sub: 'load', kind: 'service' } as const;
const patience = { timeout: 60_000 };

let postgres: TestPostgres;
let home: GatewayHome;

beforeAll(async () => {
  postgres = await createTestPostgres({ log: true, init: 'CREATE TABLE done (client int, n int)' });
  home = await createGatewayHome({ postgres, config: '"workers": 2' });
});
afterAll(async () => {
  await home?.remove();
  await postgres?.stop();
});

/** A client that writes one row after the other until it can't. */
class Load {
  readonly number: number;
  readonly #client: Client;
  #stopped = false;
  count = 0;
  error: Error | undefined;
  readonly over: Promise<void>;

  constructor(number: number, client: Client) {
    this.number = number;
    this.#client = client;
    this.over = this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped) {
        await this.#client.query(`INSERT INTO done VALUES (${this.number}, ${this.count})`);
        this.count++;
      }
      await this.#client.end();
    } catch (error) {
      this.error = error as Error;
    }
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.over;
  }
}

async function verified(): Promise<void> {
  const result = await runCommand(['audit', 'verify', home.dir, '--json'], { cwd: home.dir });
  expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
}

/** What is behind the last event but the seal, by session. */
async function endsOf(sessions: readonly string[]): Promise<unknown[]> {
  const paths = await sessionRecordings(home.dir);
  return Promise.all(
    sessions.map(async (id) => {
      const events = await recordedEvents(paths.find((path) => path.includes(id)) ?? '');
      return events.at(-1)?.['type'] === 'seal' ? events.at(-2)?.['reason'] : 'open';
    }),
  );
}

/** Events of all journals, in the order of the journals' names. */
async function journal(): Promise<Record<string, unknown>[]> {
  const names = (await runCommand(['audit', 'verify', home.dir, '--json'], { cwd: home.dir })).stdout;
  const sessions = [...new Set(names.match(/gateway-[0-9TZ]+-[0-9a-f]+/g) ?? [])].sort();
  const found: Record<string, unknown>[] = [];
  for (const session of sessions) {
    const [, year, month, day] = /gateway-(\d{4})(\d\d)(\d\d)/.exec(session) ?? [];
    const path = join(home.dir, 'recordings', year ?? '', month ?? '', day ?? '', `${session}.sluice`);
    found.push(...(await recordedEvents(path)));
  }
  return found;
}

async function begun(gateway: GatewayProcess, count: number): Promise<Load[]> {
  const loads: Load[] = [];
  for (let number = 0; number < count; number++) loads.push(new Load(number, await home.connect(gateway, claims)));
  return loads;
}

describe('a worker that is killed', { timeout: 180_000 }, () => {
  test('takes its own sessions with it and no other, and its recordings are closed at once', async () => {
    await postgres.sql('TRUNCATE done');
    const before = (await postgres.statements()).length;
    const gateway = await home.start();
    const api = await home.apiOf(gateway, claims);
    const loads = await begun(gateway, 4);
    await vi.waitUntil(() => loads.every(({ count }) => count > 50), patience);
    const pid = (await workersOf(home.dir)).get(1) ?? 0;
    process.kill(pid, 'SIGKILL');

    await vi.waitUntil(() => loads.filter(({ error }) => error).length === 2, patience);
    const left = loads.filter(({ error }) => !error);
    const reached = left.map(({ count }) => count);
    await vi.waitUntil(() => left.every(({ count }, at) => count > (reached[at] ?? 0) + 50), patience);
    await vi.waitUntil(async () => (await api.sessions({ live: true })).items.length === 2, patience);
    const { items } = await api.sessions({ live: false, limit: 2 });
    expect(items.map((session) => session.end_reason)).toEqual(['interrupted', 'interrupted']);
    await expect.poll(() => endsOf(items.map(({ id }) => id)), patience).toEqual(['interrupted', 'interrupted']);
    // Those of the other worker were not touched: they go on.
    expect(await endsOf((await api.sessions({ live: true })).items.map(({ id }) => id))).toEqual(['open', 'open']);

    await vi.waitUntil(async () => ![pid, undefined].includes((await workersOf(home.dir)).get(1)), patience);
    const again = await begun(gateway, 2);
    await vi.waitUntil(() => again.every(({ count }) => count > 5), patience);
    await Promise.all([...left, ...again].map((load) => load.stop()));
    expect(left.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect((await gateway.stop()).code).toBe(0);
    await verified();

    const inLog = (await postgres.statements()).slice(before).map(({ text }) => text);
    const recorded = new Set<string>();
    for (const path of await sessionRecordings(home.dir)) {
      for (const text of sentTexts(await recordedEvents(path))) recorded.add(text);
    }
    const executed = inLog.filter((text) => text.startsWith('INSERT INTO done'));
    expect(executed.length).toBeGreaterThan(200);
    expect(executed.filter((text) => !recorded.has(text))).toEqual([]);
    expect(await journal()).toContainEqual(
      expect.objectContaining({
        name: 'worker.ended',
        detail: expect.objectContaining({ worker: 1, pid, reason: 'SIGKILL', sessions: 2 }),
      }),
    );
  });

  test('is not told to end by a signal that is meant for all', async () => {
    const gateway = await home.start();
    const both = [await home.connect(gateway, claims), await home.connect(gateway, claims)];
    const pids = [...(await workersOf(home.dir)).values()];
    for (const pid of pids) {
      process.kill(pid, 'SIGTERM');
      process.kill(pid, 'SIGINT');
    }
    for (const client of both) expect((await client.query('SELECT 1 AS one')).rowCount).toBe(1);
    const told = both.map((client) => new Promise((resolve) => client.once('error', resolve)));
    expect((await gateway.stop()).code).toBe(0);
    for (const each of told) expect(await each).toMatchObject({ code: '57P01', message: 'The gateway is stopping.' });
    expect(await Promise.all(pids.map(lives))).toEqual([false, false]);
    expect([...(await workersOf(home.dir)).values()]).toEqual([]);
    await verified();
  });
});

describe('workers whose gateway is killed', { timeout: 180_000 }, () => {
  test('end their sessions natively, close their recordings, and are waited for by the next gateway', async () => {
    const gateway = await home.start();
    const both = [await home.connect(gateway, claims), await home.connect(gateway, claims)];
    for (const client of both) await client.query("SELECT 'before the end'");
    const sessions = (await (await home.apiOf(gateway, claims)).sessions({ live: true })).items.map(({ id }) => id);
    const pids = [...(await workersOf(home.dir)).values()];
    const told = both.map((client) => new Promise((resolve) => client.once('error', resolve)));
    const killed = gateway.kill();
    const again = await home.start();
    await killed;
    for (const each of told) expect(await each).toMatchObject({ code: '57P01', message: 'The gateway is stopping.' });
    expect(await Promise.all(pids.map(lives))).toEqual([false, false]);
    expect(await endsOf(sessions)).toEqual(['gateway_stopped', 'gateway_stopped']);
    const api = await home.apiOf(again, claims);
    expect((await api.session(sessions[0] ?? '')).end_reason).toBe('interrupted');
    const client = await home.connect(again, claims);
    expect((await client.query('SELECT 1 AS one')).rowCount).toBe(1);
    await again.stop();
    await verified();
    // Sealed when nobody could witness it: the next journal says as what.
    const witnessed = (await journal()).filter(({ name }) => name === 'recording.recovered');
    for (const session of sessions) {
      expect(witnessed).toContainEqual(expect.objectContaining({ detail: expect.objectContaining({ session }) }));
    }
  });
});

describe('a worker that can not be started again', { timeout: 180_000 }, () => {
  test('leaves the gateway to the others, is told of loudly, and comes back', async () => {
    const gateway = await createTestGateway({ postgres, config: '"workers": 2', metrics: true });
    try {
      const key = join(gateway.dir, 'keys', 'masking.key');
      await chmod(key, 0o644);
      process.kill((await workersOf(gateway.dir)).get(2) ?? 0, 'SIGKILL');
      const log = async (): Promise<string> => readFile(gateway.logFile, 'utf8');
      await expect.poll(log, patience).toMatch(/"worker":2.*a worker ends again and again/);
      const read = async (): Promise<string> => (await fetch(gateway.metrics)).text();
      expect(await read()).toMatch(/^sluice_workers 1$/m);
      expect(await read()).toMatch(/^sluice_worker_restarts_total [1-9]/m);
      expect(await (await fetch(`${gateway.api}/api/v1/health`)).json()).toMatchObject({
        ready: true,
        checks: { workers: 'failing' },
      });
      for (let turn = 0; turn < 3; turn++) {
        const client = await gateway.connect(claims);
        expect((await client.query('SELECT 1 AS one')).rowCount).toBe(1);
        await client.end();
      }
      await chmod(key, 0o600);
      await expect.poll(read, { timeout: 120_000 }).toMatch(/^sluice_workers 2$/m);
    } finally {
      await gateway.stop();
    }
  });
});
