// Files that wait for consent, and masked values on their way back, with OpenSSH's own sftp, scp and ssh.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from '@sluice/api/client.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { needing } from '../harness/clients.ts';
import { type RunningProgram, startProgram } from '../harness/run-program.ts';
import { sealedRecordings } from '../harness/sealed-recordings.ts';
import { handToServer } from '../harness/server-files.ts';
import { createSshGateway, type SshGateway, type SshLogin } from '../harness/ssh-gateway.ts';
import { findSshd, findSshProgram } from '../harness/sshd.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const programs = [findSshd(), ...(['ssh', 'scp', 'sftp'] as const).map(findSshProgram)];
const missing = programs.find(({ there }) => !there) ?? findSshd();

describe.skipIf(!missing.there)(needing(missing, 'files over SSH'), () => {
  let world: SshGateway;
  let me: SshLogin;
  let reviewer: ApiClient;
  let dir: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-ssh-held-'));
    chmodSync(dir, 0o777);
    world = await createSshGateway({
      masking: { detect: ['pii.email'] },
      policies: `
@id("everything") permit (principal, action, resource) unless { action == Action::"reveal" };
@id("look") @approval("reviewers") @reason("Somebody looks at this first")
forbid (principal, action in [Action::"ssh:sftp.read", Action::"ssh:sftp.write"], resource in Path::"web${dir}/held");
`,
    });
    me = await world.login({ sub: 'ada' });
    reviewer = await world.apiAs({ sub: 'reviewer', groups: ['reviewers'] });
  });
  afterAll(async () => {
    await world?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    for (const name of ['held', 'free', 'here']) {
      rmSync(join(dir, name), { recursive: true, force: true });
      mkdirSync(join(dir, name));
    }
    writeFileSync(join(dir, 'held', 'file'), 'content\n');
    writeFileSync(join(dir, 'free', 'other'), 'other\n');
    writeFileSync(join(dir, 'here', 'new'), 'new content\n');
    await handToServer(dir);
  });

  const at = (...parts: readonly string[]): string => join(dir, ...parts);
  const sftp = (...lines: readonly string[]): RunningProgram =>
    startProgram('/usr/bin/sftp', [...me.options, '-P', String(me.port), '-b', '-', me.destination], {
      input: `${lines.join('\n')}\n`,
    });
  const scp = (from: string, to: string): RunningProgram =>
    startProgram('/usr/bin/scp', [...me.options, '-P', String(me.port), from, to]);
  const there = (path: string): string => `${me.destination}:${path}`;

  /** The one that is waited for. */
  async function pending(): Promise<string> {
    const list = async () => (await reviewer.accessRequests({ state: 'pending' })).items;
    await expect.poll(async () => (await list()).length, { timeout: 20_000 }).toBe(1);
    return (await list())[0]?.id ?? '';
  }

  test('a download waits for consent, says so, and arrives whole', async () => {
    const running = sftp(`get ${at('held', 'file')} ${at('here', 'got')}`);
    const request = await pending();
    expect(existsSync(at('here', 'got'))).toBe(false);
    await reviewer.approve(request);
    const ended = await running.ended;
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stderr).toContain(`access request ${request}`);
    expect(readFileSync(at('here', 'got'), 'utf8')).toBe('content\n');
  });

  test('consent is for one opening: the next one asks again', async () => {
    const running = sftp(
      `get ${at('held', 'file')} ${at('here', 'one')}`,
      `get ${at('held', 'file')} ${at('here', 'two')}`,
    );
    await reviewer.approve(await pending());
    await reviewer.deny(await pending());
    expect((await running.ended).code).not.toBe(0);
    expect(readFileSync(at('here', 'one'), 'utf8')).toBe('content\n');
    expect(existsSync(at('here', 'two')) ? readFileSync(at('here', 'two'), 'utf8') : '').toBe('');
  });

  test('an upload by scp waits for consent before anything is created', async () => {
    const running = scp(at('here', 'new'), there(at('held', 'new')));
    const request = await pending();
    expect(existsSync(at('held', 'new'))).toBe(false);
    await reviewer.approve(request);
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(readFileSync(at('held', 'new'), 'utf8')).toBe('new content\n');
  });

  test('what is denied fails for the client, and changes nothing', async () => {
    const running = scp(at('here', 'new'), there(at('held', 'file')));
    await reviewer.deny(await pending(), 'not today');
    const ended = await running.ended;
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain('sluice: denied');
    expect(readFileSync(at('held', 'file'), 'utf8')).toBe('content\n');
  });

  test('what waits is withdrawn when its client is gone, and consent comes too late', async () => {
    const running = scp(at('here', 'new'), there(at('held', 'new')));
    const request = await pending();
    running.kill('SIGKILL');
    await running.ended;
    await expect.poll(async () => (await reviewer.accessRequest(request)).state, { timeout: 20_000 }).toBe('cancelled');
    await expect(reviewer.approve(request)).rejects.toThrow();
    expect(existsSync(at('held', 'new'))).toBe(false);
  });

  test('consent to read one file opens no other that took its place meanwhile', async () => {
    const running = sftp(`get ${at('held', 'file')} ${at('here', 'got')}`);
    const request = await pending();
    rmSync(at('held', 'file'));
    symlinkSync(at('free', 'other'), at('held', 'file'));
    await reviewer.approve(request);
    expect((await running.ended).code).not.toBe(0);
    expect(existsSync(at('here', 'got')) ? readFileSync(at('here', 'got'), 'utf8') : '').toBe('');
  });

  test.each([
    ['in one piece', 0],
    ['across the pieces that sftp sends', 32 * 1024 - 2],
    ['across larger pieces', 255 * 1024 - 2],
  ])('an upload with a masked value %s is refused, and the value is not written', async (_, before) => {
    const masked = (await me.ssh(['echo ada.lovelace@example.com'])).stdout.trim();
    expect(masked).not.toContain('lovelace');
    writeFileSync(at('here', 'masked'), `${'x\n'.repeat(before / 2)}${masked}\n`);
    const ended = await scp(at('here', 'masked'), there(at('free', 'masked'))).ended;
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain('masked value');
    const written = existsSync(at('free', 'masked')) ? readFileSync(at('free', 'masked'), 'utf8') : '';
    expect(written).not.toContain(masked);
  });

  test('a masked value is not written back through the input of a command', async () => {
    const masked = (await me.ssh(['echo ada.lovelace@example.com'])).stdout.trim();
    const ended = await me.ssh([`cat > ${at('free', 'masked')}`], { input: `mail: ${masked}\n` });
    expect(ended).toMatchObject({ code: 126 });
    expect(ended.stderr).toContain('masked value');
    const written = existsSync(at('free', 'masked')) ? readFileSync(at('free', 'masked'), 'utf8') : '';
    expect(written).toBe('');
  });

  test('a masked value is not written back in two pieces of input either', async () => {
    const file = at('free', 'masked');
    const masked = (await me.ssh(['echo ada.lovelace@example.com'])).stdout.trim();
    const half = masked.indexOf('#*') + 2;
    const [first, second] = [at('here', 'first'), at('here', 'second')];
    writeFileSync(first, masked.slice(0, half));
    writeFileSync(second, masked.slice(half));
    // The second half is sent once the first one has arrived.
    const script = `(cat ${first}; until [ -s ${file} ]; do sleep 0.1; done; cat ${second}) | /usr/bin/ssh ${me.options.join(' ')} -p ${me.port} ${me.destination} 'cat > ${file}'`;
    const ended = await startProgram('/bin/sh', ['-c', script]).ended;
    expect(ended).toMatchObject({ code: 126 });
    expect(readFileSync(file, 'utf8')).toBe(masked.slice(0, half));
  });

  test('all of it is sealed, and verifies', async () => {
    expect(await sealedRecordings(world.gateway)).toBeGreaterThan(5);
  });
});
