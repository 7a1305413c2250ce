import type { Principal } from '@sluice/core/domain/principal.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { LatelyProven, proofHolds } from './lately-proven.ts';
import { RevocationNews } from './revocation-news.ts';

let now: number;
let news: RevocationNews;
let proven: LatelyProven;
beforeEach(() => {
  now = 1_000_000;
  news = new RevocationNews();
  proven = new LatelyProven(news, { now: () => now });
});

function principal(changes: Partial<Principal> = {}): Principal {
  return {
    kind: 'agent',
    id: 'i#bot',
    issuer: 'i',
    subject: 'bot',
    displayName: 'bot',
    groups: [],
    owner: { kind: 'user', id: 'i#olga' },
    chain: [],
    expiresAt: 2_000_000,
    ...changes,
  };
}

const prove = (credential?: string, who = principal()) => proven.by(async () => who, credential);
const states = (who = principal(), credential: string | undefined = 'sac_1') => [
  proven.vouches(who, credential),
  proven.stands(who, credential),
];

describe('a proof', () => {
  test('vouches for one opening, and stands for longer', async () => {
    await prove('sac_1');
    expect([...states(), ...states()]).toEqual([true, true, false, true]);
  });

  test('vouches as often as there were proofs', async () => {
    await prove('sac_1');
    await prove('sac_1');
    const vouched = [1, 2, 3].map(() => proven.vouches(principal(), 'sac_1'));
    expect(vouched).toEqual([true, true, false]);
  });

  test('that was refused vouches for nothing', async () => {
    await expect(proven.by(() => Promise.reject(new Error('no')), 'sac_1')).rejects.toThrow('no');
    expect(states()).toEqual([false, false]);
  });

  test('vouches for the same: credential, principal, and everybody behind it', async () => {
    await prove('sac_1');
    await prove(undefined);
    expect(states(principal(), 'sac_2')).toEqual([false, false]);
    expect(states(principal({ id: 'i#other' }))).toEqual([false, false]);
    expect(states(principal({ owner: { kind: 'user', id: 'i#sam' } }))).toEqual([false, false]);
    expect(states(principal({ chain: [{ kind: 'service', id: 'i#job' }] }))).toEqual([false, false]);
    expect(states(principal(), undefined)).toEqual([true, true]);
  });

  test('vouches for a moment', async () => {
    await prove('sac_1');
    now += proofHolds;
    expect(proven.vouches(principal(), 'sac_1')).toBe(true);
    await prove('sac_1');
    now += proofHolds + 1;
    expect(states()).toEqual([false, true]);
    await prove('sac_1');
    expect(states()).toEqual([true, true]);
  });

  test('does not get older because nobody takes it', async () => {
    await prove('sac_1');
    now += proofHolds + 1;
    await prove('sac_1');
    expect([proven.vouches(principal(), 'sac_1'), proven.vouches(principal(), 'sac_1')]).toEqual([true, false]);
  });

  test('vouches for nothing where the clock was set back', async () => {
    await prove('sac_1');
    now -= 1;
    expect(proven.vouches(principal(), 'sac_1')).toBe(false);
  });

  test('vouches for nobody whose identity is over', async () => {
    await prove('sac_1', principal({ expiresAt: now + 10 }));
    now += 10;
    expect(proven.vouches(principal({ expiresAt: now }), 'sac_1')).toBe(false);
  });

  test('is void with the next revocation, also one heard of while it was checked', async () => {
    await prove('sac_1');
    news.heard();
    expect(states()).toEqual([false, false]);
    await proven.by(async () => {
      news.heard();
      return principal();
    }, 'sac_1');
    expect(states()).toEqual([false, false]);
    await prove('sac_1');
    expect(states()).toEqual([true, true]);
  });

  test('is kept for a thousand principals at most', async () => {
    for (let n = 0; n <= 1_000; n++) await prove('sac_1', principal({ id: `i#${n}` }));
    expect(states(principal({ id: 'i#0' }))).toEqual([false, false]);
    expect(states(principal({ id: 'i#1' }))).toEqual([true, true]);
  });
});
