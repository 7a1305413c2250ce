import { expect, test } from 'vitest';
import { formatPolicyError } from './error.ts';
import { declarations } from './fixtures.ts';
import { loadPolicies } from './load.ts';

const scope = '(principal, action == Action::"http:write", resource)';

function loaded(text: string): { errors: string[]; notices: readonly string[] } {
  const answer = loadPolicies([{ path: 'a.cedar', text }], [declarations]);
  return answer.ok
    ? { errors: [], notices: answer.set.notices }
    : { errors: answer.errors.map(formatPolicyError), notices: [] };
}

test.each<[string, string, string]>([
  ['an entry that may not be there', 'context.body.getTag("/a") == "x"', 'a.cedar:2:8: unable to guarantee safety'],
  ['one asked for in another map', 'context.body.hasTag("/a") && context.numbers.getTag("/a") > 1', 'unable to'],
  ['another than was asked for', 'context.body.hasTag("/a") && context.body.getTag("/b") == "x"', 'unable to'],
  ['one of which absence was asked', '!context.body.hasTag("/a") && context.body.getTag("/a") == "x"', 'unable to'],
  ['one that may be there', 'context.body.hasTag("/a") || context.body.getTag("/a") == "x"', 'unable to'],
  ['a text as a number', 'context.body.hasTag("/a") && context.body.getTag("/a") > 1', 'expected Long but saw String'],
  ['a number as a text', 'context.numbers.hasTag("/a") && context.numbers.getTag("/a") like "1*"', 'expected String'],
  ['a number as a name', 'context.body.hasTag(1)', 'expected String but saw Long'],
  ['a member of a map', 'context.body.amount == "5"', 'attribute `amount` on entity type `Texts` not found'],
  ['whether a map has a member', 'context.body has amount', '"body" is a map, which can only be asked'],
  ['the same where it matters not', 'context has body.amount || context.path == "x"', '"body" is a map'],
  ['a map compared with itself', 'context.body == context.body', 'a.cedar:2:16: "body" is a map'],
  ['a map in a set', '[context.body].contains(context.body)', '"body" is a map'],
  ['a map chosen', '(if context.path == "x" then context.body else context.body).hasTag("/a")', '"body" is a map'],
  ['a map in itself', 'context.body in [context.body]', '"body" is a map'],
  ['the type of a map', 'context.body is Texts || context.path == "x"', '"body" is a map'],
  [
    'a map in the name of an entry',
    'context.body.hasTag(if context.body == context.body then "a" else "b")',
    '"body" is',
  ],
  ['an entity of a map', 'context.body == Texts::"body"', 'Texts is what maps are made of'],
  ['an entry of such an entity', 'Texts::"body".hasTag("/a")', 'Texts is what maps are made of'],
  ['a list in place of a map', 'context.body.contains("/a")', 'a.cedar:2:8: unexpected type'],
  ['a map of another verb', 'context.arguments.hasTag("/a")', 'attribute `arguments` in context'],
])('%s is refused', (_, condition, expected) => {
  expect(loaded(`@id("a") permit ${scope}\nwhen { ${condition} };`).errors.join('\n')).toContain(expected);
});

test.each([
  'context.body.hasTag("/a") && context.body.getTag("/a") == "x"',
  'context.body.hasTag("/a") && context.body.hasTag("/b") && context.body.getTag("/a") == context.body.getTag("/b")',
  'context.body.hasTag(context.path) && context.body.getTag(context.path) like "x*"',
  'if context.body.hasTag("/a") then context.body.getTag("/a") == "x" else false',
  'context has body && context.body.hasTag("/a")',
])('what asks for entries is fine: %s', (condition) => {
  expect(loaded(`@id("a") permit ${scope} when { ${condition} };`)).toEqual({ errors: [], notices: [] });
  const anywhere = `@id("a") forbid (principal, action, resource) when { context has body && (${condition}) };`;
  expect(loaded(anywhere).errors).toEqual([]);
});

const large = 'context.numbers.hasTag("/n") && context.numbers.getTag("/n") > 1000';
const few = 'context.numbers.hasTag("/n") && context.numbers.getTag("/n") <= 1000';

test.each<[string, boolean]>([
  [`forbid ${scope} when { ${large} }`, true],
  [`forbid ${scope} unless { !(${large}) }`, true],
  [`forbid ${scope} when { context.path == "x" && ${large} }`, true],
  [`forbid ${scope} when { (${large}) || (${few}) }`, true],
  [`forbid ${scope} when { if context.path == "x" then ${large} else ${few} }`, true],
  [`forbid ${scope} unless { ${few} }`, false],
  [`forbid ${scope} when { !(${few}) }`, false],
  [`forbid ${scope} when { (${large}) || context.path == "x" }`, false],
  [`forbid ${scope} when { context.body.hasTag("/admin") }`, false],
  [`permit ${scope} unless { ${large} }`, true],
  [`permit ${scope} when { !(${large}) }`, true],
  [`permit ${scope} when { ${few} }`, false],
  [`permit ${scope} unless { !(${few}) }`, false],
])('a bound that holds only what has the entry is pointed out: %s', (policy, expected) => {
  const { errors, notices } = loaded(`@id("a") ${policy};`);
  expect(errors).toEqual([]);
  expect(notices.some((notice) => notice.includes('lacks the entry'))).toBe(expected);
});

test('no connector can have a resource type that stands for maps', () => {
  for (const type of ['Texts', 'Numbers']) {
    const stolen = { resources: [{ type, parents: ['Target'], doc: '' }], actions: [] };
    expect(() => loadPolicies([], [stolen])).toThrow('belongs to the gateway');
  }
});
