import type { CoreError } from '@sluice/core/domain/error.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { describe, expect, test } from 'vitest';
import type { IdentityParts } from './identity.ts';
import { LookedAhead } from './looked-ahead.ts';
import { RevocationNews } from './revocation-news.ts';
import {
  claims,
  identityWith,
  issuer,
  other,
  outcome,
  refusal,
  refusals,
  seconds,
  start,
  useIssuers,
} from './testing/issuers.ts';

useIssuers();

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

const verifier = { salt: Buffer.alloc(16), iterations: 4096, storedKey: Buffer.alloc(32), serverKey: Buffer.alloc(32) };

describe('an access credential', () => {
  const redeemer = (redeem: IdentityParts['credentials']['redeem'], parts: Partial<IdentityParts> = {}) =>
    identityWith(
      {},
      {
        credentials: {
          isCredentialId: () => true,
          verifier: async () => verifier,
          holder: async () => undefined,
          proves: () => Promise.reject(new Error('unused')),
          redeem,
        },
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

  describe('whose holder is known when the login begins', () => {
    const news = new RevocationNews();
    let asked: (readonly string[])[];
    let disabled: readonly string[];

    function ahead(changes: Partial<IdentityParts> = {}, holder: Principal | undefined = bot) {
      asked = [];
      disabled = [];
      const disabledAmong = async (ids: readonly string[]) => {
        asked.push(ids);
        return disabled;
      };
      return identityWith(
        {},
        {
          credentials: {
            isCredentialId: () => true,
            verifier: async () => verifier,
            holder: async () => holder,
            proves: () => Promise.reject(new Error('unused')),
            redeem: async () => bot,
          },
          disabled: { disabledAmong },
          ahead: new LookedAhead(news, { now: () => start }),
          ...changes,
        },
      );
    }

    test('is asked about meanwhile, and not again', async () => {
      const identity = ahead();
      expect(await identity.scramVerifier('sac_1')).toBe(verifier);
      expect(asked).toEqual([['x#bot', 'x#alex']]);
      expect(await identity.redeem('sac_1', 'shop')).toBe(bot);
      expect(asked).toHaveLength(1);
      expect(await identity.redeem('sac_1', 'shop')).toBe(bot);
      expect(asked).toHaveLength(2);
    });

    test('is refused where one behind it was found disabled', async () => {
      const identity = ahead();
      disabled = ['x#alex'];
      await identity.scramVerifier('sac_1');
      disabled = [];
      await expect(identity.redeem('sac_1', 'shop')).rejects.toMatchObject({ code: 'unauthenticated' });
      expect(refusals).toEqual(['disabled']);
    });

    test('is asked about again when somebody was disabled since', async () => {
      const identity = ahead();
      await identity.scramVerifier('sac_1');
      disabled = ['x#alex'];
      news.heard();
      await expect(identity.redeem('sac_1', 'shop')).rejects.toMatchObject({ code: 'unauthenticated' });
    });

    test('is asked about again where the store gave no answer, or it is somebody else', async () => {
      let down = true;
      const disabledAmong = async () => {
        if (down) throw new Error('store is down');
        return ['x#alex'];
      };
      const unsure = ahead({ disabled: { disabledAmong } });
      await unsure.scramVerifier('sac_1');
      down = false;
      await expect(unsure.redeem('sac_1', 'shop')).rejects.toMatchObject({ code: 'unauthenticated' });
      const other = ahead({}, { ...bot, id: 'x#other' });
      await other.scramVerifier('sac_1');
      await other.redeem('sac_1', 'shop');
      expect(asked).toEqual([
        ['x#other', 'x#alex'],
        ['x#bot', 'x#alex'],
      ]);
    });
  });

  test('is not accepted while nobody can say whether it is good', async () => {
    const down = redeemer(() => Promise.reject(new Error('store is down')));
    await expect(down.redeem('sac_1', 'shop')).rejects.toMatchObject({ code: 'internal' });
    const unsure = redeemer(async () => bot, { disabled: { disabledAmong: () => Promise.reject(new Error('down')) } });
    await expect(unsure.redeem('sac_1', 'shop')).rejects.toMatchObject({ code: 'internal' });
  });
});
