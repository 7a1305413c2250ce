import { expect, test } from 'vitest';
import { enforce, shop } from './fixtures.ts';
import type { PolicyTestDocument, PolicyTestEvaluator } from './policy-test.ts';
import { runPolicyTests } from './policy-tests.ts';
import { buildSchema } from './schema.ts';
import { supposedAction, supposedFacts, supposedPrincipal } from './supposed.ts';

const policies = enforce(`
  @id("reads") permit (principal in Group::"react-agents", action in Action::"read", resource in Schema::"shop/public");
  @id("owned") permit (principal is Agent, action == Action::"connect", resource) when { principal has owner && principal.owner == User::"olga" };
  @id("writes") @approval("dba") permit (principal, action in Action::"write", resource);
  @id("late") forbid (principal, action, resource) when { context.hour >= 22 };
  @id("small") permit (principal, action == Action::"http:write", resource in Endpoint::"shop/v1") when { context.numbers.hasTag("/n") && context.numbers.getTag("/n") <= 10 };
  @id("watch") permit (principal in Group::"dba", action == Action::"gateway:view", resource);
  @id("pii") permit (principal in Group::"dba", action == Action::"reveal", resource in Label::"pii");
`);

const evaluator: PolicyTestEvaluator = {
  async decide({ principal, deed, session, target }) {
    if (deed.kind === 'statement') throw new Error('nobody here reads statements');
    return policies.decide({
      principal: supposedPrincipal(principal),
      target: { ...shop, name: target },
      action: supposedAction(deed, target, policies.set.schema),
      facts: supposedFacts(session, 0),
    });
  },
};

/** A document whose lines tell the steps, ten lines per test. */
function documentOf(value: unknown): PolicyTestDocument {
  return { path: 'tests.yaml', value, lineOf: (steps) => Number(steps[0] ?? 0) * 10 + steps.length };
}

const robin = { kind: 'agent', id: 'robin', groups: ['react-agents'], owner: 'olga' };
const statement = { has_where: true, tables: [], rows_limit: 0, detail: '' };
const select = { verb: 'sql:select', resources: ['Table::"shop/public/orders"'], context: statement };

test('what comes out as expected passes, in every form a test can have', async () => {
  const send = {
    verb: 'http:write',
    resources: ['Endpoint::"shop/v1/orders/7"'],
    context: { path: '/v1/orders/7', body: { '/n': 'many' }, numbers: {} },
  };
  const update = { ...select, verb: 'sql:update' };
  const dba = { kind: 'user', id: 'https://id#dana', groups: ['dba'] };
  const report = await runPolicyTests(
    documentOf([
      { name: 'agents read', principal: robin, target: 'shop', action: select, expect: 'allow', policies: ['reads'] },
      { principal: robin, target: 'shop', action: update, expect: 'hold' },
      { principal: robin, target: 'shop', action: 'connect', expect: 'allow' },
      { principal: { kind: 'user', id: 'x' }, target: 'shop', action: select, expect: 'deny', policies: [] },
      {
        principal: robin,
        target: 'shop',
        action: select,
        session: { at: '2026-01-16T22:00:00Z' },
        expect: 'deny',
        policies: ['late'],
      },
      { principal: dba, target: 'shop', action: 'gateway:view', expect: 'allow' },
      { principal: robin, target: 'shop', action: send, expect: 'hold', policies: ['writes'] },
      {
        principal: robin,
        target: 'shop',
        action: { ...send, context: { ...send.context, numbers: { '/n': 10 } } },
        expect: 'allow',
      },
      {
        principal: dba,
        target: 'shop',
        action: { verb: 'reveal', resources: ['Label::"pii.email"'] },
        expect: 'allow',
      },
    ]),
    evaluator,
  );
  expect(report.results.filter((result) => !result.passed)).toEqual([]);
  expect(report).toMatchObject({ path: 'tests.yaml', passed: 9, failed: 0 });
  expect(report.results.slice(0, 2).map((result) => result.name)).toEqual(['agents read', 'test 2']);
});

const good = { name: 't', principal: robin, target: 'shop', action: select, expect: 'allow' };

