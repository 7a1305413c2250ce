import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Result, runCommand } from '../../packages/cli/src/testing/command.ts';
import { findOnPath, needing } from '../harness/clients.ts';
import { type Finished, startProgram } from '../harness/run-program.ts';
import { createSshGateway, type SshGateway, sshTarget } from '../harness/ssh-gateway.ts';
import { findSshd } from '../harness/sshd.ts';

const sshd = findSshd();
// The line that is printed names no place: whoever types it has the program on PATH.
const ssh = findOnPath('ssh');
const missing = sshd.there ? ssh : sshd;

const dana = { sub: 'dana', groups: ['engineers'] };

describe.skipIf(!missing.there)(needing(missing, 'what `sluice access` leaves and prints'), () => {
  let stage: SshGateway;
  let home: string;
  beforeAll(async () => {
    stage = await createSshGateway();
    home = await mkdtemp(join(tmpdir(), 'sluice-test-home-'));
  }, 120_000);
  afterAll(async () => {
    await stage.stop();
    await rm(home, { recursive: true, force: true });
  });

  async function access(...args: string[]): Promise<Result> {
    const env = { SLUICE_API: stage.gateway.api, SLUICE_TOKEN: await stage.gateway.token(dana), HOME: home };
    return runCommand(['access', sshTarget, ...args], { cwd: home, env });
  }

  /** The printed line in a shell, with a command after it; nothing of the tester's own settings. */
  function typed(command: string, remote: string): Promise<Finished> {
    const line = `${command.replace('ssh ', 'ssh -F none -o BatchMode=yes -o GlobalKnownHostsFile=/dev/null ')} ${remote}`;
    return startProgram('/bin/sh', ['-c', line]).ended;
  }

  test('logs OpenSSH’s client in, without a question, as whoever asked for it', async () => {
    const { code, stdout, stderr } = await access('--out', 'my keys');
    expect([code, stderr]).toEqual([0, expect.stringContaining('stays on this machine')]);
    const command = stdout.trimEnd().split('\n').at(-1) ?? '';
    expect(await typed(command, "'echo hello from there'")).toMatchObject({ code: 0, stdout: 'hello from there\n' });
    const api = await stage.apiAs(dana);
    const { items } = await api.sessions({ target: sshTarget });
    expect(items[0]?.principal.id).toContain('#dana');
  });

  test('is over when the access credential is revoked, and a new one takes its place', async () => {
    const first = JSON.parse((await access('--json')).stdout);
    expect(await typed(first.command, 'true')).toMatchObject({ code: 0 });
    await (await stage.apiAs(dana)).revokeAccessCredential(first.id);
    const refused = await typed(first.command, 'true');
    expect(refused).toMatchObject({ code: 255, stderr: expect.stringContaining('Permission denied') });
    const second = JSON.parse((await access('--json')).stdout);
    expect(second.files).toEqual(first.files);
    expect(await typed(second.command, 'true')).toMatchObject({ code: 0 });
  });

  test('is good for as many logins as was said', async () => {
    const { command } = JSON.parse((await access('--json', '--uses', '1', '--out', 'once')).stdout);
    expect(await typed(command, 'true')).toMatchObject({ code: 0 });
    expect(await typed(command, 'true')).toMatchObject({ code: 255 });
  });

  test('keeps the private key from the gateway', async () => {
    const { files } = JSON.parse((await access('--json', '--out', 'kept')).stdout);
    const [, body = ''] = (await readFile(files.key, 'utf8')).split('\n');
    expect(body.length).toBeGreaterThan(40);
    const kept = await readdir(stage.gateway.dir, { recursive: true, withFileTypes: true });
    const texts = await Promise.all(
      kept.filter((each) => each.isFile()).map((each) => readFile(join(each.parentPath, each.name), 'latin1')),
    );
    expect(texts.some((text) => text.includes('PRIVATE KEY'))).toBe(true);
    // The first line of every such file is the same; what is secret comes in the lines after it.
    const secret = (await readFile(files.key, 'utf8')).split('\n').slice(2, -2).join('').slice(0, 60);
    expect(texts.some((text) => text.replaceAll('\n', '').includes(secret))).toBe(false);
  });
});
