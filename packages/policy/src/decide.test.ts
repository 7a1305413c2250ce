import { describe, expect, test } from 'vitest';
import { action, agent, ask, customers, enforce, facts, principal, shop, table } from './fixtures.ts';
import { gatewayAction } from './gateway.ts';

const reads = '@id("reads") permit (principal in Group::"react-agents", action in Action::"read", resource);';
const user = principal('user', 'ursula', ['staff']);

function effectOf(text: string, ...question: Parameters<typeof ask>): string {
  return enforce(text).decide(ask(...question)).effect;
}

test('without policies everything is denied, and the answer says why', () => {
  const decision = enforce('').decide(ask('sql:select'));
  expect(decision).toMatchObject({ effect: 'deny', policies: [], obligations: [], dryRun: [] });
  expect(decision.reasons[0]?.text).toContain('No policies are loaded');
  expect(decision.hold).toBeUndefined();
});

test('what nothing permits is denied, naming verb, class and resource', () => {
  const decision = enforce(reads).decide(ask('sql:delete'));
  expect(decision).toMatchObject({ effect: 'deny', policies: [] });
  expect(decision.reasons).toEqual([
    { policy: 'sluice:default-deny', text: 'No policy permits sql:delete (write) on Table "shop/public/customers".' },
  ]);
});

test('a permit allows, and the decision carries the hash of its set', () => {
  const policies = enforce(reads);
  expect(policies.decide(ask('sql:select'))).toEqual({
    effect: 'allow',
    policies: ['reads'],
    reasons: [{ policy: 'reads', text: 'Permitted by policy "reads".' }],
    obligations: [],
    dryRun: [],
    policyHash: policies.hash,
  });
});

test.each([
  ['the class with in', 'action in Action::"read"'],
  ['the class with ==, which means the same', 'action == Action::"read"'],
  ['the class with == and no blanks', 'action==Action::"read"'],
  ['the class in a list', 'action in [Action::"read", Action::"connect"]'],
  ['the verb itself', 'action == Action::"sql:select"'],
])('an action can be named by %s', (_, constraint) => {
  expect(effectOf(`@id("a") permit(principal,${constraint},resource);`, 'sql:select')).toBe('allow');
  expect(effectOf(`@id("a") permit(principal,${constraint},resource);`, 'sql:update')).toBe('deny');
});

test('a class compared in a condition means membership as well', () => {
  const text = '@id("a") permit (principal, action, resource) when { action == Action::"read" };';
  expect(effectOf(text, 'sql:select')).toBe('allow');
  expect(effectOf(text, 'sql:update')).toBe('deny');
});

describe('consent to connect', () => {
  const asked =
    '@id("jit") @approval("dba") permit (principal, action == Action::"connect", resource == Target::"shop");';
  const shopOnly = [{ type: 'Target', id: 'shop' }];

  test('is asked for when a session opens, and not again for what steers it', () => {
    const policies = enforce(asked);
    expect(policies.decide(ask('connect', { action: gatewayAction('connect', 'shop') })).effect).toBe('hold');
    expect(policies.decide(ask('sql:transaction', { action: action('sql:transaction', shopOnly, {}) })).effect).toBe(
      'allow',
    );
  });

  test('to a forbid is not asked for again either', () => {
    const policies = enforce(
      `@id("open") permit (principal, action, resource); ${asked.replace('permit (', 'forbid (')}`,
    );
    expect(policies.decide(ask('connect', { action: gatewayAction('connect', 'shop') })).effect).toBe('hold');
    expect(policies.decide(ask('sql:transaction', { action: action('sql:transaction', shopOnly, {}) })).effect).toBe(
      'allow',
    );
  });

  test('is asked for each time where a policy names the verb itself', () => {
    const policies = enforce(asked.replace('Action::"connect"', 'Action::"sql:transaction"'));
    expect(policies.decide(ask('sql:transaction', { action: action('sql:transaction', shopOnly, {}) })).effect).toBe(
      'hold',
    );
  });
});

test('connect is a verb and the class of what only steers a session', () => {
  const text = '@id("a") permit (principal, action == Action::"connect", resource == Target::"shop");';
  const policies = enforce(text);
  expect(policies.decide(ask('connect', { action: gatewayAction('connect', 'shop') })).effect).toBe('allow');
  expect(policies.decide(ask('sql:transaction', { resources: [{ type: 'Target', id: 'shop' }] })).effect).toBe('allow');
  expect(policies.decide(ask('sql:select')).effect).toBe('deny');
});

