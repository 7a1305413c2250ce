// Ways to get in over SSH without being who one says: each is refused, all alike, and none of them starts a session.
import { Buffer } from 'node:buffer';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { string, uint32 } from '@sluice/connectors/ssh/login/blob.ts';
import { certify } from '@sluice/connectors/ssh/login/certificate.ts';
import { type OwnKey, ownKey } from '@sluice/connectors/ssh/login/keys.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ContractGateway, ContractTarget } from '../contract/adapter.ts';
import { sshAdapter } from '../contract/ssh.ts';
import { no, RawSsh, said, userauth, yes } from '../harness/raw-ssh.ts';
import { sessionRecordings } from '../harness/recorded-events.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const algorithm = 'ssh-ed25519-cert-v01@openssh.com';
const everything = '@id("all") permit (principal, action, resource);\n';

let target: ContractTarget;
let gateway: ContractGateway;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-bypass-ssh-'));
  target = await sshAdapter.startTarget();
  const config = '"limits": {"pre_auth_bytes": "16KiB"}';
  const upstream = target.address;
  gateway = await sshAdapter.startGateway({ upstream, target, policies: everything, dataDir: dir, config });
});

afterAll(async () => {
  await gateway?.stop();
  await target?.stop();
  await rm(dir, { recursive: true, force: true });
});

const ada = { sub: 'ada' };

function newKey(): OwnKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return ownKey(new Redacted(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()));
}

/** A certificate as the gateway gives it. */
async function issued(key: OwnKey): Promise<{ readonly id: string; readonly blob: Buffer }> {
  const api = await gateway.apiAs(ada);
  const { id, certificate = '' } = await api.issueAccessCredential({ target: 'web', public_key: key.publicLine });
  return { id, blob: Buffer.from(certificate.split(' ')[1] ?? '', 'base64') };
}

/** RFC 4252 section 7, with a signature by `key` over what `over` makes of the request. */
function byKey(raw: RawSsh, user: string, name: string, blob: Buffer, key: OwnKey, signs?: string): Promise<unknown> {
  const fields = [yes, string(name), string(blob)];
  const request = userauth(signs ?? user, 'publickey', ...fields);
  const signature = key.sign(Buffer.concat([string(raw.sessionId), request]));
  return raw.login(user, 'publickey', ...fields, string(signature));
}

type Try = (raw: RawSsh) => Promise<unknown>;

const ways: readonly (readonly [string, Try])[] = [
  ['no proof', (raw) => raw.login('web', 'none')],
  ['an empty password', (raw) => raw.password('web', '')],
  ['an empty password for a credential', async (raw) => raw.password(`${(await issued(newKey())).id}+web`, '')],
  ['a password that is to be changed', (raw) => raw.login('web', 'password', yes, string('a'), string('b'))],
  ['a method that is not offered', (raw) => raw.login('web', 'hostbased', ...Array(5).fill(string('x')))],
  ['a token for somebody else’s name', async (raw) => raw.password('grace+web', await gateway.token(ada))],
  ['a token with a NUL behind it', async (raw) => raw.password('web', `${await gateway.token(ada)}\0`)],
  ['a token for no target', async (raw) => raw.password('', await gateway.token(ada))],
  ['a credential of another target', async (raw) => raw.password('nowhere', await secretFor('web'))],
  ['the id of a credential alone', async (raw) => raw.password('web', (await issued(newKey())).id)],
  ['no answer to the question', (raw) => answered(raw, 'web')],
  ['an empty answer', (raw) => answered(raw, 'web', '')],
  ['a wrong answer', (raw) => answered(raw, 'web', 'wrong')],
  [
    'one right answer too many',
    async (raw) => answered(raw, 'web', await gateway.token(ada), await gateway.token(ada)),
  ],
  ['a right answer for somebody else’s name', async (raw) => answered(raw, 'grace+web', await gateway.token(ada))],
  [
    'an answer before there is a question',
    async (raw) => {
      raw.send(Buffer.from([61]), uint32(1), string(await gateway.token(ada)));
      return raw.login('web', 'none');
    },
  ],
  [
    'an answer to the question of another name',
    async (raw) => {
      raw.send(userauth('web', 'keyboard-interactive', string(''), string('')));
      await raw.until(said.infoRequest);
      raw.send(userauth('grace+web', 'keyboard-interactive', string(''), string('')));
      raw.send(Buffer.from([61]), uint32(1), string(await gateway.token(ada)));
      return raw.until(said.failure, said.success, said.disconnect);
    },
  ],
  [
    'a bare key',
    (raw) => {
      const key = newKey();
      return byKey(raw, 'web', 'ssh-ed25519', key.publicBlob, key);
    },
  ],
  [
    'the gateway’s own key as the client’s',
    async (raw) => {
      const { blob } = await issued(newKey());
      return byKey(raw, 'web', 'ssh-ed25519', blob, newKey());
    },
  ],
  [
    'a certificate by another authority',
    (raw) => {
      const key = newKey();
      const wish = { credential: 'cred_x', target: 'web', publicKey: key.publicLine, expiresAt: Date.now() + 60_000 };
      const blob = Buffer.from(certify(newKey(), wish, Date.now()).split(' ')[1] ?? '', 'base64');
      return byKey(raw, 'web', algorithm, blob, key);
    },
  ],
  ['somebody else’s certificate', async (raw) => byKey(raw, 'web', algorithm, (await issued(newKey())).blob, newKey())],
  [
    'a certificate whose credential is revoked',
    async (raw) => {
      const key = newKey();
      const { id, blob } = await issued(key);
      await (await gateway.apiAs(ada)).revokeAccessCredential(id);
      return byKey(raw, 'web', algorithm, blob, key);
    },
  ],
  [
    'a certificate for another target',
    async (raw) => {
      const key = newKey();
      return byKey(raw, 'other', algorithm, (await issued(key)).blob, key);
    },
  ],
  [
    'a certificate under somebody else’s name',
    async (raw) => {
      const key = newKey();
      return byKey(raw, 'grace+web', algorithm, (await issued(key)).blob, key);
    },
  ],
  [
    'a signature over another request',
    async (raw) => {
      const key = newKey();
      return byKey(raw, 'web', algorithm, (await issued(key)).blob, key, 'other');
    },
  ],
  [
    'a certificate inside a certificate',
    async (raw) => {
      const key = newKey();
      const { blob } = await issued(key);
      const nested = Buffer.concat([string(algorithm), string(Buffer.alloc(32)), string(blob)]);
      return byKey(raw, 'web', algorithm, nested, key);
    },
  ],
];

