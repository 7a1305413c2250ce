import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningHost, startHost } from './host.ts';
import { newPair } from './keys.ts';

const orders = Array.from({ length: 30 }, (_, index) => ({ id: index + 1, email: `someone${index}@example.com` }));

let dir: string;
let host: RunningHost;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-demo-host-test-'));
  if (process.getuid?.() === 0) await chmod(dir, 0o711);
});
afterEach(async () => {
  await host.remove();
  await rm(dir, { recursive: true, force: true });
});

interface Answer {
  readonly out: string;
  readonly err: string;
  readonly code: number | undefined;
}

async function connected(more: Partial<ssh2.ConnectConfig> = {}): Promise<ssh2.Client> {
  const client = new ssh2.Client();
  const privateKey = await readFile(host.keyFile);
  await new Promise<void>((resolve, reject) => {
    client.on('ready', () => resolve());
    client.on('error', reject);
    client.connect({ host: host.host, port: host.port, username: host.user, privateKey, ...more });
  });
  return client;
}

async function run(command: string): Promise<Answer> {
  const client = await connected();
  try {
    return await new Promise<Answer>((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        const answer = { out: '', err: '', code: undefined as number | undefined };
        channel.on('data', (chunk: Buffer) => {
          answer.out += chunk.toString('utf8');
        });
        channel.stderr.on('data', (chunk: Buffer) => {
          answer.err += chunk.toString('utf8');
        });
        channel.on('exit', (code: number) => {
          answer.code = code;
        });
        channel.on('close', () => resolve(answer));
      });
    });
  } finally {
    client.end();
  }
}

// Without a server to find, the stand-in answers; it must do what the real one does.
describe.each([
  ['what this machine has', undefined],
  ['the stand-in', []],
])('the build host, as %s', (_, candidates) => {
  beforeEach(async () => {
    host = await startHost({ dir, orders, ...(candidates ? { candidates } : {}) });
  });

  it('runs commands in its folder, with its own programs first', async () => {
    const answer = await run('pwd; svc status checkout; tail -n 1 logs/checkout.log >&2; exit 3');
    expect(answer.out.split('\n')[0]).toBe(host.folder);
    expect(answer.out).toContain('checkout: running since');
    expect(answer.err).toContain('a restart of checkout drains it');
    expect(answer.code).toBe(3);
  });

  it('has logs with customers and the leaked key in them', async () => {
    const { out } = await run('cat logs/checkout.log');
    expect(out).toContain('someone0@example.com');
    expect(out).toContain(host.leakedKey);
  });

  it('restarts services and deploys', async () => {
    const before = await readFile(join(host.folder, 'services', 'checkout'), 'utf8');
    expect(await run('svc restart checkout')).toMatchObject({ code: 0, err: '' });
    expect(await readFile(join(host.folder, 'services', 'checkout'), 'utf8')).not.toBe(before);
    expect(await run('deploy 2026.11.2')).toMatchObject({ out: 'deployed 2026.11.2\n', code: 0 });
    expect(await run("deploy '; true'")).toMatchObject({ code: 64 });
  });

  it('lets nobody in who has another key, or a password', async () => {
    const other = newPair().private;
    await expect(connected({ privateKey: other })).rejects.toThrow(/authentication/i);
    await expect(connected({ password: 'guess', authHandler: ['none', 'password'] })).rejects.toThrow(
      /authentication/i,
    );
  });

  it('keeps its private keys to itself', async () => {
    for (const file of [host.keyFile, join(dir, 'host-key')]) expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it('does not run what is asked of it as root', async () => {
    expect((await run('id -u')).out).not.toBe('0\n');
  });
});

it('as a stand-in, has neither terminals nor file transfer nor forwarding', async () => {
  host = await startHost({ dir, orders, candidates: [] });
  const client = await connected();
  const refused = (ask: (done: (error?: Error) => void) => void): Promise<Error | undefined> => new Promise(ask);
  expect(await refused((done) => client.shell({ term: 'xterm' }, done))).toBeInstanceOf(Error);
  expect(await refused((done) => client.sftp(done))).toBeInstanceOf(Error);
  expect(await refused((done) => client.forwardOut('127.0.0.1', 0, '127.0.0.1', host.port, done))).toBeInstanceOf(
    Error,
  );
  client.end();
});

it('keeps its keys and what was done to it over a restart', async () => {
  host = await startHost({ dir, orders, candidates: [] });
  await run('deploy 2026.12.1');
  const before = host;
  await host.stop();
  host = await startHost({ dir, orders });
  expect(host.hostKeys).toEqual(before.hostKeys);
  expect(host.leakedKey).toBe(before.leakedKey);
  expect((await run('cat releases/current')).out).toBe('2026.12.1\n');
});

it('says why it is no OpenSSH', async () => {
  const told: string[] = [];
  host = await startHost({ dir, orders, candidates: ['/bin/false'], tell: (line) => told.push(line) });
  expect(host.standIn).toContain("can't be used");
  expect(told.join()).toContain('stand-in');
  expect(host.server).toMatch(/^ssh2js/);
});
