// Two gateways over one shared PostgreSQL store: what a person does at one of them reaches sessions at the other.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@sluice/api/client.ts';
import { loadConfig } from '@sluice/server/config/load.ts';
import { knownConnectors } from '@sluice/server/gateway-connectors.ts';
import { type Gateway, startGateway } from '@sluice/server/main.ts';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeConfiguration } from '../harness/gateway.ts';
import { createTestIssuer, type TestIssuer } from '../harness/issuer.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';

const policies = `
@id("read") permit (principal, action in [Action::"connect", Action::"read"], resource);
@id("write") @approval("dba") permit (principal, action in Action::"write", resource);
@id("operate") permit (principal in Group::"dba", action in [Action::"gateway:view", Action::"gateway:manage"], resource);
`;

let postgres: TestPostgres;
let issuer: TestIssuer;
let here: Gateway;
let there: Gateway;
const folders: string[] = [];

beforeAll(async () => {
  postgres = await createTestPostgres({ init: 'CREATE TABLE t (id int)' });
  await postgres.sql('CREATE DATABASE sluice');
  issuer = await createTestIssuer();
  here = await start();
  there = await start();
});
afterAll(async () => {
  await here?.stop();
  await there?.stop();
  await issuer?.stop();
  await postgres?.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-shared-'));
  folders.push(folder);
  const file = await writeConfiguration(folder, { postgres, policies }, issuer, undefined);
  const store = `postgres://${postgres.superuser}:${postgres.password}@127.0.0.1:${postgres.port}/sluice?sslmode=disable`;
  await writeFile(file, (await readFile(file, 'utf8')).replace('"store": "embedded"', `"store": "${store}"`));
  const config = loadConfig(file, { connectors: knownConnectors });
  return startGateway({ config, logFile: join(folder, 'gateway.log') });
}

test('a statement held at one gateway is approved at the other, and its session killed there', async () => {
  const at = here.addresses.connectors['postgres'];
  const client = new Client({
    host: at?.host ?? '',
    port: at?.port ?? 0,
    database: 'shop',
    user: 'anyone',
    password: await issuer.token({ sub: 'agent', kind: 'agent' }),
  });
  client.on('error', () => {});
  await client.connect();
  const held = new Promise<string>((resolve) => client.once('notice', ({ message }) => resolve(message ?? '')));
  const insert = client.query('INSERT INTO t VALUES (1)');
  const request = /req_\w+/.exec(await held)?.[0] ?? '';

  const dba = await issuer.token({ sub: 'alex', groups: ['dba'] });
  const api = new ApiClient({ base: `http://127.0.0.1:${there.addresses.api.port}`, token: dba });
  await api.approve(request);
  expect((await insert).rowCount).toBe(1);
  expect(await postgres.sql('SELECT id FROM t')).toEqual([{ id: 1 }]);

  const { items } = await api.sessions({ live: true });
  const ended = new Promise((resolve) => client.once('end', resolve));
  await api.kill(items[0]?.id ?? '');
  await ended;
});
