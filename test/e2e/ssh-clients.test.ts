// OpenSSH's own clients, and rsync, through the gateway to OpenSSH's own server.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { needing, type RealClient } from '../harness/clients.ts';
import { processes } from '../harness/processes.ts';
import { runProgram, startProgram } from '../harness/run-program.ts';
import { createSshGateway, type SshGateway, type SshLogin } from '../harness/ssh-gateway.ts';
import { findSshd, findSshProgram } from '../harness/sshd.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const policies = `
@id("everything") permit (principal, action, resource)
unless { action == Action::"reveal" || action == Action::"ssh:forward" };
@id("no-rm") @reason("Nothing is removed here")
forbid (principal, action == Action::"ssh:exec", resource == Command::"web/rm");
@id("look") @approval("reviewers") @reason("Somebody looks at this first")
forbid (principal, action == Action::"ssh:exec", resource == Command::"web/touch");
@id("forward-one") permit (principal, action == Action::"ssh:forward", resource)
when { context.host == "127.0.0.1" && principal in Group::"forwarders" };
`;

const sshd = findSshd();
const ssh = findSshProgram('ssh');
const missing: RealClient = sshd.there ? ssh : sshd;
const all = needing(missing, 'real clients of SSH');

describe.skipIf(!missing.there)(all, () => {
  let world: SshGateway;
  let me: SshLogin;
  let dir: string;
  beforeAll(async () => {
    world = await createSshGateway({ policies, masking: { detect: ['pii.email'] } });
    me = await world.login({ sub: 'ada' });
    dir = mkdtempSync(join(tmpdir(), 'sluice-ssh-files-'));
    // The account at the target may be another one.
    chmodSync(dir, 0o777);
  });
  afterAll(async () => {
    await world?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** What a shell needs to run ssh with our options. */
  const command = (): string => `/usr/bin/ssh ${me.options.join(' ')} -p ${me.port}`;

  test('a command runs, with its output, its errors and its exit status', async () => {
    const ran = await me.ssh(['echo out; echo err >&2; exit 3']);
    expect(ran).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  test('a command reads what it is sent, to the end of it', async () => {
    expect(await me.ssh(['wc -c'], { input: 'x'.repeat(100_000) })).toMatchObject({ code: 0, stdout: '100000\n' });
  });

  test('a command that a signal ends fails like one', async () => {
    expect((await me.ssh(['sh -c "kill -9 \\$\\$"'])).code).not.toBe(0);
  });

  test('a command that policy forbids does not run, and says so on standard error', async () => {
    const file = join(dir, 'stays');
    writeFileSync(file, '');
    const refused = await me.ssh([`rm ${file}`]);
    expect(refused).toMatchObject({ code: 126, stdout: '' });
    expect(refused.stderr).toContain('sluice: denied by policy no-rm: Nothing is removed here\n');
    expect(existsSync(file)).toBe(true);
  });

  test('a command that waits for consent says so, and runs once it is given', async () => {
    const file = join(dir, 'touched');
    const reviewer = await world.apiAs({ sub: 'reviewer', groups: ['reviewers'] });
    const held = me.startSsh([me.destination, `touch ${file}`]);
    await expect
      .poll(async () => (await reviewer.accessRequests({ state: 'pending' })).items.length, { timeout: 10_000 })
      .toBe(1);
    expect(existsSync(file)).toBe(false);
    const [request] = (await reviewer.accessRequests({ state: 'pending' })).items;
    await reviewer.approve(request?.id ?? '');
    const ran = await held.ended;
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain(`access request ${request?.id}`);
    expect(existsSync(file)).toBe(true);
  });

  test('a held command is withdrawn when its client is stopped', async () => {
    const file = join(dir, 'never');
    const reviewer = await world.apiAs({ sub: 'reviewer', groups: ['reviewers'] });
    const held = me.startSsh([me.destination, `touch ${file}`]);
    await expect
      .poll(async () => (await reviewer.accessRequests({ state: 'pending' })).items.length, { timeout: 10_000 })
      .toBe(1);
    const [request] = (await reviewer.accessRequests({ state: 'pending' })).items;
    held.kill('SIGTERM');
    await held.ended;
    await expect
      .poll(async () => (await reviewer.accessRequest(request?.id ?? '')).state, { timeout: 10_000 })
      .toBe('cancelled');
    expect(existsSync(file)).toBe(false);
  });

  test('what runs stops when its client is gone, also without a terminal', async () => {
    const marker = `31${process.pid % 10_000}.5`;
    const running = me.startSsh([me.destination, `sleep ${marker}`]);
    await expect.poll(() => processes('sleep', marker), { timeout: 10_000 }).toBeGreaterThan(0);
    running.kill('SIGKILL');
    await expect.poll(() => processes('sleep', marker), { timeout: 10_000 }).toBe(0);
  });

  test('what runs stops when the session is killed, and the client is told why', async () => {
    const marker = `32${process.pid % 10_000}.5`;
    const running = me.startSsh([me.destination, `sleep ${marker}`]);
    await expect.poll(() => processes('sleep', marker), { timeout: 10_000 }).toBeGreaterThan(0);
    const operator = await world.apiAs({ sub: 'operator', groups: ['operators'] });
    const live = (await operator.sessions({ live: true })).items;
    for (const { id } of live) await operator.kill(id);
    const ended = await running.ended;
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toMatch(/sluice: /);
    await expect.poll(() => processes('sleep', marker), { timeout: 10_000 }).toBe(0);
  });

  test('large streams pass whole in both directions, over new keys', async () => {
    const up = await runProgram('/bin/sh', ['-c', `head -c 5000000 /dev/zero | ${command()} ${me.destination} wc -c`]);
    expect(up).toMatchObject({ code: 0, stdout: '5000000\n' });
    const down = `${command()} -o RekeyLimit=1M ${me.destination} 'head -c 5000000 /dev/zero' | wc -c`;
    expect(await runProgram('/bin/sh', ['-c', down])).toMatchObject({ stdout: '5000000\n' });
  });

  test('several commands share one connection and one recording', async () => {
    const socket = join(dir, 'mux');
    const master = me.startSsh(['-M', '-S', socket, '-N', me.destination]);
    await expect.poll(() => existsSync(socket), { timeout: 10_000 }).toBe(true);
    const through = (text: string) => me.startSsh(['-S', socket, me.destination, text]).ended;
    const ran = await Promise.all([through('echo one'), through('rm /nothing'), through('echo two')]);
    expect(ran.map(({ code }) => code)).toEqual([0, 126, 0]);
    await me.startSsh(['-S', socket, '-O', 'exit', me.destination]).ended;
    await master.ended;
    const together = (await world.recordings()).find((events) =>
      ['echo one', 'rm /nothing', 'echo two'].every((text) => JSON.stringify(events).includes(text)),
    );
    expect(together).toBeDefined();
  });

  const scp = findSshProgram('scp');
  test.skipIf(!scp.there)(needing(scp, 'scp copies there and back'), async () => {
    const [here, there, back] = ['here', 'there', 'back'].map((name) => join(dir, name)) as [string, string, string];
    writeFileSync(here, 'content\n');
    const options = [...me.options, '-P', String(me.port)];
    expect(await runProgram('/usr/bin/scp', [...options, here, `${me.destination}:${there}`])).toMatchObject({
      code: 0,
    });
    expect(await runProgram('/usr/bin/scp', [...options, `${me.destination}:${there}`, back])).toMatchObject({
      code: 0,
    });
    expect(readFileSync(back, 'utf8')).toBe('content\n');
  });

  const rsync = findSshProgram('rsync');
  test.skipIf(!rsync.there)(needing(rsync, 'rsync copies there and back'), async () => {
    const [from, to, back] = ['from', 'to', 'back-again'].map((name) => join(dir, name)) as [string, string, string];
    await runProgram('/bin/mkdir', [from]);
    writeFileSync(join(from, 'file'), 'content\n');
    const there = ['-a', '-e', command(), `${from}/`, `${me.destination}:${to}/`];
    expect(await runProgram('/usr/bin/rsync', there)).toMatchObject({ code: 0 });
    const here = ['-a', '-e', command(), `${me.destination}:${to}/`, `${back}/`];
    expect(await runProgram('/usr/bin/rsync', here)).toMatchObject({ code: 0 });
    expect(readFileSync(join(back, 'file'), 'utf8')).toBe('content\n');
  });

  test('a forwarded connection is judged by where it leads', async () => {
    const address = `127.0.0.1:${world.sshd.port}`;
    const refused = await me.startSsh(['-W', address, me.destination]).ended;
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('sluice: denied');
    const other = await world.login({ sub: 'grace', groups: ['forwarders'] });
    const open = startProgram(
      '/usr/bin/ssh',
      [...other.options, '-p', String(other.port), '-W', address, other.destination],
      {
        open: true,
      },
    );
    await open.saw(/^SSH-2\.0-OpenSSH/);
    open.kill('SIGTERM');
    await open.ended;
  });

  test('a session behind another one is a forwarded connection', async () => {
    const jump = `${me.destination}:${me.port}`;
    const ran = await me.startSsh(['-o', `ProxyCommand=${command()} -W %h:%p ${me.destination}`, jump, 'echo hidden'])
      .ended;
    expect(ran.code).not.toBe(0);
    expect(ran.stdout).toBe('');
  });
});
