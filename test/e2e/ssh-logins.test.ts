// Logins over SSH that are more than a certificate on one side and an Ed25519 key on the other: answers to questions,
// and every kind of key that an account or a host may have. OpenSSH's own clients and servers wherever they can do it.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownKey } from '@sluice/connectors/ssh/login/keys.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openSsh } from '../contract/ssh-session.ts';
import { type AnyGateway, createAnyGateway } from '../harness/any-gateway.ts';
import { needing } from '../harness/clients.ts';
import { sessionRecordings } from '../harness/recorded-events.ts';
import { type Finished, runProgram } from '../harness/run-program.ts';
import { createTestSshd, findSshd, findSshProgram, makeKey, type TestSshd } from '../harness/sshd.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const phrase = 'correct horse battery';
const pem = ['-m', 'PEM'];
const pkcs8 = ['-m', 'PKCS8'];

/** Keys of the account at the target, as `ssh-keygen` makes them, or Node where that can not. */
const accountKeys: readonly (readonly [name: string, type: string, more: readonly string[], passphrase: string])[] = [
  ['ed25519', 'ed25519', [], ''],
  ['ed25519-encrypted', 'ed25519', [], phrase],
  ['rsa', 'rsa', ['-b', '2048'], ''],
  ['rsa-encrypted', 'rsa', ['-b', '2048'], phrase],
  ['rsa-pem', 'rsa', ['-b', '2048', ...pem], ''],
  ['rsa-pem-encrypted', 'rsa', ['-b', '2048', ...pem], phrase],
  ['rsa-pkcs8', 'rsa', ['-b', '2048', ...pkcs8], ''],
  ['rsa-pkcs8-encrypted', 'rsa', ['-b', '2048', ...pkcs8], phrase],
  ['ecdsa-256', 'ecdsa', ['-b', '256'], ''],
  ['ecdsa-384', 'ecdsa', ['-b', '384'], phrase],
  ['ecdsa-521', 'ecdsa', ['-b', '521'], ''],
  ['ecdsa-pem', 'ecdsa', ['-b', '256', ...pem], ''],
  ['ed25519-pkcs8', 'node', [], ''],
  ['ed25519-pkcs8-encrypted', 'node', [], phrase],
  ['ecdsa-pkcs8', 'ecdsa', ['-b', '256', ...pkcs8], phrase],
];

const sshd = findSshd();
const ssh = findSshProgram('ssh');
const missing = sshd.there ? ssh : sshd;

