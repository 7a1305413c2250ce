import fc from 'fast-check';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { RefusalReason } from './refusal.ts';
import { claims, identityWith, issuer, other, outcome, refusal, seconds, useIssuers } from './testing/issuers.ts';

useIssuers();

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

  test('anything that nobody signed', async () => {
    const identity = identityWith();
    const json = fc.oneof(
      fc.json(),
      fc
        .record(
          {
            alg: fc.constantFrom('ES256', 'none', 'HS256', 7),
            typ: fc.anything(),
            kid: fc.anything(),
            iss: fc.constant(issuer.url),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    );
    const part = fc.oneof(
      json.map((text) => Buffer.from(text).toString('base64url')),
      fc.base64String(),
      fc.string(),
    );
    const tokens = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(tokens, async (token) => {
        expect(await outcome(identity, token)).toMatchObject({ code: 'unauthenticated' });
      }),
      { numRuns: 300 },
    );
  });

  test('one bit more or less than was signed', async () => {
    const identity = identityWith();
    const token = await issuer.sign(claims());
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const lastOfPart = new Set([token.indexOf('.') - 1, token.lastIndexOf('.') - 1, token.length - 1]);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.nat(5), async (at, bit) => {
        // The last character of a part carries bits that mean nothing.
        fc.pre(token[at] !== '.' && !lastOfPart.has(at));
        const changed = alphabet[alphabet.indexOf(token[at] ?? '') ^ (1 << bit)];
        const altered = `${token.slice(0, at)}${changed}${token.slice(at + 1)}`;
        expect(await outcome(identity, altered)).toMatchObject({ code: 'unauthenticated' });
      }),
      { numRuns: 200 },
    );
  });
});
