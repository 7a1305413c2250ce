/** Ways around the decisions on file transfer, each through a real gateway, to a real OpenSSH server. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needing } from '../harness/clients.ts';
import { handToServer } from '../harness/server-files.ts';
import { createSshGateway, type SshGateway, type SshLogin } from '../harness/ssh-gateway.ts';
import { findSshd, findSshProgram } from '../harness/sshd.ts';

const run = promisify(execFile);
const sshd = findSshd();
const sftp = findSshProgram('sftp');
const missing = sshd.there ? sftp : sshd;

let folder: string;
let gateway: SshGateway;
let agent: SshLogin;

const agentClaims = { sub: 'agent', groups: ['agents'] };

beforeAll(async () => {
  if (!missing.there) return;
  folder = await mkdtemp(join(tmpdir(), 'sluice-files-'));
  gateway = await createSshGateway({ policies: policies(folder) });
  agent = await gateway.login(agentClaims);
});

afterAll(async () => {
  await gateway?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

function policies(root: string): string {
  return `
@id("connect") permit (principal, action in Action::"connect", resource);
@id("read") permit (principal, action in Action::"read", resource in Path::"web${root}/open");
@id("write") permit (principal, action in Action::"write", resource in Path::"web${root}/inbox");
@id("look") permit (principal, action == Action::"ssh:sftp.stat", resource in Path::"web${root}/inbox");
@id("none-secret") forbid (principal, action, resource in Path::"web${root}/open/secret");
@id("auditors-read") permit (principal in Group::"auditors", action in Action::"read", resource);
@id("auditors-see") permit (principal in Group::"auditors", action == Action::"reveal", resource);
@id("asked") @approval("dba") @reason("somebody must look first")
permit (principal, action in Action::"read", resource in Path::"web${root}/held");
`;
}

async function batch(
  lines: readonly string[],
  login = agent,
): Promise<{ readonly code: number; readonly out: string }> {
  const args = [...login.options, '-P', String(login.port), '-b', '-', login.destination];
  const running = run('/usr/bin/sftp', args, { timeout: 30_000 });
  running.child.stdin?.end(`${lines.join('\n')}\n`);
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout + stderr }),
    (error: { code?: number; stdout?: string; stderr?: string }) => ({
      code: error.code ?? -1,
      out: (error.stdout ?? '') + (error.stderr ?? ''),
    }),
  );
}

const at = (...parts: readonly string[]) => join(folder, ...parts);

/** What is there before each row: nothing that a row before it did. */
async function prepare(): Promise<void> {
  for (const name of ['open', 'inbox', 'held', 'outside', 'got']) await rm(at(name), { recursive: true, force: true });
  for (const name of ['open/secret', 'open/deep/er', 'inbox/sub', 'held', 'outside/dir', 'got']) {
    await mkdir(at(name), { recursive: true });
  }
  await writeFile(at('open/a'), 'a file\n');
  await writeFile(at('open/mail'), `${'x'.repeat(40_000)}\nwrite to jane.doe@example.com\n${'y'.repeat(40_000)}`);
  await writeFile(at('open/key'), `${'x '.repeat(20_000)}password=Tr0ub4dor&3x\n`);
  await writeFile(at('open/secret/x'), 'secret\n');
  await writeFile(at('outside/x'), 'outside\n');
  await writeFile(at('held/x'), 'held\n');
  await writeFile(at('inbox/a'), 'inbox\n');
  await symlink(at('open/secret/x'), at('open/link'));
  await symlink('secret', at('open/dirlink'));
  await symlink('deep/../link', at('open/chain'));
  await symlink('../outside', at('open/deep/up'));
  await symlink(at('outside/x'), at('inbox/out'));
  await symlink(at('outside/new'), at('inbox/dangling'));
  await symlink('../outside/dir', at('inbox/dir'));
  await symlink('../outside/x', at('inbox/sub/up'));
  await symlink('loop', at('open/loop'));
  await handToServer(folder);
}