test.each<[string, unknown, string]>([
  [
    'another effect',
    { ...good, expect: 'deny' },
    'tests.yaml:1: t: expected deny, got allow by reads: Permitted by policy "reads".',
  ],
  ['other policies', { ...good, policies: ['other'] }, 'tests.yaml:1: t: expected allow by other, got it by reads'],
  [
    'a deed without meaning',
    { ...good, action: undefined, statement: 'x' },
    't: could not be decided: nobody here reads',
  ],
  ['an unknown verb', { ...good, action: 'sql:merge' }, 'no connector declares the verb "sql:merge"'],
  [
    'context left out',
    { ...good, action: { ...select, context: {} } },
    'needs has_where, tables, rows_limit, detail as well',
  ],
  ['a resource that is none', { ...good, action: { ...select, resources: ['orders'] } }, 'is not a resource such as'],
  [
    'a resource of the wrong depth',
    { ...good, action: { ...select, resources: ['Table::"shop/orders"'] } },
    'no connector has a Table',
  ],
  [
    'a map of this and that',
    { ...good, action: { ...select, context: { body: { a: 1, b: 'x' } } } },
    'tests.yaml:4: the values of body',
  ],
  [
    'a map of fractions',
    { ...good, action: { ...select, context: { body: { a: 1.5 } } } },
    'must all be texts, or all',
  ],
  ['a map in a map', { ...good, action: { ...select, context: { body: { a: {} } } } }, 'must all be texts, or all'],
  ['a misspelt key', { ...good, expects: 'allow' }, 'tests.yaml:2: unknown key "expects", did you mean "expect"?'],
  ['a misspelt key inside', { ...good, session: { adress: 'x' } }, 'tests.yaml:3: unknown key "adress"'],
  ['an unknown effect', { ...good, expect: 'permit' }, 'tests.yaml:2: expect must be allow, deny or hold'],
  ['no principal', { ...good, principal: undefined }, 'tests.yaml:2: principal must be a mapping'],
  ['a list for a text', { ...good, target: [] }, 'tests.yaml:2: target must be a text'],
  ['a text for a list', { ...good, policies: 'reads' }, 'tests.yaml:2: policies must be a list of texts'],
  ['neither statement nor action', { ...good, action: undefined }, 'either a statement or an action'],
  ['both', { ...good, statement: 'select 1' }, 'either a statement or an action'],
  ['a time that is none', { ...good, session: { at: 'noon' } }, 'at must be a time'],
  ['a text for a test', 'hello', 'a test must be a mapping'],
])('%s fails, with its line', async (_, value, expected) => {
  const report = await runPolicyTests(documentOf([value]), evaluator);
  expect(report).toMatchObject({ passed: 0, failed: 1 });
  expect(report.results[0]?.failure).toContain(expected);
});

test('one test that cannot be read does not keep the others from running, and none at all is a failure', async () => {
  expect(await runPolicyTests(documentOf([good, 'x', good]), evaluator)).toMatchObject({ passed: 2, failed: 1 });
  for (const value of [[], {}, null, undefined]) {
    expect(await runPolicyTests(documentOf(value), evaluator)).toMatchObject({ passed: 0, failed: 1 });
  }
});

test('resources are placed in others of their type, to the depth that policies know', () => {
  const { schema } = policies.set;
  const placed = (id: string) =>
    supposedAction(
      {
        kind: 'action',
        verb: 'http:write',
        resources: [`Endpoint::"${id}"`],
        context: { path: '', body: new Map(), numbers: new Map() },
      },
      'shop',
      schema,
    ).resources[0];
  expect(placed('shop/v1')).toEqual({ type: 'Endpoint', id: 'shop/v1', parent: { type: 'Target', id: 'shop' } });
  expect(placed('shop/v1/orders')?.parent).toEqual(placed('shop/v1'));
  expect(placed(`shop${'/x'.repeat(64)}`)?.type).toBe('Endpoint');
  expect(() => placed(`shop${'/x'.repeat(65)}`)).toThrow('no connector has a Endpoint');
  expect(() => placed('shop')).toThrow('no connector has');
});

test('resources are placed by their declared parents', () => {
  const action = supposedAction(
    { kind: 'action', verb: 'sql:drop', resources: ['Schema::"shop/public"'], context: {} },
    'shop',
    policies.set.schema,
  );
  expect(action.resources).toEqual([{ type: 'Schema', id: 'shop/public', parent: { type: 'Target', id: 'shop' } }]);
});

test('resources are placed in the root of their type where it has one', () => {
  const context = {};
  const schema = buildSchema([
    {
      resources: [{ type: 'Folder', parents: ['Folder', 'Target'], roots: ['', '~'], doc: '' }],
      actions: [{ verb: 'files:read', access: 'read', resources: ['Folder'], context, doc: '' }],
    },
  ]);
  const placed = (id: string) => {
    const deed = { kind: 'action', verb: 'files:read', resources: [`Folder::"${id}"`], context } as const;
    return supposedAction(deed, 'web', schema).resources[0];
  };
  const root = { type: 'Folder', id: 'web/', parent: { type: 'Target', id: 'web' } };
  expect(placed('web/')).toEqual(root);
  expect(placed('web/var')).toEqual({ type: 'Folder', id: 'web/var', parent: root });
  expect(placed('web/var/log')?.parent).toEqual(placed('web/var'));
  expect(placed('web/~')).toEqual({ type: 'Folder', id: 'web/~', parent: { type: 'Target', id: 'web' } });
  expect(placed('web/~/notes')?.parent).toEqual(placed('web/~'));
});

test('what lies in the target directly may have the separator in its name', () => {
  const context = {};
  const schema = buildSchema([
    {
      resources: [{ type: 'Document', parents: ['Target'], doc: '' }],
      actions: [{ verb: 'files:read', access: 'read', resources: ['Document'], context, doc: '' }],
    },
  ]);
  const deed = {
    kind: 'action',
    verb: 'files:read',
    resources: ['Document::"shop/file:///a/b.txt"'],
    context,
  } as const;
  expect(supposedAction(deed, 'shop', schema).resources).toEqual([
    { type: 'Document', id: 'shop/file:///a/b.txt', parent: { type: 'Target', id: 'shop' } },
  ]);
});
