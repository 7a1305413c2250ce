// Logins that cannot succeed, and connections that never become one: each is told why in PostgreSQL's own words, and
// none of them keeps others out.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../harness/free-port.ts';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestIssuer, type TestIssuer } from '../harness/issuer.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { cstring, fieldsOf, message, query, RawPostgres, shown, startup } from '../harness/raw-postgres.ts';

const agent = { sub: 'agent', kind: 'agent' } as const;
let postgres: TestPostgres;
let gateway: TestGateway;
let foreign: TestIssuer;

beforeAll(async () => {
  postgres = await createTestPostgres({ log: true, init: 'CREATE TABLE t (id int); INSERT INTO t VALUES (1)' });
  foreign = await createTestIssuer();
  const target = { connector: 'postgres', address: `127.0.0.1:${postgres.port}`, database: 'postgres', tls: 'disable' };
  const lost = join(await mkdtemp(join(tmpdir(), 'sluice-e2e-')), 'lost');
  await writeFile(lost, 'x', { mode: 0o600 });
  gateway = await createTestGateway({
    postgres,
    config: '"limits": {"pre_auth_time": "2s"}',
    moreTargets: [
      {
        ...target,
        name: 'closed-port',
        address: `127.0.0.1:${await freePort()}`,
        credential: { username: 'postgres', password: 'file:password' },
      },
      {
        ...target,
        name: 'nowhere',
        address: 'no-such-host.invalid:5432',
        credential: { username: 'postgres', password: 'file:password' },
      },
      { ...target, name: 'wrong-password', credential: { username: 'postgres', password: 'file:sluice.yaml' } },
      { ...target, name: 'no-password', credential: { username: 'postgres' } },
      { ...target, name: 'lost-password', credential: { username: 'postgres', password: `file:${lost}` } },
      {
        ...target,
        name: 'no-database',
        database: 'nothing',
        credential: { username: 'postgres', password: 'file:password' },
      },
    ],
  });
  await rm(dirname(lost), { recursive: true });
});
afterAll(async () => {
  await gateway?.stop();
  await foreign?.stop();
  await postgres?.stop();
});

async function refused(
  password: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const client = await RawPostgres.open(gateway.host, gateway.port);
  client.send(startup({ user: 'anyone', database: 'shop', ...parameters }));
  const [request] = await client.until('R');
  expect(request?.body.readInt32BE(0)).toBe(3);
  client.send(message('p', cstring(password)));
  const seen = await client.rest();
  expect(seen.map(({ type }) => type)).toEqual(['E']);
  const fields = seen[0] ? fieldsOf(seen[0]) : {};
  expect(fields).toMatchObject({ S: 'FATAL', V: 'FATAL' });
  return fields;
}

async function works(): Promise<void> {
  const client = await gateway.connect(agent);
  expect((await client.query('SELECT id FROM t')).rows).toEqual([{ id: 1 }]);
  await client.end();
}

