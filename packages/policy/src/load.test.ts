import { expect, test } from 'vitest';
import { formatPolicyError } from './error.ts';
import { declarations } from './fixtures.ts';
import { loadPolicies } from './load.ts';

function errorsOf(text: string): string[] {
  const loaded = loadPolicies([{ path: 'a.cedar', text }], [declarations]);
  return loaded.ok ? [] : loaded.errors.map(formatPolicyError);
}

function noticesOf(text: string): readonly string[] {
  const loaded = loadPolicies([{ path: 'a.cedar', text }], [declarations]);
  if (!loaded.ok) throw new Error(loaded.errors.map(formatPolicyError).join('\n'));
  return loaded.set.notices;
}

function hashOf(...texts: string[]): string {
  const files = texts.map((text, index) => ({ path: `${index}.cedar`, text }));
  const loaded = loadPolicies(files, [declarations]);
  return loaded.ok ? loaded.set.hash : '';
}

const scope = '(principal, action in Action::"read", resource)';

test.each<[string, string, string]>([
  ['a missing id', `permit ${scope};`, 'a.cedar:1:1: the policy has no @id'],
  ['an empty id', `@id("") permit ${scope};`, 'a.cedar:1:1: @id("") is not understood'],
  ['an id with blanks', `@id("a b") permit ${scope};`, 'a.cedar:1:1: @id("a b") is not understood'],
  ['an id of the gateway', `@id("sluice:exposure") permit ${scope};`, 'those with sluice: belong to the gateway'],
  ['an id twice', `@id("a") permit ${scope};\n@id("a") permit ${scope};`, 'a.cedar:2:1: the id "a" is taken by'],
  ['an annotation twice', `@id("a")\n@id("b") permit ${scope};`, 'a.cedar:2:1: duplicate annotation: @id'],
  [
    'a misspelt annotation',
    `// why\n@id("a")\n  @aproval("dba") permit ${scope};`,
    'a.cedar:3:3: unknown annotation @aproval (Did you mean @approval?)',
  ],
  ['a quorum without approval', `@id("a")\n@quorum("2") permit ${scope};`, 'a.cedar:2:1: @quorum means nothing'],
  ['a ttl without approval', `@id("a")\n@grant_ttl("5m") permit ${scope};`, 'a.cedar:2:1: @grant_ttl means nothing'],
  ['a wait without approval', `@id("a")\n@wait("park") permit ${scope};`, 'a.cedar:2:1: @wait means nothing'],
  ['a timeout without approval', `@id("a")\n@timeout("5m") permit ${scope};`, 'a.cedar:2:1: @timeout means nothing'],
  ['a quorum of none', `@id("a") @approval("x") @quorum("0") permit ${scope};`, '@quorum("0") is not understood'],
  ['a quorum of owners', `@id("a") @approval("owner") @quorum("2") permit ${scope};`, 'an agent has one owner'],
  ['a ttl without unit', `@id("a") @approval("x") @grant_ttl("10") permit ${scope};`, '@grant_ttl("10") is not'],
  ['an endless ttl', `@id("a") @approval("x") @grant_ttl("30d") permit ${scope};`, 'at most "7d"'],
  ['an unknown wait', `@id("a") @approval("x") @wait("queue") permit ${scope};`, '@wait("queue") is not understood'],
  ['an unknown status', `@id("a") @status("off") permit ${scope};`, '@status("off") is not understood'],
  ['an empty approval', `@id("a") @approval permit ${scope};`, '@approval("") is not understood'],
  ['a value for a flag', `@id("a") @read_only("no") permit ${scope};`, '@read_only("no") is not understood'],
  ['rows without number', `@id("a") @limit_rows("all") permit ${scope};`, '@limit_rows("all") is not understood'],
  ['a limit on a forbid', `@id("a") @limit_rows("1") forbid ${scope};`, '@limit_rows belongs on a permit'],
  ['notify where nothing runs', `@id("a") @notify("x") forbid ${scope};`, '@notify is carried out with an allowed'],
  ['an escape in a reason', `@id("a") @reason("\\u{1b}[2J") permit ${scope};`, '@reason("\\u001b[2J") is not'],
  ['a syntax error', `@id("a") permit ${scope};\n\npermit (principal, action resource);`, 'a.cedar:3:27: unexpected'],
  ['a missing semicolon', `@id("a") permit ${scope}`, 'unexpected end of input'],
  ['no policy at all', 'hello', 'a.cedar:1:6: unexpected end of input'],
  ['an unterminated string', '@id("a) permit (principal, action, resource);', 'a.cedar:1:'],
  ['a template', '@id("a") permit (principal == ?principal, action, resource);', 'got a template'],
  [
    'an unknown verb',
    '@id("a")\npermit (principal,\n  action == Action::"sql:selct",\n  resource);',
    'a.cedar:3:13: unrecognized action `Action::"sql:selct"` (Did you mean `Action::"sql:select"`?)',
  ],
  [
    'an unknown type',
    '@id("a")\npermit (principal, action, resource in Tabel::"x");',
    'a.cedar:2:40: unrecognized entity',
  ],
  [
    'an unknown attribute',
    '// é € 𝄞\n@id("a") permit (principal, action == Action::"sql:select", resource) when { context.has_were };',
    'a.cedar:2:78: attribute `has_were` in context for Action::"sql:select" not found (Did you mean `has_where`?)',
  ],
  [
    'an attribute not of all verbs',
    `@id("a") permit (principal, action, resource) when { context.has_where };`,
    'more like',
  ],
  ['a wrong type', `@id("a") permit ${scope} when { context.rows_limit == "1" };`, 'a.cedar:1:'],
  [
    'an unasked optional',
    `@id("a") permit ${scope} when { context.client_address.isLoopback() };`,
    'unable to guarantee',
  ],
  [
    'what can never apply',
    '@id("b") permit (principal, action, resource);\n@id("a") permit (principal, action in Action::"read", resource in Label::"x");',
    'a.cedar:2:1: policy "a" can never apply',
  ],
  ['a condition that is false', `@id("a") permit ${scope} when { false };`, 'policy "a" can never apply'],
  ['a bidi trick', `@id("a") permit (principal in Group::"a\u202eb", action, resource);`, 'BIDI control characters'],
  [
    'a class compared',
    `@id("a") permit (principal, action, resource)\nwhen { action != Action::"read" };`,
    'a.cedar:2:26: no action',
  ],
  [
    'a class in a set',
    '@id("a") forbid (principal, action, resource) unless { [Action::"read"].contains(action) };',
    'no action equals',
  ],
  [
    "an owner's group",
    '@id("a") forbid (principal is Agent, action, resource)\nwhen { principal has owner && principal.owner in Group::"x" };',
    'a.cedar:2:22: the groups of an agent',
  ],
  [
    'an approval to reveal',
    '@id("a") @approval("x") permit (principal, action == Action::"reveal", resource);',
    'nobody can wait',
  ],
  [
    'a limit to reveal',
    '@id("a") @limit_rows("1") permit (principal, action == Action::"reveal", resource);',
    "can't be carried out",
  ],
])('%s is refused, with its place', (_, text, expected) => {
  expect(errorsOf(text).join('\n')).toContain(expected);
});