test.each([
  ['its schema', 'resource in Schema::"shop/public"', true],
  ['its target', 'resource in Target::"shop"', true],
  ["its target's tag", 'resource in Tag::"env=prod"', true],
  ['itself', 'resource == Table::"shop/public/customers"', true],
  ['its type', 'resource is Table in Target::"shop"', true],
  ['another schema', 'resource in Schema::"shop/audit"', false],
  ['the same schema on another target', 'resource in Schema::"other/public"', false],
  ['another tag', 'resource in Tag::"env=dev"', false],
])('a resource is reached by %s', (_, constraint, reached) => {
  expect(effectOf(`@id("a") permit (principal, action, ${constraint});`, 'sql:select')).toBe(
    reached ? 'allow' : 'deny',
  );
});

test('principals are told apart by kind, group, id and owner', () => {
  const allows = (constraint: string, who = agent): boolean =>
    effectOf(`@id("a") permit (principal${constraint}, action, resource);`, 'sql:select', { principal: who }) ===
    'allow';
  expect(allows(' is Agent')).toBe(true);
  expect(allows(' is User')).toBe(false);
  expect(allows(' == Agent::"https://id.example#robin"')).toBe(true);
  expect(allows(' == User::"https://id.example#robin"')).toBe(false);
  expect(allows(' is Service', principal('service', 'robin'))).toBe(true);
  const owned =
    '@id("a") permit (principal is Agent, action, resource) when { principal has owner && principal.owner == User::"https://id.example#olga" };';
  expect(effectOf(owned, 'sql:select')).toBe('allow');
  expect(effectOf(owned, 'sql:select', { principal: principal('agent', 'x', [], 'otto') })).toBe('deny');
  expect(effectOf(owned, 'sql:select', { principal: principal('agent', 'x') })).toBe('deny');
});

test('a forbid wins over any permit and gives its reason', () => {
  const text = `${reads} @id("not-now") @reason("Reading stops for the audit.") forbid (principal, action, resource) when { context.hour == 14 };`;
  expect(enforce(text).decide(ask('sql:select'))).toMatchObject({
    effect: 'deny',
    policies: ['not-now'],
    reasons: [{ policy: 'not-now', text: 'Reading stops for the audit.' }],
  });
});

const writes = 'action in Action::"write", resource';

test('a permit under approval holds, under its own terms', () => {
  const text = `@id("w") @approval("dba") @quorum("2") @grant_ttl("5m") @timeout("90s") @wait("park") permit (principal, ${writes});`;
  expect(enforce(text).decide(ask('sql:update'))).toMatchObject({
    effect: 'hold',
    policies: ['w'],
    reasons: [{ policy: 'w', text: 'Policy "w" asks for the consent of the group "dba".' }],
    hold: { consents: [{ policy: 'w', group: 'dba', quorum: 2 }], grantTtl: 300_000, timeout: 90_000, wait: 'park' },
  });
});

const consents = (text: string, who = agent): unknown =>
  enforce(text)
    .decide(ask('sql:update', { principal: who }))
    .hold?.consents.map(({ group, quorum }) => `${group} ${quorum}`);

test.each<[string, string, string, unknown]>([
  [
    'a plain permit needs no consent, whatever else asks for it',
    '@id("a") permit (principal, W); @id("b") @approval("x") permit (principal, W);',
    'allow',
    undefined,
  ],
  [
    'a forbid under approval holds what a plain permit allows',
    '@id("a") permit (principal, W); @id("b") @approval("x") forbid (principal, W);',
    'hold',
    ['x 1'],
  ],
  ['consent lifts a forbid but permits nothing', '@id("b") @approval("x") forbid (principal, W);', 'deny', undefined],
  [
    'a forbid without approval is not lifted',
    '@id("a") @approval("x") permit (principal, W); @id("b") forbid (principal, W);',
    'deny',
    undefined,
  ],
  [
    'one forbid under approval does not lift another without',
    '@id("a") permit (principal, W); @id("b") forbid (principal, W); @id("c") @approval("x") forbid (principal, W);',
    'deny',
    undefined,
  ],
  [
    'all forbids and the permit are asked',
    '@id("a") @approval("x") permit (principal, W); @id("b") @approval("y") forbid (principal, W); @id("c") @approval("z") forbid (principal, W);',
    'hold',
    ['y 1', 'z 1', 'x 1'],
  ],
  [
    'of several permits the strictest is asked',
    '@id("a") @approval("x") permit (principal, W); @id("b") @approval("y") @quorum("2") permit (principal, W);',
    'hold',
    ['y 2'],
  ],
  [
    'of equally strict permits the first is asked',
    '@id("b") @approval("x") permit (principal, W); @id("a") @approval("y") permit (principal, W);',
    'hold',
    ['x 1'],
  ],
  [
    'one group is asked once, with the highest quorum',
    '@id("a") permit (principal, W); @id("b") @approval("x") forbid (principal, W); @id("c") @approval("x") @quorum("3") forbid (principal, W);',
    'hold',
    ['x 3'],
  ],
  ['the owner is asked by name', '@id("a") @approval("owner") permit (principal, W);', 'hold', ['owner 1']],
])('%s', (_, text, effect, asked) => {
  const policies = text.replaceAll('W', writes);
  expect(effectOf(policies, 'sql:update')).toBe(effect);
  expect(consents(policies)).toEqual(asked);
});

