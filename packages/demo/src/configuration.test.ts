import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '@sluice/server/config/load.ts';
import { knownConnectors } from '@sluice/server/gateway-connectors.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keptCertificates } from './certificates.ts';
import { writeConfiguration } from './configuration.ts';
import type { RunningDatabase } from './database/database.ts';
import type { RunningIdentityProvider } from './identity/identity-provider.ts';
import { type Layout, layout } from './layout.ts';

let at: Layout;
beforeEach(async () => {
  at = layout(await mkdtemp(join(tmpdir(), 'sluice-demo-config-')));
});
afterEach(async () => {
  await rm(at.root, { recursive: true, force: true });
});

// Only what ends up in the file.
const database = { host: '127.0.0.1', port: 5432, database: 'shop', gatewayUser: 'sluice_gateway' } as RunningDatabase;
const identity = { issuer: 'http://127.0.0.1:9999', audience: 'urn:sluice:demo' } as RunningIdentityProvider;

it('writes a configuration that the gateway has nothing to say against', async () => {
  await keptCertificates(at.tls);
  await writeConfiguration(at, { api: 0, postgres: 0 }, database, identity);
  await mkdir(at.database);
  await writeFile(join(at.database, 'gateway-password'), 'secret\n');
  const problems = checkConfig(at.config, {
    connectors: knownConnectors,
  });
  expect(problems).toEqual([]);
  expect((await stat(at.config)).mode & 0o077).toBe(0);
});

it('copies the policies once and then leaves them alone', async () => {
  await writeConfiguration(at, { api: 0, postgres: 0 }, database, identity);
  const names = await readdir(at.policies);
  expect(names.length).toBeGreaterThan(2);
  const mine = join(at.policies, names[0]!);
  await writeFile(mine, '// mine\n');
  await writeConfiguration(at, { api: 1, postgres: 2 }, database, identity);
  expect(await readFile(mine, 'utf8')).toBe('// mine\n');
  expect(await readFile(at.config, 'utf8')).toContain('postgres: 127.0.0.1:2');
});
