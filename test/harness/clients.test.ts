import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPgbench, findPsql, findPython, needing, type RealClient } from './clients.ts';
import { createTestPostgres, type TestPostgres } from './postgres.ts';

const psql = findPsql();
const pgbench = findPgbench();
const drivers = (['psycopg', 'psycopg2', 'asyncpg'] as const).map((name) => findPython(name));

function run(client: RealClient, args: readonly string[]): string {
  if (!client.there) throw new Error(client.reason);
  return execFileSync(client.path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('real clients', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await createTestPostgres();
  });
  afterAll(() => server.stop());

  test.skipIf(!psql.there)(needing(psql, 'psql talks to the test server'), () => {
    expect(run(psql, [server.url, '-Atc', 'select 6 * 7']).trim()).toBe('42');
  });

  test.skipIf(!pgbench.there)(needing(pgbench, 'pgbench fills the test server'), () => {
    run(pgbench, ['-i', '-q', '-I', 'dt', server.url]);
    expect(psql.there && run(psql, [server.url, '-Atc', 'select count(*) from pgbench_accounts']).trim()).toBe('0');
  });

  test('a missing client says why, in the name of the test that needs it', () => {
    for (const driver of drivers) {
      if (driver.there) expect(driver.version).not.toBe('');
      else expect(needing(driver, 'reads rows')).toMatch(/^reads rows \(skipped: .*python3.*\)$/);
    }
  });
});
