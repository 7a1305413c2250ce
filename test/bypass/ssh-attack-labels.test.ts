/** Ways to a file whose path has a label, by another name that has none, each by the real client at a real server. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

beforeAll(async () => {
  if (!missing.there) return;
  folder = await mkdtemp(join(tmpdir(), 'sluice-labels-'));
  gateway = await createSshGateway({
    policies: `
@id("all") permit (principal, action, resource) unless { action == Action::"reveal" };
`,
    masking: { labels: { 'pii.people': [`web.tmp.${basename(folder)}.people.**`] } },
  });
  agent = await gateway.login({ sub: 'agent', groups: ['agents'] });
});

afterAll(async () => {
  await gateway?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  if (!missing.there) return;
  for (const name of ['people', 'open']) await rm(join(folder, name), { recursive: true, force: true });
  await mkdir(join(folder, 'people/sub'), { recursive: true });
  await mkdir(join(folder, 'open'));
  await writeFile(join(folder, 'people/x'), 'nothing that has a look\n');
  await writeFile(join(folder, 'people/sub/x'), 'nothing that has a look\n');
  await writeFile(join(folder, 'open/x'), 'open\n');
  await handToServer(folder);
});

async function batch(...lines: readonly string[]): Promise<void> {
  const args = [...agent.options, '-P', String(agent.port), '-b', '-', agent.destination];
  const running = run('/usr/bin/sftp', args, { timeout: 30_000 });
  // A dash goes on after a line that fails.
  running.child.stdin?.end(`${lines.map((line) => `-${line.replaceAll('$', folder)}`).join('\n')}\n`);
  await running.catch(() => undefined);
}

describe.skipIf(!missing.there)(needing(missing, 'labels on paths'), () => {
  test('what has no label is moved and read', async () => {
    await batch('rename $/open/x $/open/y', 'ln $/open/y $/open/z', 'get $/open/z $/open/got');
    expect(await readFile(join(folder, 'open/got'), 'utf8')).toBe('open\n');
    await batch('rename $/people/x $/people/y');
    expect(existsSync(join(folder, 'people/y'))).toBe(true);
  });

  test.each([
    ['itself', 'get $/people/x $/open/got'],
    ['a symbolic link to it', 'symlink $/people/x $/open/y', 'get $/open/y $/open/got'],
    ['a link to its directory', 'symlink $/people $/open/y', 'get $/open/y/x $/open/got'],
    ['a hard link to it', 'ln $/people/x $/open/y', 'get $/open/y $/open/got'],
    ['moving it', 'rename $/people/x $/open/y', 'get $/open/y $/open/got'],
    ['moving it over another', 'rename $/people/x $/open/x', 'get $/open/x $/open/got'],
    ['moving its directory', 'rename $/people $/open/people', 'get $/open/people/x $/open/got'],
    ['moving a directory in it', 'rename $/people/sub $/open/sub', 'get $/open/sub/x $/open/got'],
    [
      'moving it by way of a link',
      'symlink $/people $/open/l',
      'rename $/open/l/x $/open/y',
      'get $/open/y $/open/got',
    ],
  ])('a file with a label is not read by %s', async (_what, ...lines) => {
    await batch(...lines);
    const got = await readFile(join(folder, 'open/got'), 'utf8').catch(() => '');
    expect(got === '' || got === 'open\n').toBe(true);
  });
});
