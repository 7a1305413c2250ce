// The connection to the target: every kind of certificate against every `tls` setting. Where it must not be trusted, the
// client gets a refusal that names the cause and not the place.
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { createTestCa } from '../harness/test-ca.ts';

const agent = { sub: 'agent', kind: 'agent' } as const;
const targets = ['require', 'verify-ca', 'verify-full', 'other-authority', 'platform-authorities'] as const;

let postgres: TestPostgres;
let plain: TestPostgres;
let gateway: TestGateway;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-e2e-tls-'));
  [postgres, plain] = await Promise.all([createTestPostgres({ tls: 'only' }), createTestPostgres()]);
  await writeFile(join(folder, 'ca.crt'), postgres.ca?.cert ?? '');
  await writeFile(join(folder, 'other.crt'), (await createTestCa('Another CA')).cert);
  await writeFile(join(folder, 'plain-password'), plain.password, { mode: 0o600 });
  const ca = join(folder, 'ca.crt');
  const tls = {
    require: { mode: 'require' },
    'verify-ca': { mode: 'verify-ca', ca },
    'verify-full': { mode: 'verify-full', ca },
    'other-authority': { mode: 'verify-full', ca: join(folder, 'other.crt') },
    'platform-authorities': 'verify-full',
  };
  const common = { connector: 'postgres', database: 'postgres' };
  gateway = await createTestGateway({
    postgres,
    targetTls: 'require',
    moreTargets: [
      ...targets.map((name) => ({
        ...common,
        name,
        address: `127.0.0.1:${postgres.port}`,
        tls: tls[name],
        credential: { username: 'postgres', password: 'file:password' },
      })),
      ...(['require', 'verify-full'] as const).map((mode) => ({
        ...common,
        name: `no-tls-${mode}`,
        address: `127.0.0.1:${plain.port}`,
        tls: mode,
        credential: { username: 'postgres', password: `file:${join(folder, 'plain-password')}` },
      })),
      {
        ...common,
        name: 'tls-not-asked-for',
        address: `127.0.0.1:${postgres.port}`,
        tls: 'disable',
        credential: { username: 'postgres', password: 'file:password' },
      },
    ],
  });
});
afterAll(async () => {
  await gateway?.stop();
  await Promise.all([postgres?.stop(), plain?.stop()]);
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Gives the running server another certificate; resolves once it shows it. */
async function serve(names: readonly string[], expired: boolean): Promise<void> {
  const issued = await postgres.ca?.issue(names, { expired });
  if (!issued) throw new Error('the server has no authority');
  const data = join(dirname(postgres.logFile), 'data');
  await writeFile(join(data, 'server.crt'), issued.cert);
  await writeFile(join(data, 'server.key'), issued.key);
  await postgres.sql('SELECT pg_reload_conf()');
  const wanted = new X509Certificate(issued.cert).fingerprint256;
  await expect.poll(shownCertificate, { timeout: 10_000 }).toBe(wanted);
}

async function shownCertificate(): Promise<string> {
  const client = new Client({ connectionString: postgres.url, ssl: { rejectUnauthorized: false } });
  await client.connect();
  const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
  const { fingerprint256 } = stream.getPeerCertificate();
  await client.end();
  return fingerprint256;
}

/** `works`, or the SQLSTATE of the refusal. */
async function outcome(database: string): Promise<string> {
  try {
    const client = await gateway.connect(agent, { database });
    const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    await client.end();
    expect(rows).toEqual([{ ssl: true }]);
    return 'works';
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    expect(message).not.toContain(String(postgres.port));
    expect(message).not.toContain('127.0.0.1');
    if (code === '08004') expect(message).toMatch(/TLS|login/);
    return code;
  }
}

describe('a certificate', () => {
  test.each<[string, readonly string[], boolean, Record<(typeof targets)[number], string>]>([
    [
      'that is right',
      ['127.0.0.1', 'localhost'],
      false,
      {
        require: 'works',
        'verify-ca': 'works',
        'verify-full': 'works',
        'other-authority': '08004',
        'platform-authorities': '08004',
      },
    ],
    [
      'for another name',
      ['db.elsewhere.example'],
      false,
      {
        require: 'works',
        'verify-ca': 'works',
        'verify-full': '08004',
        'other-authority': '08004',
        'platform-authorities': '08004',
      },
    ],
    [
      'that expired',
      ['127.0.0.1', 'localhost'],
      true,
      {
        require: 'works',
        'verify-ca': '08004',
        'verify-full': '08004',
        'other-authority': '08004',
        'platform-authorities': '08004',
      },
    ],
  ])('%s', { timeout: 60_000 }, async (_, names, expired, expected) => {
    await serve(names, expired);
    const outcomes: Record<string, string> = {};
    for (const name of targets) outcomes[name] = await outcome(name);
    expect(outcomes).toEqual(expected);
  });
});

describe('a server', () => {
  test.each(['no-tls-require', 'no-tls-verify-full'])('without TLS is not logged in to: %s', async (name) => {
    expect(await outcome(name)).toBe('08004');
  });

  test('that insists on TLS refuses a target set to do without', async () => {
    expect(await outcome('tls-not-asked-for')).toBe('08004');
  });
});
