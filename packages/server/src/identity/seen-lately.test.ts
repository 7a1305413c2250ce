import type { Principal } from '@sluice/core/domain/principal.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { mostSeen, type PrincipalsSeen, seenAgainAfter, seenLately } from './seen-lately.ts';

let now: number;
let written: Principal[];
let down: boolean;
let lately: PrincipalsSeen;
beforeEach(() => {
  now = 1_000_000;
  written = [];
  down = false;
  const rows: PrincipalsSeen = {
    seen: async (principal) => {
      if (down) throw new Error('the store is down');
      written.push(principal);
    },
  };
  lately = seenLately(rows, { now: () => now });
});

const bot = (more: Partial<Principal> = {}): Principal => ({
  kind: 'agent',
  id: 'i#bot',
  issuer: 'i',
  subject: 'bot',
  displayName: 'Bot',
  groups: ['agents'],
  chain: [],
  expiresAt: 2_000_000,
  ...more,
});

describe('a principal that is seen with every request', () => {
  test('is written once a minute', async () => {
    for (let n = 0; n < 100; n++) await lately.seen(bot({ expiresAt: 2_000_000 + n }));
    expect(written).toHaveLength(1);
    now += seenAgainAfter - 1;
    await lately.seen(bot());
    expect(written).toHaveLength(1);
    now += 1;
    for (let n = 0; n < 100; n++) await lately.seen(bot());
    expect(written).toHaveLength(2);
  });

  test.each<[string, Partial<Principal>]>([
    ['a group less', { groups: [] }],
    ['a group more', { groups: ['agents', 'dba'] }],
    ['another name', { displayName: 'Robot' }],
    ['another kind', { kind: 'service' }],
    ['an owner', { owner: { kind: 'user', id: 'i#olga' } }],
  ])('is written at once with %s, and when that is gone again', async (_, change) => {
    await lately.seen(bot());
    await lately.seen(bot(change));
    await lately.seen(bot(change));
    expect(written).toEqual([bot(), bot(change)]);
    await lately.seen(bot());
    expect(written).toHaveLength(3);
  });

  test('is no other principal', async () => {
    await lately.seen(bot());
    await lately.seen(bot({ id: 'other#bot' }));
    expect(written).toHaveLength(2);
  });

  test('that could not be written is not taken for written', async () => {
    down = true;
    await expect(lately.seen(bot())).rejects.toThrow();
    await expect(lately.seen(bot())).rejects.toThrow();
    down = false;
    await lately.seen(bot());
    expect(written).toHaveLength(1);
  });

  test('is written when the clock was set back', async () => {
    await lately.seen(bot());
    now -= 3_600_000;
    await lately.seen(bot());
    expect(written).toHaveLength(2);
  });
});

test('of more principals than are kept in mind, the one longest not written is written again', async () => {
  for (let n = 0; n <= mostSeen; n++) await lately.seen(bot({ id: `i#${n}` }));
  written.length = 0;
  await lately.seen(bot({ id: `i#${mostSeen}` }));
  expect(written).toHaveLength(0);
  await lately.seen(bot({ id: 'i#0' }));
  expect(written).toHaveLength(1);
});
