import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '@sluice/server/config/load.ts';
import { knownConnectors } from '@sluice/server/gateway-connectors.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keptCertificates } from './certificates.ts';
import { type Surroundings, writeConfiguration } from './configuration.ts';
import { keptHostKeys } from './host/keys.ts';
import { type Layout, layout } from './layout.ts';
import { anyPorts } from './ports.ts';

let at: Layout;
beforeEach(async () => {
  at = layout(await mkdtemp(join(tmpdir(), 'sluice-demo-config-')));
});
afterEach(async () => {
  await rm(at.root, { recursive: true, force: true });
});

const surroundings: Surroundings = {
  database: { host: '127.0.0.1', port: 5432, database: 'shop', gatewayUser: 'sluice_gateway' },
  host: { host: '127.0.0.1', port: 2222, user: 'build', hostKeys: [] },
  crm: { host: '127.0.0.1', port: 8080 },
  runbooks: { host: '127.0.0.1', port: 8081, path: '/mcp' },
  identity: { issuer: 'http://127.0.0.1:9999', audience: 'urn:sluice:demo' },
};

it('writes a configuration that the gateway has nothing to say against', async () => {
  await keptCertificates(at.tls);
  for (const dir of [at.database, at.host, at.crm, at.runbooks]) await mkdir(dir);
  const { hostPublicKey } = await keptHostKeys(at.host);
  const host = { ...surroundings.host, hostKeys: [hostPublicKey] };
  await writeConfiguration(at, anyPorts, { ...surroundings, host });
  const secrets = [join(at.database, 'gateway-password'), join(at.crm, 'token'), join(at.runbooks, 'token')];
  for (const file of secrets) await writeFile(file, 'secret\n');
  const problems = checkConfig(at.config, {
    connectors: knownConnectors,
  });
  expect(problems).toEqual([]);
  expect((await stat(at.config)).mode & 0o077).toBe(0);
});

it('copies the policies once and then leaves them alone', async () => {
  await writeConfiguration(at, anyPorts, surroundings);
  const names = await readdir(at.policies);
  expect(names.length).toBeGreaterThan(2);
  const mine = join(at.policies, names[0]!);
  await writeFile(mine, '// mine\n');
  await writeConfiguration(at, { ...anyPorts, postgres: 2 }, surroundings);
  expect(await readFile(mine, 'utf8')).toBe('// mine\n');
  expect(await readFile(at.config, 'utf8')).toContain('postgres: 127.0.0.1:2');
});
