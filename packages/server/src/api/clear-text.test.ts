import { request } from 'node:https';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createTestCa } from '../../../../test/harness/test-ca.ts';
import { createApi } from './app.ts';
import { testServices, tokenOf } from './testing/services.ts';

const elsewhere = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find((address) => !address.internal && address.family === 'IPv4')?.address;

describe('a token in clear text', () => {
  // Needs an address of this machine that is not loopback.
  it.skipIf(elsewhere === undefined)('is not taken from another address, and public routes still answer', async () => {
    const app = await createApi(testServices(), { version: '0.1.0' });
    try {
      await app.listen({ host: '0.0.0.0', port: 0 });
      const { port } = app.server.address() as { port: number };
      const base = `http://${elsewhere}:${port}`;
      const refused = await fetch(`${base}/api/v1/whoami`, { headers: { authorization: `Bearer ${tokenOf('alex')}` } });
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({ error: { code: 'tls_required' } });
      expect((await fetch(`${base}/api/v1/health`)).status).toBe(200);
      const local = `http://127.0.0.1:${port}/api/v1/whoami`;
      expect((await fetch(local, { headers: { authorization: `Bearer ${tokenOf('alex')}` } })).status).toBe(200);
    } finally {
      await app.close();
    }
  });
});

describe('a token over TLS', () => {
  it('is taken, and older protocols than 1.2 are not', async () => {
    const ca = await createTestCa();
    const app = await createApi(testServices(), { version: '0.1.0', tls: await ca.issue(['127.0.0.1']) });
    try {
      await app.listen({ host: '127.0.0.1', port: 0 });
      const { port } = app.server.address() as { port: number };
      const whoami = (options: object) =>
        new Promise<{ status: number | undefined; headers: object }>((resolve, reject) => {
          const headers = { authorization: `Bearer ${tokenOf('alex')}` };
          const call = request(`https://127.0.0.1:${port}/api/v1/whoami`, { ca: ca.cert, headers, ...options });
          call.on('response', (response) => {
            response.resume();
            resolve({ status: response.statusCode, headers: response.headers });
          });
          call.on('error', reject);
          call.end();
        });
      expect(await whoami({})).toMatchObject({
        status: 200,
        headers: { 'strict-transport-security': expect.stringContaining('max-age') },
      });
      await expect(whoami({ maxVersion: 'TLSv1.1' })).rejects.toThrow();
    } finally {
      await app.close();
    }
  });
});
