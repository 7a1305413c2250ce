// `sluice start` as a process: what keeps it from starting, what it does with policies it cannot read, how it ends.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Result, runCommand, startCommand } from '@sluice/cli/testing/command.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { permitAll } from '../harness/gateway.ts';
import { createGatewayHome, type GatewayHome, type GatewayProcess } from '../harness/gateway-process.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';

const agent = { sub: 'agent', kind: 'agent' } as const;
const broken = '@id("broken")\npermit (principal, action, resource) when { context.no_such_thing };\n';

let postgres: TestPostgres;
let home: GatewayHome;

beforeAll(async () => {
  postgres = await createTestPostgres({ init: 'CREATE TABLE t (id int); INSERT INTO t VALUES (1)' });
  home = await createGatewayHome({ postgres, bare: true });
});
afterAll(async () => {
  await home?.remove();
  await postgres?.stop();
});

async function works(gateway: GatewayProcess): Promise<void> {
  const client = await home.connect(gateway, agent);
  expect((await client.query('SELECT id FROM t')).rows).toEqual([{ id: 1 }]);
  await client.end();
}

/** Starts what must not start, from the usual configuration with some of it replaced. */
async function refused(from: RegExp, to: string): Promise<Result> {
  const file = join(home.dir, 'other.yaml');
  const text = (await readFile(home.configFile, 'utf8')).replace(from, to);
  await writeFile(file, text);
  const result = await startCommand(['start', '-c', file, '--json'], { cwd: home.dir }).ended;
  expect(result.code).toBe(1);
  expect(result.stdout).toBe('');
  expect(result.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  expect(result.stderr).not.toContain(postgres.password);
  return result;
}

describe('a gateway does not start', () => {
  test('on a data directory that another one has, and says who has it', { timeout: 60_000 }, async () => {
    const first = await home.start();
    const { stderr } = await refused(/no change/, '');
    expect(stderr).toContain(home.dir);
    expect(stderr).toMatch(/process \d+|pid \d+/i);
    await works(first);
    expect(await first.stop()).toMatchObject({ code: 0 });
  });

  test('on a port that is taken, and lets go of everything else', { timeout: 60_000 }, async () => {
    const { stderr } = await refused(/"postgres": "127.0.0.1:0"/, `"postgres": "127.0.0.1:${postgres.port}"`);
    expect(stderr).toMatch(new RegExp(`listen\\.postgres \\(127\\.0\\.0\\.1:${postgres.port}\\).*in use`));
    const other = await refused(/"api": "127.0.0.1:0"/, `"api": "127.0.0.1:${postgres.port}"`);
    expect(other.stderr).toMatch(/listen\.api .*in use/);
    const gateway = await home.start();
    await works(gateway);
    await gateway.stop();
  });

  test('with a key it does not know, and says where and which was meant', { timeout: 60_000 }, async () => {
    const { stderr } = await refused(/"data_dir"/, '"data_dirs"');
    expect(stderr).toMatch(/other\.yaml:\d+:\d+: error: data_dirs: unknown key \(did you mean data_dir\?\)/);
  });
});

describe('policies that cannot be read', () => {
  const policies = () => join(home.dir, 'policies', 'test.cedar');

  test('at the start deny everything, loudly, until they can', { timeout: 60_000 }, async () => {
    await writeFile(policies(), broken);
    const gateway = await home.start();
    await expect(home.connect(gateway, agent)).rejects.toMatchObject({ code: '42501' });
    await writeFile(policies(), permitAll);
    await expect
      .poll(
        () =>
          works(gateway).then(
            () => 'works',
            () => 'denied',
          ),
        { timeout: 20_000 },
      )
      .toBe('works');
    const { stderr } = await gateway.stop();
    expect(stderr).toMatch(/policies\/test\.cedar:2:\d+: .*no_such_thing/);
    expect(stderr).toContain('no policies could be loaded: everything is denied');
  });

  test('later keep the old set in force, and say so', { timeout: 60_000 }, async () => {
    const gateway = await home.start();
    const api = await home.apiOf(gateway, agent);
    const before = await api.policies();
    const client = await home.connect(gateway, agent);
    await writeFile(policies(), broken);
    await expect.poll(async () => (await api.policies()).problems?.length ?? 0, { timeout: 20_000 }).toBeGreaterThan(0);
    const during = await api.policies();
    expect(during).toMatchObject({ hash: before.hash, epoch: before.epoch });
    expect(during.problems?.[0]).toMatchObject({ path: expect.stringContaining('test.cedar'), line: 2 });
    expect((await client.query('SELECT id FROM t')).rows).toEqual([{ id: 1 }]);
    await client.end();
    await works(gateway);
    const { stderr } = await gateway.stop();
    expect(stderr).toMatch(/policies were not taken over: .*test\.cedar:2:/);
    await writeFile(policies(), permitAll);
  });
});

test('asked to stop, it tells its clients, seals their recordings and ends in good order', {
  timeout: 60_000,
}, async () => {
  const gateway = await home.start();
  const [idle, busy] = [await home.connect(gateway, agent), await home.connect(gateway, agent)];
  const told = new Promise((resolve) => idle.on('error', resolve));
  const running = busy.query('SELECT pg_sleep(600)').catch((error) => error);
  await expect
    .poll(
      async () => (await postgres.sql("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'")).length,
    )
    .toBe(1);
  const ended = gateway.stop();
  expect(await told).toMatchObject({ code: '57P01', severity: 'FATAL' });
  expect(await running).toMatchObject({ code: '57P01' });
  expect(await ended).toMatchObject({ code: 0 });
  await expect
    .poll(() =>
      postgres.sql("SELECT query FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'"),
    )
    .toEqual([]);
  const verified = await runCommand(['audit', 'verify', home.dir, '--json'], { cwd: home.dir });
  expect(verified, verified.stdout).toMatchObject({ code: 0 });
});
