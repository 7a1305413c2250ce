import { generateKeyPairSync } from 'node:crypto';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createIdentity, type IdentityParts, type RunningIdentity } from './identity.ts';
import type { IssuerSettings } from './issuer-settings.ts';
import type { RefusalReason } from './refusal.ts';
import { startTestIssuer, type TestIssuer } from './test-issuer.ts';

const start = Date.UTC(2026, 0, 2, 3, 4, 5);
let issuer: TestIssuer;
let other: TestIssuer;
let now: number;
let refusals: RefusalReason[];
let logged: [string, object, string][];

beforeAll(async () => {
  issuer = await startTestIssuer();
  other = await startTestIssuer();
});
afterAll(() => Promise.all([issuer.stop(), other.stop()]));
beforeEach(() => {
  now = start;
  refusals = [];
  logged = [];
  issuer.requests.clear();
});
afterEach(() => {
  issuer.answer('/jwks', undefined);
  issuer.answer('/.well-known/openid-configuration', undefined);
});

const settingsOf = (url: string, changes: Partial<IssuerSettings> = {}): IssuerSettings => ({
  issuer: url,
  audience: ['sluice'],
  groupsClaim: 'groups',
  kindClaim: 'kind',
  defaultKind: 'user',
  ownerClaim: 'owner',
  ...changes,
});

function identityWith(changes: Partial<IssuerSettings> = {}, parts: Partial<IdentityParts> = {}): RunningIdentity {
  const log =
    (level: string) =>
    (fields: object, message: string): void => {
      logged.push([level, fields, message]);
    };
  return createIdentity({
    issuers: [settingsOf(issuer.url, changes), settingsOf(other.url, { groupsPrefix: 'other:' })],
    credentials: {
      isCredentialId: (user) => user.startsWith('sac_'),
      verifier: () => Promise.reject(new Error('not in this test')),
      redeem: () => Promise.resolve(undefined),
    },
    clock: { now: () => now },
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    refused: (reason) => refusals.push(reason),
    ...parts,
  });
}

const seconds = (offset = 0): number => Math.floor(now / 1000) + offset;

function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { iss: issuer.url, aud: 'sluice', sub: 'dana', iat: seconds(), exp: seconds(300), ...changes };
}

async function outcome(identity: RunningIdentity, token: string): Promise<unknown> {
  const error: unknown = await identity.bearer(new Redacted(token)).catch((reason: unknown) => reason);
  return error;
}

/** One public text, whatever the reason; returns the reason. */
async function refusal(identity: RunningIdentity, token: string): Promise<string> {
  const error = await outcome(identity, token);
  expect(error).toBeInstanceOf(CoreError);
  expect(error).toMatchObject({
    code: 'unauthenticated',
    source: 'client',
    publicMessage:
      'Authentication failed. Get a fresh token from your identity provider, or a fresh access credential, and try again.',
  });
  // The log must be of no use to a thief.
  if (token.length > 40) expect(JSON.stringify(logged)).not.toContain(token.slice(-40));
  return refusals.at(-1) ?? 'not reported';
}

