import type { PolicyTexts } from '@sluice/core/contract/control-plane.ts';
import type { Question } from '@sluice/core/contract/policy.ts';
import { gatewayAction } from '@sluice/policy/gateway.ts';
import { loadPolicies } from '@sluice/policy/load.ts';
import { describe, expect, test } from 'vitest';
import { ToldTexts } from '../workers/told-texts.ts';
import { ToldPolicies } from './told-policies.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const holdDefaults = { grantTtl: 1_000, timeout: 1_000 } as never;

function texts(epoch: number, text: string, hash?: string): PolicyTexts {
  const files = [{ path: 'a.cedar', text }];
  const loaded = loadPolicies(files, []);
  return { epoch, files, hash: hash ?? (loaded.ok ? loaded.set.hash : 'none') };
}

const permit = '@id("all") permit (principal, action, resource);';
const forbid = '@id("none") forbid (principal, action, resource);';

const question: Question = {
  principal: {
    kind: 'user',
    id: 'issuer#tim',
    issuer: 'issuer',
    subject: 'tim',
    displayName: 'tim',
    groups: [],
    chain: [],
    expiresAt: 1,
  },
  target: { name: 'shop', connector: 'any', tags: [] },
  action: gatewayAction('gateway:view', 'shop'),
  facts: { client: { address: 'x', secure: true }, labelsSeen: [], now: 0 },
};

function following(first: PolicyTexts) {
  const source = new ToldTexts(first);
  const broken: string[] = [];
  const policies = new ToldPolicies(source, {
    declarations: [],
    holdDefaults,
    log,
    onBroken: (error) => void broken.push(error.message),
  });
  const seen: string[] = [];
  policies.onChange(({ hash }) => void seen.push(hash));
  return { source, policies, broken, seen, effect: () => policies.current().decide(question).effect };
}

describe('policies that somebody else accepted', () => {
  test('decide as they say, under the same hash and epoch', () => {
    const first = texts(3, permit);
    const { policies, effect, broken } = following(first);
    expect(effect()).toBe('allow');
    expect(policies.current()).toMatchObject({ hash: first.hash, epoch: 3 });
    expect(broken).toEqual([]);
  });

  test('follow what is accepted next, and not what is older', () => {
    const { source, effect, seen } = following(texts(1, permit));
    const next = texts(2, forbid);
    source.tell(next);
    expect(effect()).toBe('deny');
    expect(seen).toEqual([next.hash]);
    source.tell(texts(1, permit));
    expect(effect()).toBe('deny');
  });

  test.each([
    ['make another set than was accepted', texts(2, permit, 'f'.repeat(64))],
    ['can not be compiled here', texts(2, 'permit (')],
    [
      'have an error that loading finds',
      texts(2, '@id("x") permit (principal, action in Action::"nonsense", resource);'),
    ],
  ])('that %s deny everything from then on, whatever comes', (_, bad) => {
    const { source, effect, broken, seen } = following(texts(1, permit));
    expect(effect()).toBe('allow');
    source.tell(bad);
    expect(effect()).toBe('deny');
    expect(broken).toHaveLength(1);
    expect(seen).toHaveLength(1);
    source.tell(texts(3, permit));
    expect(effect()).toBe('deny');
    expect(broken).toHaveLength(1);
  });

  test('deny everything when the first of them are wrong', () => {
    const { effect, broken } = following(texts(1, permit, 'f'.repeat(64)));
    expect(effect()).toBe('deny');
    expect(broken).toHaveLength(1);
  });
});
