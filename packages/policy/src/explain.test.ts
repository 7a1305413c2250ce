import { expect, test } from 'vitest';
import { ask, customers, enforce, post, principal, table } from './fixtures.ts';

const policies = enforce(`
@id("analysts-read") permit (
  principal in Group::"analysts", // people only
  action == Action::"read",
  resource in Schema::"shop/public"
);
@id("agents-read-audit") @reason("Agents may look at the trail.") permit (principal in Group::"react-agents", action in Action::"read", resource in Schema::"shop/audit");
@id("agents-write") permit (principal in Group::"react-agents", action in Action::"write", resource in Schema::"shop/public");
@id("small") @approval("dba") @quorum("2") permit (principal in Group::"react-agents", action == Action::"sql:select", resource) when { context.rows_limit > 0 && context.rows_limit < 100 };
@id("far") permit (principal in Group::"nobody", action in Action::"admin", resource);
@id("night") @status("dry_run") forbid (principal, action, resource) unless { context.hour < 6 };
`);

test('a denied action names the policies that one part keeps from applying, and that part', () => {
  const { decision, resources } = policies.explain(ask('sql:select'));
  expect(decision.effect).toBe('deny');
  expect(resources).toHaveLength(1);
  expect(resources[0]).toMatchObject({ type: 'Table', id: 'shop/public/customers', effect: 'deny', failed: [] });
  expect(resources[0]?.applied).toEqual([
    { policy: 'night', effect: 'forbid', status: 'dry_run', path: 'policies/test.cedar', line: 11, determining: false },
  ]);
  expect(resources[0]?.nearly.map(({ policy, part, wants }) => ({ policy, part, wants }))).toEqual([
    { policy: 'analysts-read', part: 'principal', wants: ['principal in Group::"analysts"'] },
    { policy: 'agents-read-audit', part: 'resource', wants: ['resource in Schema::"shop/audit"'] },
    { policy: 'agents-write', part: 'action', wants: [expect.stringContaining('Action::"write"')] },
    { policy: 'small', part: 'condition', wants: ['when { context.rows_limit > 0 && context.rows_limit < 100 }'] },
  ]);
});

test('each resource is explained, with the policies that made its effect', () => {
  const question = ask('sql:select', { resources: [customers, table('audit', 'trail')], context: { rows_limit: 5 } });
  const { decision, resources } = policies.explain(question);
  expect(decision).toMatchObject({ effect: 'hold', policies: ['small'] });
  expect(resources.map(({ effect }) => effect)).toEqual(['hold', 'allow']);
  const determining = resources.map(({ applied }) =>
    applied.flatMap((note) => (note.determining ? [note.policy] : [])),
  );
  expect(determining).toEqual([['small'], ['agents-read-audit']]);
  expect(resources[1]?.applied[0]).toMatchObject({ reason: 'Agents may look at the trail.', line: 7 });
  expect(resources[1]?.applied[1]).toMatchObject({ approval: { group: 'dba', quorum: 2 } });
});

test('a question that cannot be put to the policies is explained as such', () => {
  const explanation = policies.explain(ask('sql:select', { context: { rows_limit: 'all' } }));
  expect(explanation).toMatchObject({ decision: { effect: 'deny' }, resources: [] });
  expect(explanation.fault).toContain('rows_limit');
});

test('what another policy wants of a map is seen, also where no policy of the verb reads it', () => {
  const mapped = enforce(`
    @id("deletes") permit (principal, action == Action::"http:delete", resource) when { context.body.hasTag("/sure") && context.body.getTag("/sure") == "yes" };
    @id("writes") permit (principal, action == Action::"http:write", resource) when { context.numbers.hasTag("/n") && context.numbers.getTag("/n") < 10 };
  `);
  const nearly = (sure: string, n: number) =>
    mapped
      .explain(post({ '/sure': sure }, { '/n': n }))
      .resources[0]?.nearly.map(({ policy, part }) => `${policy} ${part}`);
  expect(nearly('yes', 10)).toEqual(['deletes action', 'writes condition']);
  expect(nearly('no', 9)).toEqual([]);
  expect(mapped.explain(post({ '/sure': 'yes' }, { '/n': 9 })).decision.effect).toBe('allow');
});

test('an explanation can be sent as JSON', () => {
  const explanation = policies.explain(ask('sql:select', { principal: principal('user', 'u', ['analysts']) }));
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
});