describe('a good token', () => {
  test('becomes a principal bound to its issuer', async () => {
    const token = await issuer.sign(
      claims({ kind: 'agent', groups: ['react-agents', 'b', 'b', 'a'], owner: 'alex', name: 'Support' }),
    );
    expect(await identityWith().bearer(new Redacted(token))).toEqual({
      kind: 'agent',
      id: `${issuer.url}#dana`,
      issuer: issuer.url,
      subject: 'dana',
      displayName: 'Support',
      groups: ['a', 'b', 'react-agents'],
      owner: { kind: 'user', id: `${issuer.url}#alex` },
      chain: [],
      expiresAt: (seconds(300) + 30) * 1000,
    });
  });

  test.each([
    ['no typ', {}],
    ['typ JWT', { typ: 'JWT' }],
    ['typ at+jwt', { typ: 'at+jwt' }],
    ['typ in full', { typ: 'application/at+jwt' }],
  ])('may have %s', async (_, header) => {
    const token = await issuer.sign(claims(), header);
    expect(await identityWith().bearer(new Redacted(token))).toMatchObject({ subject: 'dana', kind: 'user' });
  });

  test('of one issuer is not a token of the other, even for the same subject and group', async () => {
    const identity = identityWith();
    const here = await identity.bearer(new Redacted(await issuer.sign(claims({ groups: ['dba'] }))));
    const there = await identity.bearer(new Redacted(await other.sign(claims({ iss: other.url, groups: ['dba'] }))));
    expect(here.id).not.toBe(there.id);
    expect([here.groups, there.groups]).toEqual([['dba'], ['other:dba']]);
  });

  test('for several audiences needs one of ours as its azp', async () => {
    const token = await issuer.sign(claims({ aud: ['x', 'sluice'], azp: 'sluice' }));
    expect(await identityWith().bearer(new Redacted(token))).toMatchObject({ subject: 'dana' });
  });

  test('may be limited to known clients', async () => {
    const identity = identityWith({ authorizedParties: ['cli'] });
    for (const party of [{ azp: 'cli' }, { client_id: 'cli' }]) {
      const token = await issuer.sign(claims({ aud: ['x', 'sluice'], ...party }));
      expect(await identity.bearer(new Redacted(token))).toMatchObject({ subject: 'dana' });
    }
    expect(await refusal(identity, await issuer.sign(claims({ azp: 'sluice' })))).toBe('authorized_party');
    expect(await refusal(identity, await issuer.sign(claims({ azp: 'x', client_id: 'cli' })))).toBe('authorized_party');
    expect(await refusal(identity, await issuer.sign(claims()))).toBe('authorized_party');
  });

  test('is remembered before it is accepted, and not accepted when that fails', async () => {
    const token = new Redacted(await issuer.sign(claims()));
    const seen: string[] = [];
    await identityWith({}, { principalsSeen: { seen: async ({ id }) => void seen.push(id) } }).bearer(token);
    expect(seen).toEqual([`${issuer.url}#dana`]);
    const down = identityWith({}, { principalsSeen: { seen: () => Promise.reject(new Error('store down: s3cret')) } });
    const error = await down.bearer(token).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'internal', source: 'gateway' });
    expect((error as CoreError).publicMessage).not.toContain('s3cret');
  });

  test('does not help somebody disabled, nor those who act for them', async () => {
    const asked: (readonly string[])[] = [];
    const identity = identityWith(
      {},
      {
        disabled: {
          disabledAmong: async (ids) => {
            asked.push(ids);
            return ids.filter((id) => id === `${issuer.url}#alex`);
          },
        },
      },
    );
    expect(await refusal(identity, await issuer.sign(claims({ kind: 'agent', owner: 'alex' })))).toBe('disabled');
    expect(await identity.bearer(new Redacted(await issuer.sign(claims())))).toMatchObject({ subject: 'dana' });
    expect(asked[0]).toEqual([`${issuer.url}#dana`, `${issuer.url}#alex`]);
  });
});

