import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { Question } from '@sluice/core/contract/policy.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { action, agent, ask, customers, enforce, facts, principal, shop, table } from './fixtures.ts';
import { Lru } from './lru.ts';
import { requestsFor } from './request.ts';

const policies = `
  @id("reads") permit (principal in Group::"g1", action in Action::"read", resource in Tag::"env=prod");
  @id("reads-few") @limit_rows("5") permit (principal in Group::"g2", action in Action::"read", resource in Schema::"shop/public");
  @id("owned") permit (principal is Agent, action, resource) when { principal has owner && principal.owner == User::"https://id.example#olga" && context.hour < 12 };
  @id("writes") @approval("dba") permit (principal in Group::"g1", action in Action::"write", resource);
  @id("no-where") forbid (principal, action in [Action::"sql:update", Action::"sql:delete"], resource) when { !context.has_where };
  @id("big") @approval("lead") forbid (principal, action == Action::"sql:select", resource) when { context.rows_limit * 4611686018427387904 >= 0 && context.rows_limit > 1 };
  @id("tables") forbid (principal, action == Action::"sql:delete", resource) when { context.tables.contains("public.keys") };
  @id("outside") forbid (principal, action, resource) unless { context has client_address && context.client_address.isInRange(ip("10.0.0.0/8")) };
  @id("tainted") forbid (principal, action in Action::"write", resource) when { context.labels_seen.containsAny(["pci"]) };
  @id("weekend") @status("dry_run") forbid (principal, action in Action::"write", resource) when { context.weekday > 5 };
  @id("frozen") forbid (principal, action == Action::"sql:drop", resource) when { context.now > datetime("2026-01-16T15:00:00Z") };
  @id("drops") permit (principal in Group::"g2", action == Action::"sql:drop", resource);
  @id("whole") forbid (principal, action == Action::"sql:update", resource) when { [context].isEmpty() };
  @id("dev") permit (principal, action == Action::"reveal", resource in Label::"pii") when { context.target in Tag::"env=dev" };
`;

const few = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const questions: fc.Arbitrary<Question> = fc
  .record({
    kind: few('user' as const, 'agent' as const, 'service' as const),
    name: few('robin', 'ada'),
    groups: fc.subarray(['g1', 'g2', 'g3']),
    owner: few(undefined, 'olga', 'otto'),
    chain: few([], [{ kind: 'user' as const, id: 'x' }]),
    tags: fc.subarray(['env=prod', 'env=dev']),
    verb: few('sql:select', 'sql:update', 'sql:delete', 'sql:drop'),
    resources: fc.subarray([customers, table('public', 'keys'), table('audit', 'trail')], { minLength: 1 }),
    has_where: fc.boolean(),
    tables: fc.subarray(['public.customers', 'public.keys']),
    rows_limit: few(0, 1, 2, 3),
    detail: few('', 'x'),
    odd: few({}, {}, {}, { extra: true }, { rows_limit: 'many' }),
    address: few('10.0.0.1:1', '192.0.2.1:1', 'pipe'),
    application: few(undefined, 'psql'),
    labelsSeen: fc.subarray(['pci', 'pii']),
    now: few(
      Date.UTC(2026, 0, 16, 8),
      Date.UTC(2026, 0, 16, 14, 59),
      Date.UTC(2026, 0, 16, 15, 1),
      Date.UTC(2026, 0, 17, 14),
    ),
  })
  .map((given): Question => {
    const { verb, resources, has_where, tables, rows_limit, detail, odd } = given;
    const context = verb === 'sql:drop' ? {} : { has_where, tables, rows_limit, detail, ...odd };
    return {
      principal: { ...principal(given.kind, given.name, given.groups, given.owner), chain: given.chain },
      target: { ...shop, tags: given.tags },
      action: action(verb, resources, context),
      facts: {
        client: {
          address: given.address,
          secure: true,
          ...(given.application ? { application: given.application } : {}),
        },
        labelsSeen: given.labelsSeen,
        now: given.now,
      },
    };
  });

test('a kept answer is the answer a fresh engine gives, over any questions in any order', () => {
  const kept = enforce(policies);
  const fresh = enforce(policies, { keep: 0 });
  fc.assert(
    fc.property(fc.array(questions, { minLength: 1, maxLength: 8 }), (asked) => {
      for (const question of asked) {
        expect(kept.decide(question)).toEqual(fresh.decide(question));
        const { principal: who, target, facts: known } = question;
        expect(kept.reveals(who, target, 'pii.email', known)).toBe(fresh.reveals(who, target, 'pii.email', known));
      }
    }),
    { numRuns: 300 },
  );
});

