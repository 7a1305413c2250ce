import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientAccess } from '@sluice/core/contract/connector.ts';
import { createApi } from '@sluice/server/api/app.ts';
import { type TestServices, testServices } from '@sluice/server/api/testing/services.ts';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findOnPath, needing } from '../../../../test/harness/clients.ts';
import { type Result, runCommand } from '../testing/command.ts';
import { knownHosts, loginCommand, placeOf } from './login-command.ts';
import { newKeyPair } from './openssh-key.ts';

vi.setConfig({ testTimeout: 120_000 });

const keygen = findOnPath('ssh-keygen');
const openssh = findOnPath('ssh');
const gatewayKey = newKeyPair('gateway').publicKey.trim();

let services: TestServices;
let app: FastifyInstance;
let api: string;
let dir: string;

const certify: ClientAccess['certify'] = ({ credential, target, publicKey }) => ({
  certificate: `certificate ${credential} ${target} ${publicKey.split(' ')[1] ?? ''}`,
  gatewayKeys: [gatewayKey],
});

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-access-'));
  services = testServices();
  services.ledgerAccess = { address: { host: '0.0.0.0', port: 2222 }, clientAccess: { certify } };
  app = await createApi(services, { version: '0.1.0' });
  api = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  await app.close();
  await rm(dir, { recursive: true, force: true });
});

function sluice(...args: string[]): Promise<Result> {
  return runCommand(args, { cwd: dir, env: { SLUICE_TOKEN: 'dana-token', SLUICE_API: api, HOME: dir } });
}

interface Answer {
  readonly id: string;
  readonly secret: string;
  readonly certificate: string;
  readonly files: { readonly key: string; readonly certificate: string; readonly known_hosts: string };
  readonly command: string;
}

