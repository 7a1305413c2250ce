import { Redacted } from '@sluice/core/domain/redacted.ts';
import { describe, expect, test } from 'vitest';
import { claims, identityWith, issuer, now, seconds, useIssuers } from './testing/issuers.ts';

useIssuers();

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
