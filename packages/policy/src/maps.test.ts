import type { Question } from '@sluice/core/contract/policy.ts';
import type { Resource } from '@sluice/core/domain/resource.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Engine } from './engine.ts';
import { endpoint, enforce, post } from './fixtures.ts';
import { mapBounds } from './maps.ts';
import { requestsFor } from './request.ts';

const open = '@id("open") permit (principal, action == Action::"http:write", resource);';
const small =
  '@id("small") permit (principal, action == Action::"http:write", resource) when { context.numbers.hasTag("/amount") && context.numbers.getTag("/amount") <= 1000 };';
const texts = (condition: string): string =>
  `@id("a") permit (principal, action == Action::"http:write", resource) when { ${condition} };`;

function effectOf(text: string, question: Question): string {
  return enforce(text).decide(question).effect;
}

test('an entry is read by its name, as the type it has', () => {
  const policies = enforce(
    texts('context.body.hasTag("/customer/tier") && context.body.getTag("/customer/tier") == "gold"'),
  );
  expect(policies.decide(post({ '/customer/tier': 'gold' })).effect).toBe('allow');
  expect(policies.decide(post({ '/customer/tier': 'Gold' })).effect).toBe('deny');
  expect(policies.decide(post({ '/tier': 'gold' })).effect).toBe('deny');
  expect(policies.decide(post({})).effect).toBe('deny');
  expect(effectOf(small, post({}, { '/amount': 1000 }))).toBe('allow');
  expect(effectOf(small, post({}, { '/amount': 1001 }))).toBe('deny');
  expect(effectOf(small, post({ '/amount': '5' }))).toBe('deny');
});

test('the ends of what can be told apart as a number are told apart', () => {
  const [most, least] = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  const at = (value: number): string =>
    texts(`context.numbers.hasTag("/n") && context.numbers.getTag("/n") == ${value}`);
  for (const value of [most, least, -1, 0, 2 ** 31, 2 ** 32]) {
    expect(effectOf(at(value), post({}, { '/n': value })), `${value}`).toBe('allow');
    expect(effectOf(at(value), post({}, { '/n': value === most ? value - 1 : value + 1 })), `${value}`).toBe('deny');
  }
  expect(effectOf(at(0), post({}, { '/n': -0 }))).toBe('allow');
});

test.each(['__proto__', 'constructor', '', '/', 'a b', '"', '\\', '\0', '😀', '/a~1b', '__entity', '__expr'])(
  'an entry may be called %j',
  (name) => {
    const literal = JSON.stringify(name).replaceAll(/\\u([0-9a-f]{4})/g, '\\u{$1}');
    const policies = enforce(texts(`context.body.hasTag(${literal}) && context.body.getTag(${literal}) == "yes"`));
    const named = (value: string): Question => {
      const asked = post({});
      return {
        ...asked,
        action: { ...asked.action, context: { ...asked.action.context, body: new Map([[name, value]]) } },
      };
    };
    expect(policies.decide(named('yes')).effect).toBe('allow');
    expect(policies.decide(named('no')).effect).toBe('deny');
    expect(policies.decide(post({})).effect).toBe('deny');
  },
);