/** Everything else must be refused, each for its own reason. */
const hostile: readonly [string, RefusalReason, () => Promise<string> | string][] = [
  ['nothing at all', 'empty', () => ''],
  ['white space', 'malformed', () => ' '],
  ['a password', 'malformed', () => 'hunter2'],
  ['a token with a line break behind it', 'malformed', async () => `${await issuer.sign(claims())}\n`],
  ['alg none', 'malformed', () => new UnsecuredJWT(claims()).encode()],
  [
    'alg none with a signature part',
    'algorithm',
    async () => {
      const [, payload] = (await issuer.sign(claims())).split('.');
      return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.AAAA`;
    },
  ],
  [
    'alg None in another case',
    'algorithm',
    async () => {
      const [, payload] = (await issuer.sign(claims())).split('.');
      return `${Buffer.from('{"alg":"nOnE"}').toString('base64url')}.${payload}.AAAA`;
    },
  ],
  [
    'HS256 with the public key as the secret',
    'algorithm',
    async () => {
      const pem = await exportSPKI((await importJWK(issuer.key.publicJwk, 'ES256', { extractable: true })) as never);
      return new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', kid: issuer.key.kid })
        .sign(new TextEncoder().encode(pem));
    },
  ],
  [
    'a key in its own header (jwk)',
    'signature',
    async () => {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      const jwk = await exportJWK(publicKey);
      return new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', kid: issuer.key.kid, jwk } as never)
        .sign(privateKey);
    },
  ],
  [
    'the address of its own key (jku)',
    'no_key',
    async () => {
      const jku = `${other.url}/jwks`;
      return new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', kid: 'elsewhere', jku })
        .sign(other.key.privateKey);
    },
  ],
  [
    'the address of its own certificate (x5u)',
    'signature',
    () =>
      new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', kid: issuer.key.kid, x5u: `${other.url}/jwks` })
        .sign(other.key.privateKey),
  ],
  ['a key id that is a path', 'no_key', () => issuer.sign(claims(), { kid: '../../../../dev/null' })],
  ['a key id that is SQL', 'no_key', () => issuer.sign(claims(), { kid: "' OR 1=1 --" })],
  ['a key id of no text', 'no_key', () => issuer.sign(claims(), { kid: 7 as never })],
  [
    'another issuer’s signature',
    'signature',
    () => new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', kid: issuer.key.kid }).sign(other.key.privateKey),
  ],
  ['another issuer’s subject', 'signature', () => other.sign(claims())],
  ['an issuer with a slash more', 'unknown_issuer', () => issuer.sign(claims({ iss: `${issuer.url}/` }))],
  ['an issuer in another case', 'unknown_issuer', () => issuer.sign(claims({ iss: issuer.url.toUpperCase() }))],
  ['no issuer', 'unknown_issuer', () => issuer.sign(claims({ iss: undefined }))],
  ['a list of issuers', 'unknown_issuer', () => issuer.sign(claims({ iss: [issuer.url] }))],
  ['an inherited name for an issuer', 'unknown_issuer', () => issuer.sign(claims({ iss: '__proto__' }))],
  [
    'a changed payload',
    'signature',
    async () => {
      const [header, payload, signature] = (await issuer.sign(claims())).split('.');
      const changed = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
      return `${header}.${Buffer.from(JSON.stringify({ ...changed, sub: 'alex' })).toString('base64url')}.${signature}`;
    },
  ],
  ['another audience', 'audience', () => issuer.sign(claims({ aud: 'billing' }))],
  ['an audience that only begins right', 'audience', () => issuer.sign(claims({ aud: 'sluice2' }))],
  ['no audience', 'audience', () => issuer.sign(claims({ aud: undefined }))],
  ['several audiences and no azp', 'authorized_party', () => issuer.sign(claims({ aud: ['sluice', 'x'] }))],
  [
    'several audiences and a foreign azp',
    'authorized_party',
    () => issuer.sign(claims({ aud: ['sluice', 'x'], azp: 'x' })),
  ],
  ['an expiry in the past', 'expired', () => issuer.sign(claims({ exp: seconds(-31) }))],
  ['no expiry', 'claims', () => issuer.sign(claims({ exp: undefined }))],
  ['an expiry of no number', 'claims', () => issuer.sign(claims({ exp: '9999999999' }))],
  ['an expiry beyond time', 'claims', () => issuer.sign(claims({ exp: 1e300 }))],
  ['a start in the future', 'not_yet_valid', () => issuer.sign(claims({ nbf: seconds(31) }))],
  ['an issue in the future', 'not_yet_valid', () => issuer.sign(claims({ iat: seconds(31) }))],
  ['no subject', 'claims', () => issuer.sign(claims({ sub: undefined }))],
  ['an empty subject', 'claims', () => issuer.sign(claims({ sub: ' ' }))],
  ['a subject of no text', 'claims', () => issuer.sign(claims({ sub: ['dana'] }))],
  ['an invisible character in the subject', 'claims', () => issuer.sign(claims({ sub: 'da\u200bna' }))],
  ['a line break in the subject', 'claims', () => issuer.sign(claims({ sub: 'dana\nroot' }))],
  ['an endless subject', 'claims', () => issuer.sign(claims({ sub: 'x'.repeat(257) }))],
  ['typ of a logout token', 'token_type', () => issuer.sign(claims(), { typ: 'logout+jwt' })],
  ['typ of a security event', 'token_type', () => issuer.sign(claims(), { typ: 'secevent+jwt' })],
  ['typ of a proof of possession', 'token_type', () => issuer.sign(claims(), { typ: 'dpop+jwt' })],
  ['typ of no text', 'token_type', () => issuer.sign(claims(), { typ: ['JWT'] as never })],
  [
    'a logout token that hides its typ',
    'token_type',
    () => issuer.sign(claims({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })),
  ],
  ['a nested token', 'token_type', () => issuer.sign(claims(), { cty: 'JWT' })],
  [
    'a critical header',
    'malformed',
    async () => {
      const [, payload, signature] = (await issuer.sign(claims())).split('.');
      const header = { alg: 'ES256', kid: issuer.key.kid, crit: ['x'], x: 1 };
      return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`;
    },
  ],
  ['an encrypted token', 'malformed', () => 'a.b.c.d.e'],
  ['too much', 'too_large', () => issuer.sign(claims({ junk: 'x'.repeat(16 * 1024) }))],
  [
    'a payload that is no object',
    'malformed',
    async () => {
      const [header, , signature] = (await issuer.sign(claims())).split('.');
      return `${header}.${Buffer.from('[]').toString('base64url')}.${signature}`;
    },
  ],
  ['a kind nobody knows', 'kind', () => issuer.sign(claims({ kind: 'admin' }))],
  ['a kind of no text', 'kind', () => issuer.sign(claims({ kind: ['user'] }))],
  ['an inherited kind', 'kind', () => issuer.sign(claims({ kind: 'toString' }))],
  ['groups in one text', 'groups', () => issuer.sign(claims({ groups: 'dba' }))],
  ['groups that are objects', 'groups', () => issuer.sign(claims({ groups: [{ name: 'dba' }] }))],
  ['too many groups', 'groups', () => issuer.sign(claims({ groups: Array.from({ length: 513 }, (_, i) => `g${i}`) }))],
  ['a group with a direction mark', 'groups', () => issuer.sign(claims({ groups: ['db\u202ea'] }))],
  ['groups that are elsewhere', 'groups', () => issuer.sign(claims({ _claim_names: { groups: 'src1' } }))],
  ['an owner of no text', 'claims', () => issuer.sign(claims({ kind: 'agent', owner: { sub: 'alex' } }))],
  ['an agent that owns itself', 'claims', () => issuer.sign(claims({ kind: 'agent', owner: 'dana' }))],
  ['an actor of no shape', 'delegation', () => issuer.sign(claims({ act: 'agent' }))],
  ['an actor without a subject', 'delegation', () => issuer.sign(claims({ act: { client_id: 'x' } }))],
  ['an actor of another issuer', 'delegation', () => issuer.sign(claims({ act: { sub: 'x', iss: other.url } }))],
  [
    'actors without end',
    'delegation',
    () => {
      let act: object = { sub: 'a' };
      for (let depth = 0; depth < 8; depth++) act = { sub: `a${depth}`, act };
      return issuer.sign(claims({ act }));
    },
  ],
];

