// A gateway that dies in the middle of its work: what the database executed is in the recordings, whatever was going on.
import { runCommand } from '@sluice/cli/testing/command.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPgbench, needing } from '../harness/clients.ts';
import { createGatewayHome, type GatewayHome } from '../harness/gateway-process.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { recordedEvents, sentTexts, sessionRecordings } from '../harness/recorded-events.ts';
import { runProgram, startProgram } from '../harness/run-program.ts';

const pgbench = findPgbench();
const claims = { sub: 'load', kind: 'service' } as const;

let postgres: TestPostgres;
let home: GatewayHome;

beforeAll(async () => {
  postgres = await createTestPostgres({ log: true, init: 'CREATE TABLE t (id int); CREATE TABLE marker (n int)' });
  home = await createGatewayHome({ postgres });
});
afterAll(async () => {
  await home?.remove();
  await postgres?.stop();
});

function counted(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const plain = text.trim().replace(/;$/, '');
    counts.set(plain, (counts.get(plain) ?? 0) + 1);
  }
  return counts;
}

async function verified(): Promise<void> {
  const result = await runCommand(['audit', 'verify', home.dir, '--json'], { cwd: home.dir });
  expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
}

describe.skipIf(!pgbench.there)(needing(pgbench, 'pgbench'), () => {
  test.each(['simple', 'extended', 'prepared'])(
    'killed under %s load, the recordings hold every statement that the server executed',
    { timeout: 180_000 },
    async (mode) => {
      if (!pgbench.there) throw new Error(pgbench.reason);
      const before = (await postgres.statements()).length;
      const gateway = await home.start();
      const earlier = new Set(await sessionRecordings(home.dir));
      const env = {
        PGHOST: gateway.host,
        PGPORT: String(gateway.port),
        PGDATABASE: 'shop',
        PGUSER: 'load',
        PGPASSWORD: await home.issuer.token(claims),
      };
      expect(await runProgram(pgbench.path, ['-i', '-q'], { env })).toMatchObject({ code: 0 });
      const load = startProgram(pgbench.path, ['-n', '-M', mode, '-c', '4', '-j', '2', '-T', '600', '-P', '1'], {
        env,
      });
      const [started] = await postgres.sql<{ n: number }>('SELECT count(*)::int AS n FROM pgbench_history');
      await expect
        .poll(async () => (await postgres.sql<{ n: number }>('SELECT count(*)::int AS n FROM pgbench_history'))[0]?.n, {
          timeout: 60_000,
        })
        .toBeGreaterThan((started?.n ?? 0) + 200);
      await gateway.kill();
      expect((await load.ended).code).not.toBe(0);
      await expect
        .poll(() =>
          postgres.sql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'UPDATE pgbench%' OR state LIKE 'idle in%'"),
        )
        .toEqual([]);

      const again = await home.start();
      const executed = (await postgres.statements()).slice(before).map(({ text }) => text);
      const inLog = counted(executed.filter((text) => /pgbench_\w+ (SET|VALUES|WHERE|\()|^(BEGIN|END);?$/.test(text)));
      const sent: string[] = [];
      for (const path of await sessionRecordings(home.dir)) {
        if (!earlier.has(path)) sent.push(...sentTexts(await recordedEvents(path)));
      }
      const inRecordings = counted(sent);
      expect([...inLog.values()].reduce((sum, times) => sum + times, 0)).toBeGreaterThan(1_000);
      expect([...inLog].filter(([text, times]) => (inRecordings.get(text) ?? 0) < times)).toEqual([]);
      await verified();
      await again.stop();
      await verified();
    },
  );
});

describe('killed in the middle of a transaction', () => {
  test('the database rolls back, and the next start closes the recording as interrupted', {
    timeout: 120_000,
  }, async () => {
    const gateway = await home.start();
    const client = await home.connect(gateway, claims);
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES (1)');
    await client.query("SELECT 'before the end'");
    const [session] = (await (await home.apiOf(gateway, claims)).sessions({ live: true })).items;
    const gone = new Promise<void>((resolve) => client.on('end', () => resolve()));
    await gateway.kill();
    await gone;
    await expect
      .poll(() => postgres.sql("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"))
      .toEqual([]);
    expect(await postgres.sql('SELECT * FROM t')).toEqual([]);

    const again = await home.start();
    const api = await home.apiOf(again, claims);
    expect((await api.sessions({ live: true })).items).toEqual([]);
    const shown = await api.session(session?.id ?? '');
    expect(shown).toMatchObject({ live: false, end_reason: 'interrupted' });
    const path = (await sessionRecordings(home.dir)).find((each) => each.includes(session?.id ?? '-')) ?? '';
    const events = await recordedEvents(path);
    expect(events.filter(({ name }) => name === 'Query').map(({ text }) => text)).toEqual([
      ['BEGIN'],
      ['INSERT INTO t VALUES (1)'],
      ["SELECT 'before the end'"],
    ]);
    expect(events.at(-2)).toMatchObject({ type: 'end', reason: 'interrupted' });
    await verified();
    await again.stop();
    await verified();
  });
});
