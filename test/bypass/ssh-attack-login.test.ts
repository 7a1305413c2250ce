/** Ways to bring logins and what waits for them out of step, each as bytes of a client that is rude. */
import type { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import { sendPayload } from '@sluice/connectors/ssh/transport/wire.ts';
import ssh2, { type Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { globalRequest } from '../contract/ssh-session.ts';
import { type AnyGateway, createAnyGateway } from '../harness/any-gateway.ts';
import { createSshStandIn, type SshStandIn } from '../harness/ssh-stand-in.ts';

const policies = `
@id("use") permit (principal in Group::"agents", action, resource);
@id("visit") @approval("dba") @wait("park") permit (principal in Group::"visitors", action == Action::"connect", resource);
@id("run") permit (principal in Group::"visitors", action in Action::"execute", resource);
@id("operators") permit (principal in Group::"operators", action, resource);
`;

let target: SshStandIn;
let gateway: AnyGateway;

beforeAll(async () => {
  target = await createSshStandIn();
  gateway = await createAnyGateway({
    listen: ['ssh'],
    targets: [
      {
        name: 'web',
        connector: 'ssh',
        address: `${target.host}:${target.port}`,
        host_keys: [target.hostKey],
        credential: { username: target.user, password: 'file:password' },
      },
    ],
    files: { password: target.password },
    policies,
  });
});

afterAll(async () => {
  await gateway?.stop();
  await target?.stop();
});

interface Rude {
  readonly client: Client;
  readonly socket: ReturnType<typeof connect>;
  readonly closed: Promise<unknown>;
}

async function rude(secret: string, options: { readonly second?: string } = {}): Promise<Rude> {
  const { host, port } = gateway.at('ssh');
  const socket = connect({ host, port });
  await once(socket, 'connect');
  const client = new ssh2.Client();
  client.on('error', () => {});
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  const ready = new Promise<void>((resolve) => client.once('ready', () => resolve()));
  const { second } = options;
  if (second === undefined) {
    client.connect({ sock: socket, username: 'web', password: secret, hostVerifier: () => true, readyTimeout: 0 });
  } else {
    client.on('keyboard-interactive', (_name, _instructions, _language, _prompts, finish) => {
      // In one piece, so that the second comes while the first is looked at.
      socket.cork();
      finish([secret]);
      inside(client).authPassword('web', second);
      socket.uncork();
    });
    client.connect({ sock: socket, username: 'web', tryKeyboard: true, hostVerifier: () => true, readyTimeout: 0 });
  }
  await Promise.race([ready, closed]);
  return { client, socket, closed };
}

/** What the library keeps to itself. */
interface Inside {
  authPassword(user: string, password: string): void;
  rekey(): void;
}

function inside(client: Client): Inside {
  return (client as unknown as { _protocol: Inside })._protocol;
}

async function sessions(): Promise<readonly { readonly id: string; readonly ended_at?: string | undefined }[]> {
  const api = await gateway.apiAs({ sub: 'operator', groups: ['operators'] });
  return (await api.sessions()).items;
}

describe('logins over SSH', () => {
  test('two proofs at once make one session, which ends with its client', async () => {
    const before = (await sessions()).length;
    const [one, two] = [
      await gateway.token({ sub: 'one', groups: ['agents'] }),
      await gateway.token({ sub: 'two', groups: ['agents'] }),
    ];
    const { client, closed } = await rude(one, { second: two });
    const said = await new Promise<string>((resolve) => {
      client.exec('echo here', (error, channel) => {
        if (error) {
          resolve(error.message);
          return;
        }
        channel.on('data', (data: Buffer) => resolve(data.toString()));
        channel.stderr.on('data', (data: Buffer) => resolve(data.toString()));
      });
    });
    expect(said).toBe('here\n');
    client.end();
    await closed;
    await expect.poll(async () => (await sessions()).filter(({ ended_at: ended }) => ended === undefined)).toEqual([]);
    expect((await sessions()).length - before).toBe(1);
  });

  test('new keys before a login are refused', async () => {
    const { host, port } = gateway.at('ssh');
    const client = new ssh2.Client();
    const errors: string[] = [];
    client.on('error', ({ message }) => errors.push(message));
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    const authHandler = (): undefined => inside(client).rekey() as undefined;
    client.connect({ host, port, username: 'web', authHandler, hostVerifier: () => true, readyTimeout: 0 });
    await closed;
    expect(errors.join()).toContain('new keys before a login');
  });

  test('requests to a connection that waits for consent are bounded', async () => {
    const { client, closed } = await rude(await gateway.token({ sub: 'guest', groups: ['visitors'] }));
    let over = false;
    void closed.then(() => {
      over = true;
    });
    for (let count = 0; count < 5_000 && !over; count++) sendPayload(client, globalRequest('keepalive@openssh.com'));
    await closed;
  });

  test('a client that opens channels over and over while it waits for consent is let go', async () => {
    const { client, closed } = await rude(await gateway.token({ sub: 'guest', groups: ['visitors'] }));
    let over = false;
    void closed.then(() => {
      over = true;
    });
    for (let count = 0; count < 400 && !over; count++) {
      await new Promise<void>((resolve) => {
        void closed.then(() => resolve());
        client.exec('echo here', (error, channel) => {
          if (error) resolve();
          else {
            channel.on('close', () => resolve());
            channel.on('error', () => {});
            channel.resume().stderr.resume();
            channel.close();
          }
        });
      });
    }
    // What is asked of a connection that was ended fails at once, before its end is heard of.
    await closed;
    expect(over).toBe(true);
  });

  test('variables of one channel are bounded', async () => {
    const { client, closed } = await rude(await gateway.token({ sub: 'one', groups: ['agents'] }));
    const letters = 'ABCDEFG';
    const env = Object.fromEntries(
      [...letters].flatMap((a) => [...letters].map((b) => [`LC_X${a}${b}`, 'C.UTF-8'] as const)),
    );
    const out = await new Promise<string>((resolve, reject) => {
      client.exec('env', { env }, (error, channel) => {
        if (error) {
          reject(error);
          return;
        }
        let text = '';
        channel.on('data', (data: Buffer) => {
          text += data.toString();
        });
        channel.on('close', () => resolve(text));
      });
    });
    expect(out.match(/^LC_X/gm)?.length).toBeLessThanOrEqual(32);
    client.end();
    await closed;
  });

  test('a client that asks and does not read the answers is not read on', async () => {
    const { client, socket } = await rude(await gateway.token({ sub: 'one', groups: ['agents'] }));
    socket.pause();
    const request = globalRequest('keepalive@openssh.com');
    const most = 64 * 1024 * 1024;
    // Until neither our socket nor theirs takes any more.
    let stuck = 0;
    while (socket.bytesWritten < most && stuck < 20) {
      const before = socket.bytesWritten - socket.writableLength;
      if (socket.writableLength < 1024 * 1024) for (let count = 0; count < 2_000; count++) sendPayload(client, request);
      await new Promise((resolve) => setTimeout(resolve, 20));
      stuck = socket.bytesWritten - socket.writableLength === before ? stuck + 1 : 0;
    }
    expect(socket.bytesWritten).toBeLessThan(most);
    socket.destroy();
  });
});