test('an owner that does not exist can never consent', () => {
  const permit = `@id("a") @approval("owner") permit (principal, ${writes});`;
  const forbid = `@id("f") @approval("owner") forbid (principal, ${writes});`;
  expect(effectOf(permit, 'sql:update', { principal: user })).toBe('deny');
  expect(effectOf(`@id("p") permit (principal, ${writes}); ${forbid}`, 'sql:update', { principal: user })).toBe('deny');
  const other = `${permit} @id("b") @approval("dba") permit (principal, ${writes});`;
  expect(consents(other, user)).toEqual(['dba 1']);
});

test('several holds share the shortest of their terms', () => {
  const text = `@id("a") @approval("x") @grant_ttl("1h") @timeout("5m") @wait("park") permit (principal, ${writes});
    @id("b") @approval("y") @grant_ttl("2m") @timeout("1h") @wait("resend") forbid (principal, ${writes});`;
  expect(enforce(text).decide(ask('sql:update')).hold).toMatchObject({
    grantTtl: 120_000,
    timeout: 300_000,
    wait: 'both',
  });
});

test.each<[string, string, unknown]>([
  ['none by default', '@id("a") permit (P);', []],
  [
    'of the permit that allows',
    '@id("a") @limit_rows("10") @read_only @notify("sec") permit (P);',
    [{ kind: 'limit_rows', rows: 10 }, { kind: 'read_only' }, { kind: 'notify', channel: 'sec' }],
  ],
  [
    'the smallest limit of several',
    '@id("a") @limit_rows("10") permit (P); @id("b") @limit_rows("5") permit (P);',
    [{ kind: 'limit_rows', rows: 5 }],
  ],
  [
    'a limit stays though another permit has none',
    '@id("a") permit (P); @id("b") @limit_rows("5") permit (P);',
    [{ kind: 'limit_rows', rows: 5 }],
  ],
  [
    'none of a permit under approval that was not needed',
    '@id("a") permit (P); @id("b") @approval("x") @limit_rows("5") permit (P);',
    [],
  ],
  [
    'all of the permits that are held',
    '@id("a") @approval("x") @read_only permit (P); @id("b") @approval("y") @limit_rows("5") permit (P);',
    [{ kind: 'limit_rows', rows: 5 }, { kind: 'read_only' }],
  ],
  [
    'of a forbid that holds',
    '@id("a") permit (P); @id("b") @approval("x") @notify("sec") forbid (P);',
    [{ kind: 'notify', channel: 'sec' }],
  ],
  ['none once denied', '@id("a") @limit_rows("5") permit (P); @id("b") forbid (P);', []],
])('obligations: %s', (_, text, expected) => {
  const policies = enforce(text.replaceAll('P', 'principal, action == Action::"sql:select", resource'));
  expect(policies.decide(ask('sql:select')).obligations).toEqual(expected);
});

test('over several resources the strictest effect wins, with its own policies, and obligations add up', () => {
  const text = `
    @id("public") @limit_rows("10") permit (principal, action in Action::"read", resource in Schema::"shop/public");
    @id("audit") @approval("audit") @limit_rows("3") permit (principal, action in Action::"read", resource in Schema::"shop/audit");`;
  const policies = enforce(text);
  const [a, b, c] = [customers, table('audit', 'trail'), table('secret', 'keys')];
  expect(policies.decide(ask('sql:select', { resources: [a, b] }))).toMatchObject({
    effect: 'hold',
    policies: ['audit'],
    hold: { consents: [{ group: 'audit' }] },
    obligations: [{ kind: 'limit_rows', rows: 3 }],
  });
  const denied = policies.decide(ask('sql:select', { resources: [a, b, c] }));
  expect(denied).toMatchObject({ effect: 'deny', policies: [], obligations: [] });
  expect(denied.reasons.map((reason) => reason.text)).toEqual([expect.stringContaining('shop/secret/keys')]);
  expect(denied.hold).toBeUndefined();
});

