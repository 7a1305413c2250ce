import { generateKeyPairSync } from 'node:crypto';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  advance,
  claims,
  identityWith,
  issuer,
  logged,
  other,
  refusal,
  seconds,
  settingsOf,
  useIssuers,
} from './testing/issuers.ts';
import type { TestIssuer } from './testing/test-issuer.ts';

useIssuers();

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
    advance(30_000);
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
    advance(10 * 60_000);
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
    advance(10_000);
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