describe.skipIf(!missing.there)(needing(missing, 'logins over SSH'), () => {
  let server: TestSshd;
  let gateway: AnyGateway;
  let dir: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-ssh-logins-'));
    server = await createTestSshd({ moreHostKeys: ['ecdsa', 'rsa'] });
    const files: Record<string, string> = { phrase, wrong: `${phrase}!` };
    for (const [name, type, more, passphrase] of accountKeys) {
      const made = type === 'node' ? madeByNode(passphrase) : madeByOpenSsh(dir, name, type, more, passphrase);
      files[name] = made.key;
      await server.authorize(made.line);
    }
    const pinned = (type: string): string => server.hostKeys.get(type) ?? '';
    const target = (name: string, key: string, more: object = {}, hostKeys = [server.hostKey]) => ({
      name,
      connector: 'ssh',
      address: `${server.host}:${server.port}`,
      host_keys: hostKeys,
      credential: { username: server.user, private_key: `file:${key}`, ...more },
    });
    gateway = await createAnyGateway({
      listen: ['ssh'],
      files,
      targets: [
        ...accountKeys.map(([name, , , passphrase]) =>
          target(name, name, passphrase === '' ? {} : { passphrase: 'file:phrase' }),
        ),
        target('no-phrase', 'ed25519-encrypted'),
        target('wrong-phrase', 'ed25519-encrypted', { passphrase: 'file:wrong' }),
        target('wrong-phrase-pkcs8', 'rsa-pkcs8-encrypted', { passphrase: 'file:wrong' }),
        target('no-key', 'phrase'),
        target('host-ecdsa', 'ed25519', {}, [pinned('ecdsa')]),
        target('host-rsa', 'ed25519', {}, [pinned('rsa')]),
        target('host-any', 'ed25519', {}, [pinned('rsa'), pinned('ecdsa'), pinned('ed25519')]),
        target('host-print', 'ed25519', {}, [printOf(join(server.dir, 'host.pub'))]),
        target('host-wrong', 'ed25519', {}, [readFileSync(join(dir, 'rsa.pub'), 'utf8').trim()]),
        target('host-wrong-print', 'ed25519', {}, [printOf(join(dir, 'ed25519.pub'))]),
      ],
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function through(target: string): Promise<unknown> {
    const proof = { kind: 'token', token: await gateway.token({ sub: 'ada' }) } as const;
    const opened = await openSsh(gateway.at('ssh'), proof, target);
    if (!opened.open) return opened.words.message;
    opened.session.send({ text: 'echo in' });
    const answer = await opened.session.answer();
    await opened.session.close();
    return answer;
  }

  test.each(accountKeys)('an account with the key %s is logged in to', async (name) => {
    expect(await through(name)).toMatchObject({ outcome: 'done', values: ['in'] });
  });

  test.each(['no-phrase', 'wrong-phrase', 'wrong-phrase-pkcs8', 'no-key'])(
    'a key that cannot be read (%s) refuses the session, and no secret is told',
    async (name) => {
      const words = await through(name);
      expect(words).toMatch(/no usable key for this target/);
      const log = readFileSync(gateway.logFile, 'utf8');
      expect(`${words}${log}`).not.toContain(phrase);
      expect(`${words}${log}`).not.toContain('PRIVATE KEY');
    },
  );

  test.each(['host-ecdsa', 'host-rsa', 'host-any', 'host-print'])(
    'a host is known by any of its keys that was written down (%s)',
    async (name) => {
      expect(await through(name)).toMatchObject({ outcome: 'done', values: ['in'] });
    },
  );

  test.each(['host-wrong', 'host-wrong-print'])(
    'a host with another key than the pinned one (%s) is refused, named by its print, and not logged in to',
    async (name) => {
      const logins = async (): Promise<number> => (await server.log()).split(/Accepted|Failed/).length;
      const before = await logins();
      const words = await through(name);
      expect(words).toMatch(/host key that is not pinned for it \(SHA256:/);
      expect(await logins()).toBe(before);
    },
  );

  /** OpenSSH's client, which asks a program for every answer and has nothing but answers. */
  async function asked(user: string, answer: string, command: string): Promise<Finished> {
    const program = join(dir, 'answer');
    writeFileSync(join(dir, 'the-answer'), answer);
    writeFileSync(program, `#!/bin/sh\necho "$1" >>${join(dir, 'questions')}\ncat ${join(dir, 'the-answer')}\n`);
    chmodSync(program, 0o700);
    const { host, port } = gateway.at('ssh');
    const options = [
      'PreferredAuthentications=keyboard-interactive',
      'PubkeyAuthentication=no',
      'NumberOfPasswordPrompts=1',
      'StrictHostKeyChecking=no',
      `UserKnownHostsFile=${join(dir, 'known')}`,
      'GlobalKnownHostsFile=/dev/null',
    ].flatMap((option) => ['-o', option]);
    return runProgram('/usr/bin/ssh', ['-F', 'none', ...options, '-p', String(port), `${user}@${host}`, command], {
      env: { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' },
    });
  }

  test.each([
    ['rsa', ['-b', '2048']],
    ['ecdsa', ['-b', '256']],
    ['ecdsa', ['-b', '384']],
    ['ecdsa', ['-b', '521']],
  ])('a client with a certificate for a key of the type %s %j is let in', async (type, more) => {
    const key = makeKey(dir, `client-${type}${more[1]}`, type, { more });
    const api = await gateway.apiAs({ sub: 'ada' });
    const line = readFileSync(`${key}.pub`, 'utf8').trim();
    const { certificate, gateway_keys: keys = [] } = await api.issueAccessCredential({
      target: 'ed25519',
      public_key: line,
    });
    writeFileSync(`${key}-cert.pub`, `${certificate}\n`);
    const { host, port } = gateway.at('ssh');
    writeFileSync(join(dir, 'gateway-keys'), keys.map((each) => `[${host}]:${port} ${each}\n`).join(''));
    const options = [
      `IdentityFile=${key}`,
      'IdentitiesOnly=yes',
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      `UserKnownHostsFile=${join(dir, 'gateway-keys')}`,
      'GlobalKnownHostsFile=/dev/null',
    ].flatMap((option) => ['-o', option]);
    const args = ['-F', 'none', ...options, '-p', String(port), `ed25519@${host}`, 'echo in'];
    expect(await runProgram('/usr/bin/ssh', args)).toMatchObject({ code: 0, stdout: 'in\n' });
  });

  test('a client that is asked for its proof, and answers, is let in', async () => {
    const api = await gateway.apiAs({ sub: 'ada' });
    const { id, secret } = await api.issueAccessCredential({ target: 'ed25519' });
    expect(await asked(`${id}+ed25519`, secret, 'echo in')).toMatchObject({ code: 0, stdout: 'in\n' });
    expect(readFileSync(join(dir, 'questions'), 'utf8')).toContain('Token or access credential');
  });

  test('a client that answers wrongly, or with nothing, is not, and there is no session', async () => {
    const api = await gateway.apiAs({ sub: 'ada' });
    const { id, secret } = await api.issueAccessCredential({ target: 'ed25519' });
    const before = (await sessionRecordings(gateway.dir)).length;
    for (const answer of ['wrong', '', `${secret}x`]) {
      const refused = await asked(`${id}+ed25519`, answer, 'echo in');
      expect(refused).toMatchObject({ code: 255, stdout: '' });
      expect(refused.stderr).toMatch(/Permission denied/);
    }
    expect((await asked(`${id}+rsa`, secret, 'echo in')).code).toBe(255);
    expect(await sessionRecordings(gateway.dir)).toHaveLength(before);
    expect(readFileSync(gateway.logFile, 'utf8')).not.toContain(secret);
  });
});

function printOf(publicKey: string): string {
  return execFileSync('/usr/bin/ssh-keygen', ['-l', '-f', publicKey], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

function madeByOpenSsh(dir: string, name: string, type: string, more: readonly string[], passphrase: string) {
  const path = makeKey(dir, name, type, { more, passphrase });
  return { key: readFileSync(path, 'utf8'), line: readFileSync(`${path}.pub`, 'utf8') };
}

function madeByNode(passphrase: string) {
  const { privateKey } = generateKeyPairSync('ed25519');
  const plain = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const how = passphrase === '' ? {} : { cipher: 'aes-256-cbc', passphrase };
  const key = privateKey.export({ type: 'pkcs8', format: 'pem', ...how }).toString();
  return { key, line: ownKey(new Redacted(plain)).publicLine };
}
