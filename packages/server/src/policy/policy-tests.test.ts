import type { Action } from '@sluice/core/domain/action.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { action, agent, customers, enforce, shop } from '@sluice/policy/fixtures.ts';
import { runPolicyTests } from '@sluice/policy/policy-tests.ts';
import { expect, test } from 'vitest';
import { type DryRunPorts, dryRun } from './dry-run.ts';
import { policyTestDocument, policyTestEvaluator } from './policy-tests.ts';

const policies = enforce(`
  @id("reads") permit (principal in Group::"react-agents", action in Action::"read", resource in Schema::"shop/public");
  @id("connects") permit (principal, action in Action::"connect", resource);
  @id("writes") @approval("dba") permit (principal, action in Action::"write", resource);
  @id("few") @limit_rows("10") permit (principal in Group::"trainees", action in Action::"read", resource);
`);

/** A language of two words: a verb's last part and the label it touches. */
function unitOf(text: string): Unit {
  const [word = '', label] = text.split(' ');
  const verbs: Readonly<Record<string, Action>> = {
    read: action('sql:select'),
    write: action('sql:update', [customers]),
  };
  const meant = verbs[word];
  if (!meant) throw new CoreError('client_protocol', 'client', `"${word}" has no meaning here.`);
  const exposures = text.includes('!') && label ? [{ labels: [label], reason: 'It compares masked data' }] : [];
  const labels = label ? [label] : [];
  return { name: 'Query', bytes: [], actions: [meant], labels, exposures, parameters: [], binding: {} };
}

const ports: DryRunPorts = {
  clock: { now: () => Date.UTC(2026, 0, 16) },
  policies: { current: () => policies },
  order: { isMasked: () => false, discharges: () => ['mask'] },
  target: (name) => (name === 'shop' ? shop : undefined),
  interpret: async (_, text) => unitOf(text),
};

const client = { address: '127.0.0.1:1', secure: true };

test('a dry run says what would be decided, by which policies, and what would come back masked', async () => {
  const answer = await dryRun(ports, { principal: agent, target: 'shop', statement: 'read pii', client });
  expect(answer).toMatchObject({
    decision: { effect: 'allow', policies: ['reads'], policyHash: policies.hash },
    actions: [{ verb: 'sql:select', access: 'read', resources: ['Table::"shop/public/customers"'] }],
    labels: ['pii'],
    masked: ['pii'],
  });
  expect(answer.actions[0]?.explanation.resources[0]?.applied).toMatchObject([{ policy: 'reads', determining: true }]);
});

test('a dry run refuses what the steps after policy would refuse', async () => {
  const exposed = await dryRun(ports, { principal: agent, target: 'shop', statement: 'read pii !', client });
  expect(exposed.decision).toMatchObject({ effect: 'deny', policies: ['sluice:exposure'] });
  const trainee = { ...agent, groups: ['trainees'] };
  const limited = await dryRun(ports, { principal: trainee, target: 'shop', statement: 'read', client });
  expect(limited.decision).toMatchObject({ effect: 'deny', policies: ['sluice:obligation'] });
});

test('a dry run of what has no meaning, or on no target, rejects with words for people', async () => {
  const question = { principal: agent, target: 'shop', statement: 'drop', client };
  await expect(dryRun(ports, question)).rejects.toThrow('has no meaning here');
  await expect(dryRun(ports, { ...question, target: 'shap' })).rejects.toThrow('no target "shap"');
});

const tests = `
# what agents may do
- name: agents read customers
  principal: { kind: agent, id: robin, groups: [react-agents] }
  target: shop
  statement: read
  expect: allow
  policies: [reads]
- name: and connect
  principal: &robin
    kind: agent
    id: robin
  target: shop
  action: connect
  expect: allow

- name: writes wait
  principal: *robin
  target: shop
  statement: write
  expect: allow
- name: nonsense
  principal: *robin
  target: shop
  statement: drop
  expect: deny
- name: misspelt
  principal: *robin
  target: shop
  statement: read
  session:
    secure: yes
  expect: deny
`;

test('tests in YAML are decided as the gateway would, and failures carry their lines', async () => {
  const report = await runPolicyTests(policyTestDocument('tests.yaml', tests), policyTestEvaluator(ports));
  expect(report).toMatchObject({ passed: 2, failed: 3 });
  expect(report.results.flatMap((result) => (result.passed ? [] : [result.failure]))).toEqual([
    'tests.yaml:17: writes wait: expected allow, got hold by writes: Policy "writes" asks for the consent of the group "dba".',
    'tests.yaml:22: nonsense: could not be decided: "drop" has no meaning here.',
    'tests.yaml:32: secure must be true or false',
  ]);
});

test('what is no YAML is refused with its place', () => {
  expect(() => policyTestDocument('tests.yaml', '- a\n- [b\n')).toThrow(/^tests\.yaml:3:1: /);
  expect(() => policyTestDocument('tests.yaml', 'a: 1\na: 2\n')).toThrow(/^tests\.yaml:2:1: /);
});

test('aliases that multiply without end are refused', () => {
  const bomb = Array.from(
    { length: 12 },
    (_, index) =>
      `- &a${index} [${
        index === 0
          ? 'x'
          : Array(10)
              .fill(`*a${index - 1}`)
              .join(', ')
      }]`,
  );
  expect(() => policyTestDocument('tests.yaml', bomb.join('\n'))).toThrow();
});