describe.skipIf(!missing.there)(needing(missing, 'file transfer'), () => {
  test('reads, writes and lists what policy permits, byte by byte the same', async () => {
    await prepare();
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
    await writeFile(at('open/binary'), content);
    await handToServer(folder);
    const result = await batch([
      `get ${folder}/open/binary ${folder}/got/binary`,
      `put ${folder}/got/binary ${folder}/inbox/binary`,
      `ls -l ${folder}/open`,
      `mkdir ${folder}/inbox/new`,
      `rename ${folder}/inbox/binary ${folder}/inbox/new/b`,
      `get ${folder}/open/./deep/..//a ${folder}/got/a`,
      `chmod 600 ${folder}/inbox/a`,
      `rm ${folder}/inbox/a`,
      `rm ${folder}/inbox/sub/up`,
      `rmdir ${folder}/inbox/sub`,
    ]);
    expect(result).toMatchObject({ code: 0 });
    expect(result.out).toContain('binary');
    expect(await readFile(at('got/binary'))).toEqual(content);
    expect(await readFile(at('inbox/new/b'))).toEqual(content);
    expect(await readFile(at('got/a'), 'utf8')).toBe('a file\n');
  });

  test.each([
    ['a file that policy forbids', 'get $/open/secret/x $/got/x'],
    ['the same by way of ..', 'get $/open/deep/../secret/x $/got/x'],
    ['the same by .. and empty parts', 'get $//open/deep/er/../..//./secret/x $/got/x'],
    ['a link to it', 'get $/open/link $/got/x'],
    ['a directory that is a link', 'get $/open/dirlink/x $/got/x'],
    ['a link to a link, with .. in it', 'get $/open/chain $/got/x'],
    ['a link upwards out of what may be read', 'get $/open/deep/up/x $/got/x'],
    ['a link and then ..', 'get $/open/deep/up/../outside/x $/got/x'],
    ['a file beside what may be read', 'get $/outside/x $/got/x'],
    ['a file with the same beginning', 'get $/open/../outside/x $/got/x'],
    ['a link that leads to itself', 'get $/open/loop $/got/x'],
    ['a forbidden directory as a whole', 'get -r $/open/secret $/got/x'],
    ['its names', 'ls $/open/secret'],
    ['the names in the root', 'ls /'],
    ['writing where only reading is permitted', 'put $/open/a $/open/b'],
    ['overwriting what may be read', 'put $/open/a $/open/secret/x'],
    ['writing through a link that leads out', 'put $/open/a $/inbox/out'],
    ['creating through a link to nothing', 'put $/open/a $/inbox/dangling'],
    ['creating in a directory that is a link', 'put $/open/a $/inbox/dir/new'],
    ['appending through a link', 'reput $/open/mail $/inbox/out'],
    ['moving something out', 'rename $/inbox/a $/outside/b'],
    ['moving something in', 'rename $/outside/x $/inbox/x'],
    ['moving a forbidden directory to where it may be read', 'rename $/open/secret $/inbox/secret'],
    ['a link to what may not be read', 'symlink $/outside/x $/inbox/mine'],
    ['a relative link to it', 'symlink ../outside/x $/inbox/mine'],
    ['a hard link to it', 'ln $/outside/x $/inbox/mine'],
    ['moving a link to where it leads to it', 'rename $/inbox/sub/up $/inbox/up'],
    ['a second name for a link where it leads to it', 'ln $/inbox/sub/up $/inbox/up'],
    ['removing it', 'rm $/outside/x'],
    ['removing it through a directory that is a link', 'rmdir $/inbox/dir/../dir'],
    ['a directory elsewhere', 'mkdir $/outside/new'],
    ['its mode', 'chmod 777 $/outside/x'],
    ['its mode through a link', 'chmod 777 $/inbox/out'],
    ['its owner through a link', 'chown 1 $/inbox/out'],
    ['the space left elsewhere', 'df $/outside'],
  ])('refuses %s', async (_what, line) => {
    await prepare();
    const result = await batch([line.replaceAll('$', folder)]);
    expect(result.code).not.toBe(0);
    expect(await readFile(at('outside/x'), 'utf8')).toBe('outside\n');
    expect(await readFile(at('open/secret/x'), 'utf8')).toBe('secret\n');
    expect((await readdir(at('got'))).filter((name) => name !== 'x')).toEqual([]);
    expect(await readFile(at('got/x'), 'utf8').catch(() => '')).toBe('');
    expect((await readdir(at('outside'))).sort()).toEqual(['dir', 'x']);
    expect(await readdir(at('outside/dir'))).toEqual([]);
    expect((await readdir(at('open'))).includes('b')).toBe(false);
    expect((await readdir(at('inbox'))).sort()).toEqual(['a', 'dangling', 'dir', 'out', 'sub']);
    expect((await stat(at('outside/x'))).mode & 0o777).not.toBe(0o777);
  });

  test('lists nothing behind a link that leads to what policy forbids', async () => {
    await prepare();
    await writeFile(at('open/secret/plans'), '');
    await handToServer(folder);
    for (const line of ['ls -1 $/open/dirlink', 'ls -1 $/open/dirlink/', 'ls -1 $/open/dirlink/*', 'ls -la $/open/*']) {
      expect((await batch([line.replaceAll('$', folder)])).out).not.toContain('plans');
    }
  });

  test('says what policy said, and tells nothing of what is there', async () => {
    await prepare();
    const there = await batch([`get ${folder}/outside/x ${folder}/got/x`]);
    const missing = await batch([`get ${folder}/outside/y ${folder}/got/x`]);
    expect(there.out).toContain('sluice: denied');
    expect(missing.out.replaceAll('outside/y', 'outside/x')).toBe(there.out);
  });

  test('masks names in listings, and keeps files with what may not be seen from being read', async () => {
    await prepare();
    await writeFile(at('open/for jane.doe@example.com'), 'x');
    await handToServer(folder);
    const listed = await batch([`ls -1 ${folder}/open`]);
    expect(listed.out).not.toContain('jane.doe');
    expect(listed.out).toContain('deep');
    for (const name of ['mail', 'key']) {
      const result = await batch([`get ${folder}/open/${name} ${folder}/got/x`]);
      expect(result.code).not.toBe(0);
      expect(result.out).toContain('may not see');
      const got = await readFile(at('got/x'), 'utf8').catch(() => '');
      expect(got).not.toMatch(/jane|Tr0ub/);
    }
    const auditor = await gateway.login({ sub: 'auditor', groups: ['auditors'] });
    expect(await batch([`get ${folder}/open/mail ${folder}/got/mail`], auditor)).toMatchObject({ code: 0 });
    expect(await readFile(at('got/mail'))).toEqual(await readFile(at('open/mail')));
  });

  test('scp is the same file transfer', async () => {
    await prepare();
    const args = (from: string, to: string) => [...agent.options, '-P', String(agent.port), from, to];
    const target = `${agent.destination}:${folder}`;
    await run('/usr/bin/scp', args(`${target}/open/a`, at('got/a')));
    expect(await readFile(at('got/a'), 'utf8')).toBe('a file\n');
    await run('/usr/bin/scp', args(at('open/a'), `${target}/inbox/b`));
    expect(await readFile(at('inbox/b'), 'utf8')).toBe('a file\n');
    await expect(run('/usr/bin/scp', args(`${target}/open/link`, at('got/x')))).rejects.toThrow('sluice: denied');
  });
});
