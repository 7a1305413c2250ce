import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { CoreError } from '@sluice/core/domain/error.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TargetConfig } from './config/config.ts';
import type { UpstreamCredentials } from './credentials/upstream-credentials.ts';
import { targetDial } from './target-dial.ts';

let server: Server;
let accepted: Promise<Socket>;
beforeEach(async () => {
  server = createServer();
  accepted = once(server, 'connection').then(([socket]) => socket as Socket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => server.close());

const credential = { username: 'gw', secrets: {} };

function dialling(forTarget: UpstreamCredentials['forTarget'], port = (server.address() as { port: number }).port) {
  const target = { name: 'shop', address: { host: '127.0.0.1', port }, tls: { mode: 'disable' }, settings: {} };
  return targetDial(new Map([['shop', target as unknown as TargetConfig]]), { forTarget });
}

describe('dialling a target', () => {
  test('gives a socket and what to log in with', async () => {
    const access = await dialling(async () => credential)('shop');
    expect(access).toMatchObject({ credential, tls: 'disable', settings: {} });
    access.socket.destroy();
    (await accepted).destroy();
  });

  test('leaves no socket open where the secret cannot be had', async () => {
    const missing = new CoreError('upstream_login', 'gateway', 'no secret');
    await expect(dialling(() => Promise.reject(missing))('shop')).rejects.toBe(missing);
    const socket = await accepted;
    socket.resume();
    await once(socket, 'close');
  });

  test('says that nobody answers, also when that is known before the secret is', async () => {
    const port = (server.address() as { port: number }).port;
    await new Promise((resolve) => server.close(resolve));
    let give: (value: typeof credential) => void = () => {};
    const secret = new Promise<typeof credential>((resolve) => {
      give = resolve;
    });
    const dialled = dialling(() => secret, port)('shop');
    dialled.catch(() => {});
    // One that dials later is refused later.
    await once(connect(port, '127.0.0.1'), 'error');
    give(credential);
    await expect(dialled).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });

  test('knows its targets', async () => {
    await expect(dialling(async () => credential)('other')).rejects.toMatchObject({ code: 'unknown_target' });
  });
});