describe('what does not fit is denied, whatever policies say', () => {
  const body = (value: unknown): Question => {
    const asked = post({});
    return { ...asked, action: { ...asked.action, context: { ...asked.action.context, body: value as never } } };
  };
  const numbers = (value: unknown): Question => {
    const asked = post({});
    return { ...asked, action: { ...asked.action, context: { ...asked.action.context, numbers: value as never } } };
  };
  const many = (count: number): Map<string, string> =>
    new Map(Array.from({ length: count }, (_, index) => [`${index}`, '']));
  const heavy = (characters: number): Map<string, string> =>
    new Map(Array.from({ length: 32 }, (_, index) => [`${index}`.padStart(2), 'x'.repeat(characters / 32 - 2)]));

  test.each<[string, Question]>([
    ['no map at all', body(undefined)],
    ['a record', body({ '/a': 'b' })],
    ['a set', body(['a'])],
    ['a text', body('a')],
    ['a number among texts', body(new Map<string, unknown>([['a', 1]]))],
    ['a text among numbers', numbers(new Map<string, unknown>([['a', '1']]))],
    ['a fraction', numbers(new Map([['a', 1.5]]))],
    ['a number that others could be taken for', numbers(new Map([['a', 2 ** 53]]))],
    ['no number', numbers(new Map([['a', Number.NaN]]))],
    ['a name that is no text', body(new Map<unknown, unknown>([[1, 'a']]))],
    ['a name that is half a character', body(new Map([['\ud800', 'a']]))],
    ['a value that is half a character', body(new Map([['a', 'x\udc00']]))],
    ['a number under half a character', numbers(new Map([['\ud800', 1]]))],
    ['too many entries', body(many(mapBounds.entries + 1))],
    ['too long a name', body(new Map([['x'.repeat(mapBounds.nameCharacters + 1), '']]))],
    ['too long a value', body(new Map([['a', 'x'.repeat(mapBounds.valueCharacters + 1)]]))],
    ['too many characters', body(heavy(mapBounds.characters + 32))],
  ])('%s', (_, question) => {
    const faults: string[] = [];
    const decision = enforce(open, { onFault: (message) => faults.push(message) }).decide(question);
    expect(decision.effect).toBe('deny');
    expect(decision.reasons[0]?.policy).toBe('sluice:default-deny');
    expect(faults).toHaveLength(1);
  });

  test('while the most that fits is decided', () => {
    expect(effectOf(open, body(many(mapBounds.entries)))).toBe('allow');
    expect(effectOf(open, body(heavy(mapBounds.characters)))).toBe('allow');
    const whole = texts('!context.body.hasTag(context.path)');
    expect(effectOf(whole, body(heavy(mapBounds.characters)))).toBe('allow');
  });

  test('and what is too much for many resources together', () => {
    const paths = Array.from({ length: 9 }, (_, index) => endpoint(`${index}`));
    const large = body(heavy(mapBounds.characters / 2));
    const over = (count: number): Question => ({
      ...large,
      action: { ...large.action, resources: paths.slice(0, count) },
    });
    const whole = texts('!context.body.hasTag(context.path)');
    expect(effectOf(whole, over(8))).toBe('allow');
    expect(effectOf(whole, over(9))).toBe('deny');
    const entries = body(many(mapBounds.entries / 2));
    const half = (count: number): Question => ({
      ...entries,
      action: { ...entries.action, resources: paths.slice(0, count) },
    });
    expect(effectOf(whole, half(2))).toBe('allow');
    expect(effectOf(whole, half(3))).toBe('deny');
    // Nobody reads it, so it need not be sent.
    expect(effectOf(open, over(9))).toBe('allow');
  });
});

const some = fc.dictionary(fc.constantFrom('/a', '/b', '/c', '/v1/orders'), fc.constantFrom('x', 'y', '/a', '/b'), {
  noNullPrototype: true,
});
const counts = fc.dictionary(fc.constantFrom('/a', '/b', '/c'), fc.integer({ min: -1, max: 1 }), {
  noNullPrototype: true,
});

const readers = [
  ['one entry', 'context.body.hasTag("/a") && context.body.getTag("/a") == "x"'],
  ['that one is absent', '!context.body.hasTag("/b")'],
  ['two maps', 'context.body.hasTag("/a") && context.numbers.hasTag("/a") && context.numbers.getTag("/a") > 0'],
  ['an entry named by another attribute', 'context.body.hasTag(context.path)'],
  [
    'an entry named by an entry',
    'context.body.hasTag("/c") && context.body.hasTag(context.body.getTag("/c")) && context.body.getTag("/c") != "x"',
  ],
] as const;

test.each(readers)('a policy sees the same of a map whether all of it is sent or what is read: %s', (_, condition) => {
  const kept = enforce(texts(condition));
  const fresh = enforce(texts(condition), { keep: 0 });
  const engine = new Engine(fresh.set.policies, fresh.set.schema);
  const effects = new Set<string>();
  fc.assert(
    fc.property(fc.array(fc.tuple(some, counts), { minLength: 1, maxLength: 6 }), (asked) => {
      for (const [body, numbers] of asked) {
        const question = post(body, numbers);
        const answer = kept.decide(question);
        effects.add(answer.effect);
        expect(answer).toEqual(fresh.decide(question));
        const whole = requestsFor(question, fresh.set.schema, new Set());
        expect(whole[0]?.entities.flatMap((each) => Object.keys(each.tags ?? {})).sort()).toEqual(
          [...Object.keys(body), ...Object.keys(numbers)].sort(),
        );
        const applied = whole.flatMap((request) => [...engine.applying(request).applied]);
        expect(applied).toEqual(answer.effect === 'allow' ? ['a'] : []);
      }
    }),
    { numRuns: 60 },
  );
  expect([...effects].sort()).toEqual(['allow', 'deny']);
});