describe('a token is refused, and looks like any other refusal, when it has', () => {
  test.each(hostile)('%s', async (_, reason, token) => {
    expect(await refusal(identityWith(), await token())).toBe(reason);
  });
});

describe('an access credential', () => {
  const redeemer = (redeem: IdentityParts['credentials']['redeem'], parts: Partial<IdentityParts> = {}) =>
    identityWith(
      {},
      {
        credentials: { isCredentialId: () => true, verifier: () => Promise.reject(new Error('unused')), redeem },
        ...parts,
      },
    );
  const bot: Principal = {
    kind: 'agent',
    id: 'x#bot',
    issuer: 'x',
    subject: 'bot',
    displayName: 'bot',
    groups: [],
    owner: { kind: 'user', id: 'x#alex' },
    chain: [],
    expiresAt: start + 1,
    accessCredential: 'sac_1',
  };

  test('that is redeemed gives its principal, which was seen before', async () => {
    const seen: string[] = [];
    const principalsSeen = { seen: async ({ id }: Principal) => void seen.push(id) };
    expect(await redeemer(async () => bot, { principalsSeen }).redeem('sac_1', 'shop')).toBe(bot);
    expect(seen).toEqual([]);
  });

  test('that is no good is refused like a token', async () => {
    const viaToken = await outcome(identityWith(), 'nonsense');
    const viaCredential: unknown = await redeemer(async () => undefined)
      .redeem('sac_1', 'shop')
      .catch((reason: unknown) => reason);
    expect(refusals).toEqual(['malformed', 'access_credential']);
    const shown = ({ code, source, publicMessage }: CoreError) => ({ code, source, publicMessage });
    expect(shown(viaCredential as CoreError)).toEqual(shown(viaToken as CoreError));
  });

  test('does not help an agent whose owner was disabled', async () => {
    const disabled = { disabledAmong: async (ids: readonly string[]) => ids.filter((id) => id === 'x#alex') };
    await expect(redeemer(async () => bot, { disabled }).redeem('sac_1', 'shop')).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    expect(refusals).toEqual(['disabled']);
  });

  test('is not accepted while nobody can say whether it is good', async () => {
    const down = redeemer(() => Promise.reject(new Error('store is down')));
    await expect(down.redeem('sac_1', 'shop')).rejects.toMatchObject({ code: 'internal' });
    const unsure = redeemer(async () => bot, { disabled: { disabledAmong: () => Promise.reject(new Error('down')) } });
    await expect(unsure.redeem('sac_1', 'shop')).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('claims', () => {
  test('an actor is not taken for the person it acts for, who becomes its owner', async () => {
    const token = await issuer.sign(
      claims({ groups: ['dba'], act: { sub: 'bot', act: { sub: 'tool', kind: 'service', iss: issuer.url } } }),
    );
    expect(await identityWith().bearer(new Redacted(token))).toMatchObject({
      kind: 'agent',
      id: `${issuer.url}#dana`,
      owner: { kind: 'user', id: `${issuer.url}#dana` },
      chain: [
        { kind: 'agent', id: `${issuer.url}#bot` },
        { kind: 'service', id: `${issuer.url}#tool` },
      ],
    });
  });

  test.each([
    ['a path', 'realm_access.roles', { realm_access: { roles: ['x'] } }, ['x']],
    ['a name with dots in it', 'https://example.com/groups', { 'https://example.com/groups': ['x'] }, ['x']],
    ['a path into nothing', 'a.b', { a: 'text' }, []],
    ['a path into what everything inherits', 'constructor.name', {}, []],
  ])('groups can be found by %s', async (_, groupsClaim, given, groups) => {
    const principal = await identityWith({ groupsClaim }).bearer(new Redacted(await issuer.sign(claims(given))));
    expect(principal.groups).toEqual(groups);
  });

  test('the kind of workloads can be a default', async () => {
    const principal = await identityWith({ defaultKind: 'service' }).bearer(new Redacted(await issuer.sign(claims())));
    expect(principal.kind).toBe('service');
  });

  test.each([
    [{ name: 'Dana\u202e\u0007 \n Scully\u200b' }, 'Dana Scully'],
    [{ name: '\u202e', preferred_username: 'ds' }, 'ds'],
    [{ name: 7, email: 'd@example.com' }, 'd@example.com'],
    [{ name: '𝒟'.repeat(300) }, '𝒟'.repeat(128)],
    [{}, 'dana'],
  ])('%j is shown as %s', async (given, shown) => {
    const principal = await identityWith().bearer(new Redacted(await issuer.sign(claims(given))));
    expect(principal.displayName).toBe(shown);
  });

  test('clocks may differ by half a minute, and the session then lasts that long', async () => {
    const identity = identityWith();
    const token = await issuer.sign(claims({ exp: seconds(-29), nbf: seconds(29), iat: seconds(29) }));
    const principal = await identity.bearer(new Redacted(token));
    expect(principal.expiresAt).toBeGreaterThan(now);
  });
});

describe('keys', () => {
  const jwks = '/jwks';
  const count = (path: string): number => issuer.requests.get(path) ?? 0;

  test('are fetched once for many logins', async () => {
    const identity = identityWith();
    const token = await issuer.sign(claims());
    await Promise.all(Array.from({ length: 20 }, () => identity.bearer(new Redacted(token))));
    await identity.bearer(new Redacted(token));
    expect(count(jwks)).toBe(1);
  });

  test('that are new are found, and tokens with unknown ones cause few requests', async () => {
    const identity = identityWith();
    await identity.bearer(new Redacted(await issuer.sign(claims())));
    const old = await issuer.sign(claims());
    await issuer.rotate();
    const fresh = await issuer.sign(claims());
    expect(await refusal(identity, fresh)).toBe('no_key');
    expect(count(jwks)).toBe(1);
    now += 30_000;
    expect(await identity.bearer(new Redacted(fresh))).toMatchObject({ subject: 'dana' });
    expect(count(jwks)).toBe(2);
    expect(await refusal(identity, old)).toBe('no_key');
    for (let i = 0; i < 50; i++) await refusal(identity, await issuer.sign(claims(), { kid: `made-up-${i}` }));
    expect(count(jwks)).toBe(2);
  });

  test('that were withdrawn are not believed for longer than ten minutes', async () => {
    const identity = identityWith();
    const token = await issuer.sign(claims({ exp: seconds(3600) }));
    await identity.bearer(new Redacted(token));
    await issuer.rotate();
    now += 10 * 60_000;
    expect(await refusal(identity, token)).toBe('no_key');
  });

  test('that can’t be had refuse logins without a flood, say so once, and recover', async () => {
    issuer.answer(jwks, (_, response) => void response.writeHead(503).end());
    const identity = identityWith();
    await identity.preload();
    const token = await issuer.sign(claims());
    for (let i = 0; i < 10; i++) expect(await refusal(identity, token)).toBe('issuer_unavailable');
    expect(count(jwks)).toBe(1);
    const errors = logged.filter(([level]) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]?.[2]).toContain('identity.issuers');
    expect(errors[0]?.[1]).toMatchObject({ issuer: issuer.url });
    issuer.answer(jwks, undefined);
    expect(await refusal(identity, token)).toBe('issuer_unavailable');
    now += 10_000;
    expect(await identity.bearer(new Redacted(token))).toMatchObject({ subject: 'dana' });
  });

  test.each<[string, Parameters<TestIssuer['answer']>[1], string]>([
    [
      'redirects',
      (_, response) => void response.writeHead(302, { location: `${other.url}/jwks` }).end(),
      'redirects are not followed',
    ],
    [
      'answers without end',
      (_, response) => {
        const chunk = Buffer.alloc(64 * 1024, 0x20);
        const more = (): void => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on('drain', more);
        more();
      },
      'larger than 524288 bytes',
    ],
    ['answers with HTML', (_, response) => void response.end('<html>'), 'JSON'],
    ['answers with another document', (_, response) => void response.end('{"keys":{}}'), 'no JSON Web Key Set'],
    [
      'has too many keys',
      (_, response) => void response.end(JSON.stringify({ keys: Array(101).fill({ kty: 'EC' }) })),
      'more than 100 keys',
    ],
    ['hangs up', (request) => void request.socket.destroy(), 'can’t be fetched'],
  ])('an issuer that %s is not believed', async (_, handler, detail) => {
    issuer.answer(jwks, handler);
    const identity = identityWith();
    expect(await refusal(identity, await issuer.sign(claims()))).toBe('issuer_unavailable');
    expect(JSON.stringify(logged)).toContain(detail);
  });

  test('symmetric and weak keys in the set are of no use', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwk = privateKey.export({ format: 'jwk' });
    const keys = [
      { kty: 'oct', k: Buffer.from('secret').toString('base64url'), kid: 'oct', alg: 'HS256' },
      { kty: 'RSA', n: jwk.n, e: jwk.e, kid: 'weak', alg: 'RS256' },
    ];
    issuer.answer(jwks, (_, response) => void response.end(JSON.stringify({ keys })));
    const identity = identityWith();
    const symmetric = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'oct' })
      .sign(new TextEncoder().encode('secret'));
    expect(await refusal(identity, symmetric)).toBe('algorithm');
    const [, payload] = (await issuer.sign(claims())).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'weak' })).toString('base64url');
    expect(['no_key', 'malformed', 'signature']).toContain(await refusal(identity, `${header}.${payload}.AAAA`));
  });

  test.each([
    [
      'speaks for another',
      (url: string) => ({ issuer: `${url}/x`, jwks_uri: `${url}/jwks` }),
      'describes another issuer',
    ],
    [
      'keeps its keys on another machine without TLS',
      (url: string) => ({ issuer: url, jwks_uri: 'http://192.0.2.1/jwks' }),
      'not https',
    ],
    ['keeps its keys in a file', (url: string) => ({ issuer: url, jwks_uri: 'file:///etc/passwd' }), 'not https'],
    ['has no keys', (url: string) => ({ issuer: url }), 'no jwks_uri'],
  ])('an issuer whose discovery %s is not believed', async (_, document, detail) => {
    issuer.answer('/.well-known/openid-configuration', (__, response) => {
      response.end(JSON.stringify(document(issuer.url)));
    });
    expect(await refusal(identityWith(), await issuer.sign(claims()))).toBe('issuer_unavailable');
    expect(JSON.stringify(logged)).toContain(detail);
  });

  test('of an issuer elsewhere are not looked for on this machine', async () => {
    const asked: string[] = [];
    const identity = identityWith(
      {},
      {
        issuers: [settingsOf('https://login.example.com')],
        fetchJson: async (url) => {
          asked.push(url.href);
          return { issuer: 'https://login.example.com', jwks_uri: 'https://127.0.0.1/jwks' };
        },
      },
    );
    expect(await refusal(identity, await issuer.sign(claims({ iss: 'https://login.example.com' })))).toBe(
      'issuer_unavailable',
    );
    expect(asked).toEqual(['https://login.example.com/.well-known/openid-configuration']);
  });
});
