/** Other names for what policy forbids, where all else is permitted: programs, and addresses behind the target. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needing } from '../harness/clients.ts';
import { handToServer } from '../harness/server-files.ts';
import { createSshGateway, type SshGateway, type SshLogin } from '../harness/ssh-gateway.ts';
import { findSshd, findSshProgram } from '../harness/sshd.ts';

const sshd = findSshd();
const ssh = findSshProgram('ssh');
const missing = sshd.there ? ssh : sshd;

let folder: string;
let inner: Server;
let reached = 0;
let gateway: SshGateway;
let agent: SshLogin;

beforeAll(async () => {
  if (!missing.there) return;
  folder = await mkdtemp(join(tmpdir(), 'sluice-names-'));
  await handToServer(folder);
  inner = createServer((socket) => {
    reached++;
    socket.on('error', () => {});
    socket.end('inner\n');
  });
  await new Promise<void>((resolve) => inner.listen(0, '127.0.0.1', resolve));
  gateway = await createSshGateway({
    policies: `
@id("connect") permit (principal, action in Action::"connect", resource);
@id("run") permit (principal, action == Action::"ssh:exec", resource);
@id("not-touch") forbid (principal, action == Action::"ssh:exec", resource == Command::"web/touch");
@id("forward") permit (principal, action == Action::"ssh:forward", resource);
@id("not-inner") forbid (principal, action == Action::"ssh:forward", resource) when {
  [${['localhost', '127.0.0.1', '::1', '0.0.0.0', '::'].map((host) => `Address::"web/${host}:${port()}"`).join(', ')}].contains(resource)
};
`,
  });
  agent = await gateway.login({ sub: 'agent', groups: ['agents'] });
});

afterAll(async () => {
  await gateway?.stop();
  inner?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const port = (): number => (inner.address() as AddressInfo).port;

describe.skipIf(!missing.there)(needing(missing, 'other names'), () => {
  test.each([
    'touch $',
    '/usr/bin/touch $',
    '/bin//touch $',
    '/usr/bin/./touch $',
    '//usr///bin/././touch $',
    '/usr/../bin/touch $',
    '/usr/bin/../../bin/touch $',
    'ssh-agent touch $',
    'choom -n 0 touch $',
    'setarch -R touch $',
    'nohup /usr//bin/touch $',
    'timeout 5 /bin/./touch $',
    'sensible-pager $',
    'busybox touch $',
  ])('%s makes no file', async (command) => {
    const marker = join(folder, 'marker');
    const { code } = await agent.ssh([command.replace('$', marker)]);
    expect(existsSync(marker)).toBe(false);
    expect(code).toBe(126);
  });

  test('another port of the same host is another address', async () => {
    const other = createServer((socket) => socket.end('other\n'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const to = `LOCALHOST:${(other.address() as AddressInfo).port}`;
    const { stdout } = await agent.startSsh(['-W', to, agent.destination]).ended;
    other.close();
    expect(stdout).toBe('other\n');
  });

  test.each([
    '127.0.0.1',
    'localhost',
    'LocalHost',
    'localhost.',
    '127.1',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '127.0.0.01',
    '127.0.0.1.',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::FFFF:7f00:1]',
    '[::1%lo]',
    '0',
    '0.0.0.0',
    '[::]',
  ])('%s is not reached', async (host) => {
    const before = reached;
    const { code, stdout } = await agent.startSsh(['-W', `${host}:${port()}`, agent.destination]).ended;
    expect({ stdout, reached: reached - before }).toEqual({ stdout: '', reached: 0 });
    expect(code).not.toBe(0);
  });
});