test('what policies do not ask of a map makes no other question; what they ask does', () => {
  const policies = enforce(texts('context.body.hasTag("/a") && context.body.getTag("/a") == "x"'));
  const first = policies.decide(post({ '/a': 'x', '/b': '1' }));
  expect(policies.decide(post({ '/b': '2', '/a': 'x' }, { '/n': 1 }))).toBe(first);
  expect(policies.decide(post({ '/a': 'y', '/b': '1' })).effect).toBe('deny');
  const whole = enforce(texts('!context.body.hasTag(context.path)'));
  const second = whole.decide(post({ '/a': 'x', '/b': 'y' }));
  expect(whole.decide(post({ '/b': 'y', '/a': 'x' }))).toBe(second);
  expect(whole.decide(post({ '/b': 'x', '/a': 'y' }))).not.toBe(second);
});

describe('resources in others of their type', () => {
  const deep = (levels: number): Resource => endpoint(...Array.from({ length: levels }, (_, index) => `d${index}`));
  const in1 = '@id("a") permit (principal, action == Action::"http:write", resource in Endpoint::"shop/v1");';

  test('are reached by any that they lie in, and by the target', () => {
    expect(effectOf(in1, post({}, {}, [endpoint('v1')]))).toBe('allow');
    expect(effectOf(in1, post({}, {}, [endpoint('v1', 'orders', '7')]))).toBe('allow');
    expect(effectOf(in1, post({}, {}, [endpoint('v10', 'orders')]))).toBe('deny');
    expect(effectOf(in1, post({}, {}, [endpoint('v2', 'v1')]))).toBe('deny');
    expect(effectOf(in1.replace('Endpoint::"shop/v1"', 'Target::"shop"'), post({}, {}, [deep(64)]))).toBe('allow');
    expect(effectOf(in1.replace('Endpoint::"shop/v1"', 'Endpoint::"shop/d0"'), post({}, {}, [deep(64)]))).toBe('allow');
  });

  test('may have a root that ends in the separator', () => {
    const root: Resource = { type: 'Endpoint', id: 'shop/', parent: { type: 'Target', id: 'shop' } };
    const below: Resource = { type: 'Endpoint', id: 'shop/v1', parent: root };
    expect(effectOf(in1, post({}, {}, [{ type: 'Endpoint', id: 'shop/v1/x', parent: below }]))).toBe('allow');
    expect(effectOf(in1.replace('shop/v1', 'shop/'), post({}, {}, [below]))).toBe('allow');
    expect(effectOf(open, post({}, {}, [{ ...root, id: 'shop' }]))).toBe('deny');
    expect(effectOf(open, post({}, {}, [{ ...below, id: 'shop/', parent: root }]))).toBe('deny');
    expect(effectOf(open, post({}, {}, [{ ...below, id: 'shopping', parent: { type: 'Target', id: 'shop' } }]))).toBe(
      'deny',
    );
  });

  test('may be nested so deep and no deeper', () => {
    expect(effectOf(open, post({}, {}, [deep(64)]))).toBe('allow');
    expect(effectOf(open, post({}, {}, [deep(65)]))).toBe('deny');
  });

  test('that lie elsewhere than their name says are denied', () => {
    const stray: Resource = { type: 'Endpoint', id: 'shop/v2', parent: endpoint('v1') };
    const circle: { type: string; id: string; parent?: Resource } = { type: 'Endpoint', id: 'shop/v1' };
    circle.parent = circle;
    for (const resource of [stray, circle, { type: 'Endpoint', id: 'shop', parent: endpoint() }]) {
      expect(effectOf(open, post({}, {}, [resource]))).toBe('deny');
    }
  });
});
