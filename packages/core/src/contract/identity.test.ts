import { describe, expect, test } from 'vitest';
import type { Principal } from '../domain/principal.ts';
import { Redacted } from '../domain/redacted.ts';
import { type Identity, identify, unauthenticated } from './identity.ts';

function principal(subject: string): Principal {
  return {
    kind: 'user',
    id: `issuer#${subject}`,
    issuer: 'issuer',
    subject,
    displayName: subject,
    groups: [],
    chain: [],
    expiresAt: 1,
  };
}

const id = 'sac_abcdefghijklmnop';
const token = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ0aW0ifQ.c2ln';

/** Knows one credential with the secret `right`, good for the target `shop`, and one token. Tells what it was asked. */
function identity(): Identity & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    bearer: async (secret) => {
      asked.push(`bearer ${secret.reveal()}`);
      if (secret.reveal() !== token) throw unauthenticated(undefined, 'no token');
      return principal('tim');
    },
    scramVerifier: () => Promise.reject(new Error('not asked')),
    proves: async (credential, secret) => {
      asked.push(`proves ${credential} ${secret.reveal()}`);
      return credential === id && secret.reveal() === 'right';
    },
    redeem: async (credential, target) => {
      asked.push(`redeem ${credential} ${target}`);
      if (target !== 'shop') throw unauthenticated(undefined, 'another target');
      return principal('dana');
    },
    isCredentialId: (user) => /^sac_[a-z]{16}$/.test(user),
  };
}

describe('a secret is read', () => {
  test.each<[string, string, string | undefined, string[]]>([
    ['as a token', token, undefined, [`bearer ${token}`]],
    ['as a token beside a user’s name', token, 'tim', [`bearer ${token}`]],
    ['as an access credential', `${id}:right`, undefined, [`proves ${id} right`, `redeem ${id} shop`]],
    ['as one beside a user’s name', `${id}:right`, 'dana', [`proves ${id} right`, `redeem ${id} shop`]],
    ['as the secret of the one that the user is', 'right', id, [`proves ${id} right`, `redeem ${id} shop`]],
  ])('%s', async (_, secret, user, asked) => {
    const port = identity();
    const { principal: found, credential } = await identify(port, 'shop', new Redacted(secret), user);
    expect(port.asked).toEqual(asked);
    expect([found.subject, credential]).toEqual(secret === token ? ['tim', undefined] : ['dana', id]);
  });
});

describe('refused alike, and never redeemed without proof, is', () => {
  test.each<[string, string, string | undefined, string[]]>([
    ['nothing', '', undefined, ['bearer ']],
    ['nothing, by a credential', '', id, [`proves ${id} `]],
    ['a credential without a secret', `${id}:`, undefined, [`proves ${id} `]],
    ['a credential’s id', id, undefined, [`bearer ${id}`]],
    ['a wrong secret', `${id}:wrong`, undefined, [`proves ${id} wrong`]],
    ['a secret with more after it', `${id}:right:`, undefined, [`proves ${id} right:`]],
    ['a secret with blanks', `${id}: right`, undefined, [`proves ${id}  right`]],
    ['a secret with a line end', `${id}:right\n`, undefined, [`proves ${id} right\n`]],
    ['an id with blanks', ` ${id}:right`, undefined, [`bearer  ${id}:right`]],
    ['an id with another case', `${id.toUpperCase()}:right`, undefined, [`bearer ${id.toUpperCase()}:right`]],
    ['an id with a NUL', `${id}\0:right`, undefined, [`bearer ${id}\0:right`]],
    ['an unknown id', 'sac_zzzzzzzzzzzzzzzz:right', undefined, ['proves sac_zzzzzzzzzzzzzzzz right']],
    ['a secret alone', 'right', undefined, ['bearer right']],
    ['a secret alone, by another user', 'right', 'dana', ['bearer right']],
    ['a colon', ':', undefined, ['bearer :']],
    ['a secret after a colon', ':right', undefined, ['bearer :right']],
    ['the whole of it as the secret of its id', `${id}:right`, id, [`proves ${id} ${id}:right`]],
    ['a token as the secret of a credential', token, id, [`proves ${id} ${token}`]],
    ['a token behind a credential', `${id}:${token}`, undefined, [`proves ${id} ${token}`]],
  ])('%s', async (_, secret, user, asked) => {
    const port = identity();
    const error = await identify(port, 'shop', new Redacted(secret), user).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'unauthenticated', source: 'client' });
    expect((error as { publicMessage: string }).publicMessage).toBe(unauthenticated(undefined).publicMessage);
    expect(port.asked).toEqual(asked);
  });

  test('a credential that is for another target', async () => {
    const wrong = identify(identity(), 'ledger', new Redacted(`${id}:right`));
    await expect(wrong).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('a wrong secret, which is said nowhere', async () => {
    const error = await identify(identity(), 'shop', new Redacted(`${id}:hunter2`)).catch((reason: unknown) => reason);
    expect(`${String(error)} ${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain('hunter2');
  });
});
