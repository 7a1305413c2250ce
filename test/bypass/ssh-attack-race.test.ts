/** Changing what a path leads to between its decision and its use, by another connection of the same agent. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Client, type SFTPWrapper } from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needing } from '../harness/clients.ts';
import { handToServer } from '../harness/server-files.ts';
import { createSshGateway, type SshGateway } from '../harness/ssh-gateway.ts';
import { findSshd } from '../harness/sshd.ts';

const sshd = findSshd();
const attempts = 150;

let folder: string;
let gateway: SshGateway;
const clients: Client[] = [];

beforeAll(async () => {
  if (!sshd.there) return;
  folder = await mkdtemp(join(tmpdir(), 'sluice-race-'));
  for (const name of ['inbox/a/b', 'inbox/r', 'outside']) await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'outside/x'), 'outside\n');
  await writeFile(join(folder, 'inbox/r/f'), 'inside!\n');
  await handToServer(folder);
  gateway = await createSshGateway({
    policies: `
@id("connect") permit (principal, action in Action::"connect", resource);
@id("inbox") permit (principal, action, resource in Path::"web${folder}/inbox");
`,
  });
});

afterAll(async () => {
  for (const client of clients) client.end();
  await gateway?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function files(): Promise<SFTPWrapper> {
  const { host, port } = gateway.gateway.at('ssh');
  const client = new ssh2.Client();
  clients.push(client);
  const password = await gateway.gateway.token({ sub: 'agent', groups: ['agents'] });
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({ host, port, username: 'web', password, hostVerifier: () => true });
  });
  return new Promise((resolve, reject) => client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))));
}

/** Whether it was done. */
const did = (act: (done: (error?: Error | null) => void) => void): Promise<boolean> =>
  new Promise((resolve) => act((error) => resolve(!error)));

const at = (name: string): string => join(folder, name);

describe.skipIf(!sshd.there)(needing(sshd, 'paths that change'), () => {
  test('a link in a directory that is moved to and fro is never followed out', async () => {
    const [one, two] = [await files(), await files()];
    let over = false;
    let swaps = 0;
    const swapping = (async () => {
      // The library sends both in the order of the draft to servers that are not called OpenSSH.
      await did((done) => one.symlink(at('inbox/a/b/f'), '../../outside/x', done));
      while (!over) {
        await did((done) => one.rename(at('inbox/r'), at('inbox/d'), done));
        await did((done) => one.rename(at('inbox/d'), at('inbox/r'), done));
        if (await did((done) => one.rename(at('inbox/a/b'), at('inbox/d'), done))) swaps++;
        await did((done) => one.rename(at('inbox/d'), at('inbox/a/b'), done));
      }
    })();
    const seen = new Set<string>();
    for (let count = 0; count < attempts; count++) {
      seen.add(
        await new Promise<string>((resolve) =>
          two.readFile(at('inbox/d/f'), (error, data) => resolve(error ? 'refused' : data.toString())),
        ),
      );
    }
    over = true;
    await swapping;
    expect(swaps).toBeGreaterThan(0);
    expect(seen).not.toContain('outside\n');
    expect(await readFile(at('outside/x'), 'utf8')).toBe('outside\n');
  });
});