function tampered(token: string): string {
  const [head = '', , signature = ''] = token.split('.');
  const claims = { iss: gateway.issuer.issuer, aud: gateway.issuer.audience, sub: 'root', exp: 4_000_000_000 };
  return [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}

function unsigned(): string {
  const claims = { iss: gateway.issuer.issuer, aud: gateway.issuer.audience, sub: 'root', exp: 4_000_000_000 };
  const encoded = [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return `${encoded.join('.')}.`;
}

describe('a token', () => {
  test.each<[string, () => string | Promise<string>]>([
    ['that is none', () => 'not-a-token'],
    ['that expired', () => gateway.token({ ...agent, ttl: -60 })],
    ['of another issuer', () => foreign.token(agent)],
    ['that was changed', async () => tampered(await gateway.token(agent))],
    ['without a signature', () => unsigned()],
    ['for another audience', () => gateway.token({ ...agent, more: { aud: 'urn:elsewhere', azp: 'x' } })],
    ['of a kind that does not exist', () => gateway.token({ sub: 'x', more: { kind: 'deity' } })],
    ['as long as can be', () => `x.${'y'.repeat(60_000)}.z`],
  ])('%s gets the one refusal', async (name, make) => {
    // The issuer sets the audience last, so this one is changed on the way.
    const token = name === 'for another audience' ? tampered(await make()) : await make();
    const fields = await refused(token);
    expect(fields).toMatchObject({ C: '28P01' });
    expect(fields['M']).not.toMatch(/expired|signature|issuer|audience|kind/i);
    await works();
  });

  test('that is refused says in the log why, and not what it was', async () => {
    const token = await gateway.token({ ...agent, ttl: -60 });
    await refused(token);
    const log = () => readFile(gateway.logFile, 'utf8');
    await expect.poll(log).toContain('connection refused');
    expect(await log()).toMatch(/exp/);
    expect(await log()).not.toContain(token);
  });
});

describe('a target', () => {
  test.each<[string, string, RegExp]>([
    ['unheard-of', '3D000', /unheard-of/],
    ['closed-port', '08006', /cannot be reached/],
    ['nowhere', '08006', /cannot be reached/],
    ['wrong-password', '08004', /refused the gateway's login.*28P01/],
    ['no-password', '08004', /none configured/],
    ['lost-password', '08004', /./],
    ['no-database', '08004', /3D000/],
  ])('%s: %s', async (database, code, text) => {
    const fields = await refused(await gateway.token(agent), { database });
    expect(fields).toMatchObject({ C: code, M: expect.stringMatching(text) });
    const all = JSON.stringify(fields);
    for (const secret of [postgres.password, String(postgres.port), 'sluice-e2e-', 'no-such-host']) {
      expect(all).not.toContain(secret);
    }
    await works();
  });
});

describe('before anybody is known', () => {
  test('garbage ends its own connection only', async () => {
    for (let round = 0; round < 20; round++) {
      const client = await RawPostgres.open(gateway.host, gateway.port);
      client.send(randomBytes(1 + round * 37));
      // Random bytes may be the beginning of a longer packet: the clock ends those.
      const seen = await client.rest();
      expect(seen.every(({ type }) => type === 'E')).toBe(true);
    }
    await works();
  }, 60_000);

  test('a startup packet that never ends is cut off by the clock', async () => {
    const slow = await RawPostgres.open(gateway.host, gateway.port);
    const packet = startup({ user: 'anyone', database: 'shop' });
    slow.send(packet.subarray(0, 9));
    expect((await slow.rest()).map(shown)).toEqual([]);
  });

  test('a password that never comes is cut off by the clock', async () => {
    const slow = await RawPostgres.open(gateway.host, gateway.port);
    slow.send(startup({ user: 'anyone', database: 'shop' }));
    await slow.until('R');
    expect((await slow.rest()).map(shown)).toEqual([]);
  });

  test('two hundred connections that say nothing keep nobody out, and are gone in the end', async () => {
    const idle = await Promise.all(Array.from({ length: 200 }, () => RawPostgres.open(gateway.host, gateway.port)));
    for (const [index, client] of idle.entries()) if (index % 2) client.send(Buffer.from([0, 0]));
    await works();
    for (const client of idle) expect(await client.rest()).toEqual([]);
    await works();
  });
});

describe('in a session', () => {
  test('a statement of 10 MB is refused by its size, and the session goes on', async () => {
    const client = await gateway.connect(agent);
    const long = `SELECT '${'x'.repeat(10 * 1024 * 1024)}'`;
    await expect(client.query(long)).rejects.toMatchObject({ code: '54000', severity: 'ERROR' });
    await expect(client.query(long, [])).rejects.toMatchObject({ code: '54000' });
    expect((await client.query('SELECT id FROM t')).rows).toEqual([{ id: 1 }]);
    await client.end();
    expect((await postgres.statements()).filter(({ text }) => text.includes('xxxxxxxx'))).toEqual([]);
  });

  test('a value of 10 MB passes as a parameter', async () => {
    const client = await gateway.connect(agent);
    const { rows } = await client.query('SELECT length($1::text) AS n', ['x'.repeat(10 * 1024 * 1024)]);
    expect(rows).toEqual([{ n: 10 * 1024 * 1024 }]);
    await client.end();
  });

  test('garbage behind a login ends that session with a proper error', async () => {
    const client = await RawPostgres.login(gateway, await gateway.token(agent));
    client.send(query('SELECT 1'), Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
    const seen = await client.rest();
    expect(shown(seen.at(-1) ?? { type: '', body: Buffer.alloc(0) })).toBe('E:08P01');
    await works();
  });
});

test('a driver shows all of it as an ordinary error', async () => {
  const client = new Client({ host: gateway.host, port: gateway.port, database: 'shop', user: 'x', password: 'nope' });
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01', severity: 'FATAL' });
});
