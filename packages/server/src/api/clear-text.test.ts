import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
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