async function answerOf(...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await sluice('access', 'ledger', '--json', ...args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Answer;
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('a key pair', () => {
  test.skipIf(!keygen.there)(needing(keygen, 'is read by OpenSSH, whatever is random in it'), async () => {
    for (let round = 0; round < 8; round++) {
      const { privateKey, publicKey } = newKeyPair(`comment-${'x'.repeat(round)}`);
      const path = join(dir, `key-${round}`);
      await writeFile(path, privateKey, { mode: 0o600 });
      expect(run('ssh-keygen', '-y', '-P', '', '-f', path)).toBe(publicKey);
      await writeFile(`${path}.pub`, publicKey);
      expect(run('ssh-keygen', '-l', '-f', `${path}.pub`)).toContain(`comment-${'x'.repeat(round)} (ED25519)`);
    }
  });

  test('is another each time', () => {
    expect(newKeyPair('a').publicKey).not.toBe(newKeyPair('a').publicKey);
  });
});

describe('access to a target whose clients can use a certificate', () => {
  test('leaves a key for its owner only, the certificate beside it, and what the gateway is known by', async () => {
    const { id, files, command, certificate } = await answerOf();
    const folder = join(dir, '.sluice', 'access', 'ledger');
    expect(files).toEqual({
      key: join(folder, 'id_ed25519'),
      certificate: join(folder, 'id_ed25519-cert.pub'),
      known_hosts: join(folder, 'known_hosts'),
    });
    expect((await readdir(folder)).sort()).toEqual([
      'id_ed25519',
      'id_ed25519-cert.pub',
      'id_ed25519.pub',
      'known_hosts',
    ]);
    expect([await modeOf(folder), await modeOf(files.key)]).toEqual(['700', '600']);
    const [, blob] = (await readFile(`${files.key}.pub`, 'utf8')).split(' ');
    expect(certificate).toBe(`certificate ${id} ledger ${blob}`);
    expect(await readFile(files.certificate, 'utf8')).toBe(`${certificate}\n`);
    expect(await readFile(files.known_hosts, 'utf8')).toBe(`[127.0.0.1]:2222 ${gatewayKey}\n`);
    expect(command).toBe(
      `ssh -i ${files.key} -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o 'UserKnownHostsFile="${files.known_hosts}"' -p 2222 ledger@127.0.0.1`,
    );
    expect(JSON.stringify(services.logged)).not.toContain('PRIVATE KEY');
  });

  test('prints what to run, and neither a secret nor a key', async () => {
    const { stdout, stderr } = await sluice('access', 'ledger', '--ttl', '5m', '--uses', '2', '--out', 'my keys');
    expect(stdout).toMatch(/target +ledger\ncredential +sac_1\nkey +.*\/my keys\/id_ed25519\n/);
    expect(stdout).toMatch(/expires +.*\(in 5m\)\n\nssh -i '.*\/my keys\/id_ed25519' .* ledger@127\.0\.0\.1\n$/);
    expect(stdout).not.toMatch(/secret|PRIVATE/);
    expect(stderr).toContain('take the certificate back');
    expect(services.credentialRows.get('sac_1')).toMatchObject({ usesLeft: 2, target: 'ledger' });
  });

  test('takes the place of an earlier one, with a key of its own', async () => {
    const first = await readFile((await answerOf()).files.key, 'utf8');
    const again = await answerOf();
    expect(await readFile(again.files.key, 'utf8')).not.toBe(first);
    expect(again.id).toBe('sac_2');
  });

  test('is a user name and a password for who asks for that', async () => {
    const { stdout } = await sluice('access', 'ledger', '--password');
    expect(stdout).toMatch(/^user +sac_1\npassword +secret-of-sac_1\ntarget +ledger\n/);
    expect(await readdir(dir)).toEqual([]);
  });

  test.skipIf(!openssh.there || !keygen.there)(
    needing(openssh.there ? keygen : openssh, 'is what OpenSSH’s client reads out of the command'),
    async () => {
      const { command, files } = await answerOf('--out', 'my keys');
      const read = run('sh', '-c', command.replace('ssh ', 'ssh -F none -G ')).split('\n');
      expect(read).toEqual(
        expect.arrayContaining([
          'user ledger',
          'hostname 127.0.0.1',
          'port 2222',
          'identitiesonly yes',
          'stricthostkeychecking true',
          `identityfile ${files.key}`,
        ]),
      );
      expect(read.find((line) => line.startsWith('userknownhostsfile'))?.replaceAll('"', '')).toBe(
        `userknownhostsfile ${files.known_hosts}`,
      );
      expect(run('ssh-keygen', '-F', '[127.0.0.1]:2222', '-f', files.known_hosts)).toContain('found: line 1');
    },
  );
});

describe('nothing is issued, and nothing touched,', () => {
  const refused = async (expected: string, ...args: string[]): Promise<void> => {
    const { code, stderr, stdout } = await sluice('access', 'ledger', ...args);
    expect(stderr).toContain(expected);
    expect([code === 0, stdout]).toEqual([false, '']);
    expect(services.credentialRows.size).toBe(0);
  };

  test('where somebody else’s key is', async () => {
    await mkdir(join(dir, 'mine'));
    await writeFile(join(dir, 'mine', 'id_ed25519'), 'precious');
    await refused('not of an earlier access to this target', '--out', 'mine');
    await writeFile(join(dir, 'mine', 'id_ed25519.pub'), 'ssh-ed25519 AAAA me@home');
    await refused('not of an earlier access to this target', '--out', 'mine');
    await writeFile(join(dir, 'mine', 'id_ed25519.pub'), 'ssh-ed25519 AAAA sluice-access-shop');
    await refused('not of an earlier access to this target', '--out', 'mine');
    expect(await readFile(join(dir, 'mine', 'id_ed25519'), 'utf8')).toBe('precious');
  });

  test('where only known hosts are, or a link', async () => {
    await mkdir(join(dir, 'a'));
    await writeFile(join(dir, 'a', 'known_hosts'), 'x');
    await refused('not of an earlier access', '--out', 'a');
    await mkdir(join(dir, 'b'));
    await symlink('/nonexistent', join(dir, 'b', 'id_ed25519'));
    await refused('not of an earlier access', '--out', 'b');
    await symlink(join(dir, 'a'), join(dir, 'c'));
    await refused('it is no folder', '--out', 'c');
  });

  test('where others may write', async () => {
    await mkdir(join(dir, 'open'));
    await chmod(join(dir, 'open'), 0o777);
    await refused('others may write into it', '--out', 'open');
  });

  test('where there is no folder to be', async () => {
    await writeFile(join(dir, 'file'), '');
    await refused("can't be used", '--out', 'file');
    await refused("can't be used", '--out', 'file/below');
  });

  test.each(["it's", '100%', '$HOME', 'a"b', 'a\\b'])('in a folder called %s', async (name) => {
    await refused('has a quote, a control character', '--out', name);
  });
});

test('what nobody could use is revoked', async () => {
  services.ledgerAccess = {
    address: { host: '127.0.0.1', port: 2222 },
    clientAccess: { certify: () => ({ certificate: 'two\nlines', gatewayKeys: [] }) },
  };
  const { code, stderr } = await sluice('access', 'ledger');
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining('no certificate')]);
  expect(services.credentialRows.get('sac_1')?.revokedAt).toBeGreaterThan(0);
  expect(await readdir(join(dir, '.sluice', 'access', 'ledger'))).toEqual([]);
});

test('a target whose clients use no certificate has nothing to write', async () => {
  expect((await sluice('access', 'shop', '--out', 'keys')).stderr).toContain('there is nothing to write');
  expect((await sluice('access', 'shop')).stdout).toMatch(/^user +sac_1\npassword +secret-of-sac_1\n/);
  expect((await sluice('access', 'nowhere')).stderr).toContain('No target of this name');
  expect(await readdir(dir)).toEqual([]);
});

test('where a gateway listens everywhere, its clients go where its API is', () => {
  const at = (host: string, url: string) => placeOf({ address: { host, port: 22 } }, url)?.host;
  expect(at('0.0.0.0', 'https://gateway.example:7480')).toBe('gateway.example');
  expect(at('::', 'https://[2001:db8::1]:7480')).toBe('2001:db8::1');
  expect(at('10.0.0.1', 'https://gateway.example')).toBe('10.0.0.1');
  expect(placeOf({}, 'https://gateway.example')).toBeUndefined();
});

test('known hosts and commands name the port and keep blanks together', () => {
  expect(knownHosts({ host: 'g', port: 22 }, ['k'])).toEqual(['g k']);
  expect(knownHosts({ host: '::1', port: 2222 }, ['k', 'l'])).toEqual(['[::1]:2222 k', '[::1]:2222 l']);
  const files = { key: '/a b/k', certificate: '/a b/c', known_hosts: '/a b/h' };
  expect(loginCommand('t', { host: 'g', port: 22 }, files)).toBe(
    `ssh -i '/a b/k' -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o 'UserKnownHostsFile="/a b/h"' -p 22 t@g`,
  );
});
