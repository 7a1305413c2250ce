// An API that knows the gateway by a client certificate.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AnyGateway, createAnyGateway } from '../harness/any-gateway.ts';
import { createTestCa, type TestCa, type TestCertificate } from '../harness/test-ca.ts';

let ca: TestCa;
let server: Server;
let dir: string;
let gateway: AnyGateway | undefined;
const callers: string[] = [];

beforeEach(async () => {
  callers.length = 0;
  dir = await mkdtemp(join(tmpdir(), 'sluice-test-mtls-'));
  ca = await createTestCa();
  const own = await ca.issue(['127.0.0.1']);
  server = createServer({ ...own, ca: ca.cert, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    callers.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
    response.end('{"ok":true}');
  });
  server.on('tlsClientError', () => {});
  await writeFile(join(dir, 'ca.pem'), ca.cert);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true, force: true });
});

async function ask(credential: Record<string, string>, files: Record<string, string>): Promise<Response> {
  const { port } = server.address() as { port: number };
  gateway = await createAnyGateway({
    listen: ['http'],
    targets: [
      {
        name: 'api',
        connector: 'http',
        address: `127.0.0.1:${port}`,
        tls: { mode: 'verify-full', ca: join(dir, 'ca.pem') },
        credential,
      },
    ],
    files,
  });
  const at = gateway.at('http');
  const authorization = `Bearer ${await gateway.token({ sub: 'ann' })}`;
  return fetch(`http://${at.host}:${at.port}/t/api/x`, { headers: { authorization } });
}

const named = { client_certificate: 'file:client.crt', client_key: 'file:client.key' };
const filesOf = ({ cert, key }: TestCertificate) => ({ 'client.crt': cert, 'client.key': key });

test('is reached with the certificate that the client never has', async () => {
  const answer = await ask(named, filesOf(await ca.issue(['gateway.example'])));
  expect([answer.status, await answer.json()]).toEqual([200, { ok: true }]);
  expect(callers).toEqual(['gateway.example']);
});

test('is not reached without it, and the client learns nothing of why', async () => {
  const answer = await ask({}, {});
  expect(answer.status).toBe(502);
  expect(await answer.text()).not.toMatch(/certificate|alert|ssl/i);
  expect(callers).toEqual([]);
});

test('is not reached with a certificate of somebody else’s authority', async () => {
  const stranger = await createTestCa('Stranger');
  const answer = await ask(named, filesOf(await stranger.issue(['gateway.example'])));
  expect(answer.status).toBe(502);
  expect(callers).toEqual([]);
});

test('a key that is not the certificate’s is the gateway’s mistake, told without it', async () => {
  const [one, other] = [await ca.issue(['gateway.example']), await ca.issue(['other.example'])];
  const answer = await ask(named, filesOf({ cert: one.cert, key: other.key }));
  expect(answer.status).toBe(502);
  expect(await answer.text()).not.toContain('PRIVATE');
  expect(callers).toEqual([]);
});
