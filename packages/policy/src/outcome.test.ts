import type { Effect } from '@sluice/core/domain/decision.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { enforce } from './fixtures.ts';
import { join } from './join.ts';
import { type Applied, outcomeOf } from './outcome.ts';
import type { LoadedPolicy } from './policy-set.ts';

const groups = ['owner', 'x', 'y'];

/** Every kind of policy that matters here: with and without approval, by several groups and quorums, with obligations. */
const text = ['permit', 'forbid']
  .flatMap((effect) => [
    `@id("${effect}") ${effect} (principal, action, resource);`,
    ...groups.map(
      (group) => `@id("${effect}-${group}") @approval("${group}") ${effect} (principal, action, resource);`,
    ),
    `@id("${effect}-2") @approval("x") @quorum("2") @grant_ttl("1m") ${effect} (principal, action, resource);`,
  ])
  .concat(
    '@id("permit-few") @limit_rows("5") permit (principal, action, resource);',
    '@id("permit-fewer") @limit_rows("3") @notify("sec") permit (principal, action, resource);',
  )
  .join('\n');
const all = enforce(text).set.policies;

const some = fc.subarray([...all]);
const looseness: Readonly<Record<Effect, number>> = { deny: 0, hold: 1, allow: 2 };

function outcome(policies: readonly LoadedPolicy[], hasOwner: boolean, failed: readonly LoadedPolicy[] = []) {
  const applied: Applied = {
    permits: policies.filter((policy) => policy.effect === 'permit'),
    forbids: policies.filter((policy) => policy.effect === 'forbid'),
    failed,
  };
  return outcomeOf(applied, hasOwner, () => 'nothing');
}

function loose(policies: readonly LoadedPolicy[], hasOwner: boolean): number {
  return looseness[outcome(policies, hasOwner).effect];
}

const withMore = (policies: readonly LoadedPolicy[], one: LoadedPolicy): LoadedPolicy[] =>
  all.filter((policy) => policy === one || policies.includes(policy));

test('one more forbid never loosens, one more permit never tightens the effect', () => {
  fc.assert(
    fc.property(some, fc.constantFrom(...all), fc.boolean(), (policies, one, hasOwner) => {
      const [before, after] = [loose(policies, hasOwner), loose(withMore(policies, one), hasOwner)];
      if (one.effect === 'forbid') expect(after).toBeLessThanOrEqual(before);
      else expect(after).toBeGreaterThanOrEqual(before);
    }),
    { numRuns: 500 },
  );
});

test('who must consent to a forbid must do so whatever else applies, and nobody is asked where there is no hold', () => {
  fc.assert(
    fc.property(some, fc.boolean(), (policies, hasOwner) => {
      const { effect, hold } = join([outcome(policies, hasOwner)]);
      expect(hold === undefined).toBe(effect !== 'hold');
      if (!hold) return;
      expect(hold.consents.length).toBeGreaterThan(0);
      const asked = new Map(hold.consents.map((consent) => [consent.group, consent.quorum]));
      expect(asked.size).toBe(hold.consents.length);
      expect(asked.has('owner') && !hasOwner).toBe(false);
      for (const { effect: kind, terms } of policies) {
        if (kind !== 'forbid') continue;
        expect(asked.get(terms.approval?.group ?? '') ?? 0).toBeGreaterThanOrEqual(terms.approval?.quorum ?? 99);
        expect(hold.grantTtl).toBeLessThanOrEqual(terms.approval?.grantTtl ?? 0);
      }
    }),
    { numRuns: 500 },
  );
});

test('a policy that failed denies, whatever else applies', () => {
  fc.assert(
    fc.property(some, fc.constantFrom(...all), fc.boolean(), (policies, failed, hasOwner) => {
      expect(outcome(policies, hasOwner, [failed])).toMatchObject({ effect: 'deny', asks: [], obligations: [] });
    }),
  );
});

test('over several resources nothing is looser than on the strictest of them, and no limit is lost', () => {
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 4 }), fc.boolean(), (resources, hasOwner) => {
      const outcomes = resources.map((policies) => outcome(policies, hasOwner));
      const joined = join(outcomes);
      expect(looseness[joined.effect]).toBe(Math.min(...outcomes.map((one) => looseness[one.effect])));
      if (joined.effect === 'deny') expect(joined.obligations).toEqual([]);
      else {
        const kinds = new Set(outcomes.flatMap((one) => one.obligations.map((obligation) => obligation.kind)));
        expect(new Set(joined.obligations.map((obligation) => obligation.kind))).toEqual(kinds);
        const limits = outcomes.flatMap((one) => one.obligations.flatMap((each) => ('rows' in each ? each.rows : [])));
        const limit = joined.obligations.find((each) => each.kind === 'limit_rows');
        expect(limit?.rows).toBe(limits.length === 0 ? undefined : Math.min(...limits));
      }
      for (const one of outcomes.filter((each) => each.effect === 'hold' && joined.effect === 'hold')) {
        for (const { terms } of one.asks) {
          const asked = joined.hold?.consents.find((consent) => consent.group === terms.group);
          expect(asked?.quorum).toBeGreaterThanOrEqual(terms.quorum);
        }
      }
    }),
    { numRuns: 500 },
  );
});