test('a dry-run policy changes nothing; what it would have changed is told', () => {
  const dry = (rest: string): string => `${reads} @status("dry_run") ${rest}`;
  const decide = (text: string) => enforce(text).decide(ask('sql:select'));
  const forbid = decide(dry('@id("d") forbid (principal, action, resource);'));
  expect(forbid).toMatchObject({ effect: 'allow', policies: ['reads'], dryRun: [{ policy: 'd', effect: 'deny' }] });
  const hold = decide(dry('@id("d") @approval("x") forbid (principal, action, resource);'));
  expect(hold).toMatchObject({ effect: 'allow', dryRun: [{ policy: 'd', effect: 'hold' }] });
  expect(hold.hold).toBeUndefined();
  const same = decide(dry('@id("d") @limit_rows("1") permit (principal, action, resource);'));
  expect(same).toMatchObject({ effect: 'allow', dryRun: [], obligations: [] });
  const opens = enforce('@id("d") @status("dry_run") permit (principal, action, resource);').decide(ask('sql:select'));
  expect(opens).toMatchObject({ effect: 'deny', dryRun: [{ policy: 'd', effect: 'allow' }] });
});

const overflows = 'when { context.rows_limit * 9223372036854775807 > 0 }';
const select = 'principal, action == Action::"sql:select", resource';

test('a forbid that cannot be evaluated denies, though the engine would pass over it', () => {
  const faults: string[] = [];
  const text = `${reads} @id("broken") forbid (${select}) ${overflows};`;
  const policies = enforce(text, { onFault: (message) => faults.push(message) });
  expect(policies.decide(ask('sql:select', { context: { rows_limit: 5 } }))).toMatchObject({
    effect: 'deny',
    policies: ['broken'],
    reasons: [{ policy: 'broken', text: expect.stringContaining('could not be evaluated') }],
  });
  expect(faults).toEqual([expect.stringContaining('integer overflow')]);
  expect(policies.decide(ask('sql:select', { context: { rows_limit: 0 } })).effect).toBe('allow');
});

test('a permit that cannot be evaluated denies as well, even beside one that applies', () => {
  const text = `${reads} @id("broken") permit (${select}) ${overflows};`;
  expect(effectOf(text, 'sql:select', { context: { rows_limit: 5 } })).toBe('deny');
});

test('a dry-run policy that cannot be evaluated would have denied, and does not', () => {
  const text = `${reads} @id("broken") @status("dry_run") forbid (${select}) ${overflows};`;
  const decision = enforce(text).decide(ask('sql:select', { context: { rows_limit: 5 } }));
  expect(decision).toMatchObject({ effect: 'allow', dryRun: [{ policy: 'broken', effect: 'deny' }] });
});

const all = '@id("all") permit (principal, action, resource);';
const question = ask('sql:select');

test.each([
  ['an unknown verb', { ...question, action: { ...question.action, verb: 'sql:merge' } }],
  ['a class as a verb', { ...question, action: { ...question.action, verb: 'read' } }],
  ['a class other than declared', { ...question, action: { ...question.action, access: 'admin' as const } }],
  ['no resource', { ...question, action: action('sql:select', []) }],
  ['too many resources', { ...question, action: action('sql:select', Array(1001).fill(customers)) }],
  [
    'a resource the verb does not act on',
    { ...question, action: action('sql:update', [{ type: 'Target', id: 'shop' }]) },
  ],
  ['a resource of an unknown type', { ...question, action: action('sql:update', [{ ...customers, type: 'View' }]) }],
  ['a resource outside any target', { ...question, action: action('sql:select', [{ type: 'Table', id: 'x' }]) }],
  [
    'a resource of another target',
    { ...question, action: action('sql:select', [table('public', 'customers', 'other')]) },
  ],
  ['another target', { ...question, action: action('sql:select', [{ type: 'Target', id: 'other' }]) }],
  [
    'a parent of the wrong type',
    {
      ...question,
      action: action('sql:select', [{ type: 'Table', id: 'shop/t', parent: { type: 'Target', id: 'shop' } }]),
    },
  ],
  ['context that is missing', { ...question, action: { ...question.action, context: {} } }],
  ['context that was not declared', ask('sql:select', { context: { extra: true } })],
  ['context of another type', ask('sql:select', { context: { has_where: 'yes' } })],
  ['a fraction', ask('sql:select', { context: { rows_limit: 1.5 } })],
  ['a number beyond what is exact', ask('sql:select', { context: { rows_limit: 2 ** 60 } })],
  ['an agent owned by an agent', ask('sql:select', { principal: { ...agent, owner: { kind: 'agent', id: 'x' } } })],
  ['a time that is none', ask('sql:select', { facts: { ...facts, now: Number.NaN } })],
])('%s is denied even where everything is permitted', (_, odd) => {
  const faults: string[] = [];
  const policies = enforce(all, { onFault: (message) => faults.push(message) });
  expect(policies.decide(question).effect).toBe('allow');
  expect(policies.decide(odd)).toMatchObject({ effect: 'deny', policies: [] });
  expect(faults).toHaveLength(1);
});