test('whatever a client or a name may contain, it is decided, and no differently the second time', () => {
  const faults: string[] = [];
  const kept = enforce(policies, { onFault: (message) => faults.push(message) });
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    few('', '__proto__', '__entity', '\0', '"'),
  );
  const names = fc.array(text, { maxLength: 4 });
  const odd = fc.record({
    id: text,
    groups: names,
    tables: names,
    detail: text,
    said: text,
    seen: names,
    schema: text,
    name: text,
  });
  fc.assert(
    fc.property(odd, ({ id, groups, tables, detail, said, seen, schema, name }) => {
      const client = { address: said, secure: true, application: said };
      const question: Question = {
        principal: { ...agent, id, groups, owner: { kind: 'user', id } },
        target: { ...shop, tags: groups },
        action: action('sql:delete', [table(schema, name)], { tables, detail }),
        facts: { client, run: { run: said, intent: said }, labelsSeen: seen, now: facts.now },
      };
      const first = kept.decide(question);
      expect(kept.decide(question)).toBe(first);
      expect(kept.reveals(question.principal, question.target, name, question.facts)).toBe(false);
      expect(faults).toEqual([]);
    }),
  );
});

/** The same policies as Cedar itself judges them: plain ones only, every entity and group sent. */
test('where no approval is in play, the effect is the one Cedar itself comes to', () => {
  const plain = policies
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('@approval') && !line.includes('dry_run'));
  const enforced = enforce(plain.join('\n'));
  const groups = new Set(['g1', 'g2', 'g3']);
  const staticPolicies = Object.fromEntries(plain.map((line, index) => [`p${index}`, line]));
  const seen = new Set<string>();
  fc.assert(
    fc.property(questions, (question) => {
      let allowed = true;
      try {
        for (const request of requestsFor(question, enforced.set.schema, groups)) {
          const schema = enforced.set.schema.cedar;
          const answer = isAuthorized({ ...request, schema, validateRequest: true, policies: { staticPolicies } });
          const fine = answer.type === 'success' && answer.response.diagnostics.errors.length === 0;
          allowed &&= fine && answer.response.decision === 'allow';
        }
      } catch {
        allowed = false;
      }
      const { effect } = enforced.decide(question);
      seen.add(effect);
      expect(effect).toBe(allowed ? 'allow' : 'deny');
    }),
    { numRuns: 300 },
  );
  expect([...seen].sort()).toEqual(['allow', 'deny']);
});

test('a kept decision is the same one, and nobody can change it for the others', () => {
  const enforced = enforce(policies);
  const question = ask('sql:delete', { principal: principal('user', 'ada', ['g1']) });
  const first = enforced.decide(question);
  expect(enforced.decide({ ...question, facts: { ...facts, now: facts.now + 1 } })).toBe(first);
  expect(Object.isFrozen(first) && Object.isFrozen(first.hold?.consents)).toBe(true);
});

test('what only differs in what no policy reads is answered from memory; what a policy reads is not', () => {
  const enforced = enforce('@id("a") permit (principal, action, resource) when { context.secure };');
  const first = enforced.decide(ask('sql:select'));
  expect(enforced.decide(ask('sql:select', { context: { rows_limit: 7, detail: 'x' } }))).toBe(first);
  const insecure = { ...facts, client: { ...facts.client, secure: false } };
  expect(enforced.decide(ask('sql:select', { facts: insecure })).effect).toBe('deny');
  expect(enforced.decide(ask('sql:select', { principal: { ...agent, groups: [] } }))).not.toBe(first);
});

test('a decision that reads the moment is made anew each time', () => {
  const enforced = enforce('@id("a") permit (principal, action, resource) when { context.time < 1768573800001 };');
  expect(enforced.decide(ask('sql:select')).effect).toBe('allow');
  expect(enforced.decide(ask('sql:select', { facts: { ...facts, now: facts.now + 1 } })).effect).toBe('deny');
});

test('many sets live side by side and never answer for each other', () => {
  const sets = Array.from({ length: 20 }, (_, index) =>
    enforce(`@id("p${index}") permit (principal, action, resource) when { context.hour == ${index} };`, { keep: 0 }),
  );
  const effects = sets.map((set) => set.decide(ask('sql:select')).effect);
  expect(effects.flatMap((effect, index) => (effect === 'allow' ? [index] : []))).toEqual([14]);
});

test('memory is bounded by entries and by size, and what was used last stays', () => {
  const lru = new Lru<number>(2, 10);
  lru.set('a', 1);
  lru.set('b', 2);
  expect(lru.get('a')).toBe(1);
  lru.set('c', 3);
  expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([1, undefined, 3]);
  lru.set('123456789', 4);
  expect([lru.size, lru.get('c'), lru.get('123456789')]).toEqual([2, 3, 4]);
  lru.set('12345678901', 5);
  expect(lru.get('12345678901')).toBeUndefined();
  lru.set('123456789', 6);
  lru.set('x', 7);
  expect([lru.size, lru.get('123456789')]).toEqual([2, 6]);
});
