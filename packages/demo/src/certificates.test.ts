import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keptCertificates } from './certificates.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-demo-tls-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

it('makes a certificate that clients verify for localhost and the loopback address', async () => {
  const files = await keptCertificates(dir);
  const server = createServer({ cert: await readFile(files.certificate), key: await readFile(files.key) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const ca = await readFile(files.authority);
  for (const servername of ['localhost', '']) {
    await new Promise<void>((resolve, reject) => {
      const client = connect({ host: '127.0.0.1', port, ca, servername }, () => {
        client.end();
        resolve();
      });
      client.on('error', reject);
    });
  }
  server.close();
});

it('keeps them, keeps the key from other accounts, and keeps no key of the authority', async () => {
  const files = await keptCertificates(dir);
  const before = await readFile(files.certificate, 'utf8');
  await keptCertificates(dir);
  expect(await readFile(files.certificate, 'utf8')).toBe(before);
  expect((await stat(files.key)).mode & 0o077).toBe(0);
  expect((await readdir(dir)).sort()).toEqual(['ca.crt', 'server.crt', 'server.key']);
});

it('makes new ones when they do not belong together', async () => {
  const files = await keptCertificates(dir);
  const before = await readFile(files.certificate, 'utf8');
  await writeFile(files.authority, before);
  await keptCertificates(dir);
  expect(await readFile(files.certificate, 'utf8')).not.toBe(before);
});