test('what the session knows can be asked', () => {
  const allows = (condition: string, over: Partial<typeof facts> = {}): boolean =>
    effectOf(`@id("a") permit (principal, action, resource) when { ${condition} };`, 'sql:select', {
      facts: { ...facts, ...over },
    }) === 'allow';
  const inside = 'context has client_address && context.client_address.isInRange(ip("10.0.0.0/8"))';
  expect(allows(inside)).toBe(true);
  expect(allows(inside, { client: { address: '[::ffff:10.1.2.3]:4000', secure: true } })).toBe(true);
  expect(allows(inside, { client: { address: '192.0.2.1:4000', secure: true } })).toBe(false);
  expect(allows(inside, { client: { address: 'pipe', secure: true } })).toBe(false);
  expect(allows('context.hour == 14 && context.weekday == 5')).toBe(true);
  expect(allows('context.weekday == 7', { now: Date.UTC(2026, 0, 18) })).toBe(true);
  expect(allows('context.now < datetime("2026-01-16T14:30:01Z")')).toBe(true);
  expect(allows('context.time >= 1768573800000')).toBe(true);
  expect(allows('context.secure')).toBe(true);
  expect(allows('context.application == ""')).toBe(true);
  expect(allows('context.run == "r1" && context.intent == "fix"', { run: { run: 'r1', intent: 'fix' } })).toBe(true);
  expect(allows('context.labels_seen.contains("pii")', { labelsSeen: ['pii'] })).toBe(true);
  expect(allows('context.target in Tag::"env=prod"')).toBe(true);
});

test('labels are revealed by permits for them alone, and a family covers its members', () => {
  const reveal = (scope: string, label: string, annotations = ''): boolean =>
    enforce(`@id("a") ${annotations} permit (${scope});`).reveals(user, shop, label, facts);
  expect(reveal('principal, action == Action::"reveal", resource == Label::"pci"', 'pci')).toBe(true);
  expect(reveal('principal, action == Action::"reveal", resource == Label::"pci"', 'pii')).toBe(false);
  expect(reveal('principal, action == Action::"reveal", resource in Label::"pii"', 'pii.email.work')).toBe(true);
  expect(reveal('principal, action == Action::"reveal", resource == Label::"pii"', 'pii.email')).toBe(false);
  expect(reveal('principal, action in Action::"read", resource', 'pci')).toBe(false);
  expect(reveal('principal, action, resource', 'pci')).toBe(true);
  expect(reveal('principal, action, resource', 'pci', '@approval("x")')).toBe(false);
  expect(reveal('principal, action, resource', 'pci', '@limit_rows("5")')).toBe(false);
});

test('a reveal can be bound to a target, and an error reveals nothing', () => {
  const text =
    '@id("a") permit (principal, action == Action::"reveal", resource) when { context.target in Tag::"env=dev" };';
  expect(enforce(text).reveals(user, shop, 'pii', facts)).toBe(false);
  expect(enforce(text).reveals(user, { ...shop, tags: ['env=dev'] }, 'pii', facts)).toBe(true);
  const broken = `${all} @id("b") forbid (principal, action == Action::"reveal", resource) when { context.time * 9223372036854775807 > 0 };`;
  expect(enforce(broken).reveals(user, shop, 'pii', facts)).toBe(false);
});

test('nobody looks at recordings of others by a permit to read', () => {
  const view = ask('gateway:view', { action: gatewayAction('gateway:view', 'shop') });
  expect(enforce(reads).decide(view).effect).toBe('deny');
  expect(
    effectOf(
      '@id("r") permit (principal, action in [Action::"read", Action::"write", Action::"admin", Action::"connect", Action::"execute"], resource);',
      'gateway:view',
      { action: view.action },
    ),
  ).toBe('deny');
  expect(
    enforce('@id("v") permit (principal, action == Action::"gateway:view", resource in Tag::"env=prod");').decide(view)
      .effect,
  ).toBe('allow');
});