/** RFC 4256 section 3.4: answers, however many were asked for. */
async function answered(raw: RawSsh, user: string, ...answers: readonly string[]): Promise<unknown> {
  const asked = await raw.login(user, 'keyboard-interactive', string(''), string(''));
  if (asked?.type !== said.infoRequest) return asked;
  raw.send(Buffer.from([61]), uint32(answers.length), ...answers.map((answer) => string(answer)));
  return raw.until(said.failure, said.success, said.disconnect);
}

async function secretFor(name: string): Promise<string> {
  const { id, secret } = await (await gateway.apiAs(ada)).issueAccessCredential({ target: name });
  return `${id}:${secret}`;
}

describe('a login over SSH', () => {
  test.each(ways)('with %s is refused', async (_, attempt) => {
    const before = (await sessionRecordings(dir)).length;
    const raw = await RawSsh.open(gateway.address);
    const answer = (await attempt(raw)) as { type: number; payload: Buffer } | undefined;
    expect([said.failure, said.disconnect]).toContain(answer?.type);
    expect(await raw.channel()).toBeUndefined();
    raw.end();
    expect((await sessionRecordings(dir)).length).toBe(before);
  });

  test('by a certificate of the gateway is taken: the rows above fail for the reason they name', async () => {
    const key = newKey();
    const { blob } = await issued(key);
    for (const user of ['web', 'ada+web']) {
      const raw = await RawSsh.open(gateway.address);
      const shown = await raw.login(user, 'publickey', no, string(algorithm), string(blob));
      expect(shown?.type).toBe(said.keyOk);
      expect(await byKey(raw, user, algorithm, blob, key)).toMatchObject({ type: said.success });
      expect(await raw.channel()).toBeDefined();
      raw.end();
    }
  });

  test('by the answer to a question is taken, too', async () => {
    const raw = await RawSsh.open(gateway.address);
    expect(await answered(raw, 'ada+web', await gateway.token(ada))).toMatchObject({ type: said.success });
    expect(await raw.channel()).toBeDefined();
    raw.end();
  });

  test('ends after some attempts', async () => {
    const raw = await RawSsh.open(gateway.address);
    const answers = [];
    for (let count = 0; count < 7; count++) answers.push((await raw.password('web', 'wrong'))?.type);
    expect(answers.slice(0, 5)).toEqual(Array(5).fill(said.failure));
    expect(answers.slice(5)).toEqual([said.disconnect, undefined]);
  });

  test.each([
    ['a channel', Buffer.concat([Buffer.from([90]), string('session'), Buffer.alloc(12)])],
    ['a global request', Buffer.concat([Buffer.from([80]), string('tcpip-forward'), yes, string(''), Buffer.alloc(4)])],
    ['data for a channel', Buffer.concat([Buffer.from([94]), Buffer.alloc(4), string('ls')])],
    ['the news that it succeeded', Buffer.from([52])],
  ])('can not be left out: %s before it ends the connection', async (_, payload) => {
    const raw = await RawSsh.open(gateway.address);
    raw.send(payload);
    expect((await raw.next())?.type).toBe(said.disconnect);
    expect(await raw.next()).toBeUndefined();
  });
});