test('every error is told, in order, and one of them is enough for no set', () => {
  const good = `@id("good") permit ${scope};`;
  const errors = errorsOf(`permit ${scope};\n${good}\n@id("x") permt ${scope};\n@id("y") @nope permit ${scope};`);
  expect(errors.map((error) => error.slice(0, 9))).toEqual(['a.cedar:1', 'a.cedar:3', 'a.cedar:4']);
});

test('places survive comments, semicolons in strings, carriage returns and a byte order mark', () => {
  const text = `\uFEFF// one; two\r\n@id("a;b//c") permit ${scope}; // three\r@id("b") permit (principal, action, resource in X::"y");`;
  expect(errorsOf(text)).toEqual([
    expect.stringContaining('a.cedar:2:1: @id("a;b//c") is not understood'),
    expect.stringContaining('a.cedar:3:49: unrecognized entity type `X`'),
  ]);
});

test('a comment ends at a carriage return, so no policy can hide behind one', () => {
  const loaded = loadPolicies([{ path: 'a.cedar', text: `// x\r@id("a") permit ${scope};` }], [declarations]);
  expect(loaded.ok && loaded.set.policies.map((policy) => policy.id)).toEqual(['a']);
});

test('a place after a class comparison is where the author wrote it', () => {
  const text = '@id("a") permit(principal,action==Action::"read",resource in Nowhere::"x");';
  expect(errorsOf(text)).toEqual([expect.stringContaining(`a.cedar:1:${text.indexOf('Nowhere') + 1}:`)]);
});

test('the hash follows what policies say, not how or where they are written', () => {
  const a = `@id("a") permit ${scope};`;
  const b = `@id("b") forbid ${scope} when { context.secure == false };`;
  const same = [
    hashOf(a, b),
    hashOf(b, a),
    hashOf(`${b}\n// later\n${a}`),
    hashOf(a.replace('permit', 'permit\n\t'), b),
  ];
  expect(new Set(same).size).toBe(1);
  expect(same[0]).toMatch(/^[0-9a-f]{64}$/);
  const others = [
    hashOf(a),
    hashOf(a, b.replace('b"', 'c"')),
    hashOf(a.replace(') p', ') @reason("x") p'), b),
    hashOf(),
  ];
  expect(new Set([...same, ...others]).size).toBe(5);
});

test('a permit for every action, and trust in what a client claims, are pointed out', () => {
  expect(noticesOf('@id("all") permit (principal, action, resource);')).toEqual([expect.stringContaining('reveal')]);
  expect(noticesOf(`@id("i") permit ${scope} when { context.intent like "*audit*" };`)).toEqual([
    expect.stringContaining('reads intent'),
  ]);
  expect(noticesOf(`@id("x") permit ${scope};`)).toEqual([]);
});

test('declarations that contradict each other are the connector’s mistake, not the operator’s', () => {
  expect(loadPolicies([], [declarations, structuredClone(declarations)]).ok).toBe(true);
  const twice = { resources: [], actions: [{ ...declarations.actions[1]!, access: 'write' as const }] };
  expect(() => loadPolicies([], [declarations, twice])).toThrow('declared in two ways');
  const stolen = {
    resources: [],
    actions: [{ ...declarations.actions[1]!, verb: 'x:y', context: { now: 'Long' as const } }],
  };
  expect(() => loadPolicies([], [declarations, stolen])).toThrow('belongs to the session');
  const reserved = { resources: [{ type: 'Group', parents: ['Target'], doc: '' }], actions: [] };
  expect(() => loadPolicies([], [reserved])).toThrow('belongs to the gateway');
});
