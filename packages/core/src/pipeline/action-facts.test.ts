import { describe, expect, it } from 'vitest';
import { factsOf } from './action-facts.ts';
import { begin, type Judgement } from './judgement.ts';
import { decided, info, unitOf } from './testing.ts';

const allowed = decided('allow');
const snapshot = { hash: 'h', epoch: 1 } as Judgement['snapshot'];
const facts = { client: info.client, labelsSeen: [], now: 0 };
const [action] = unitOf('SELECT 1').actions.map((each) => Object.freeze(each));
if (action === undefined) throw new Error('no action');
const unit = { ...unitOf('SELECT 1'), actions: [action] };

function judged(more: Partial<Judgement> = {}): Judgement {
  return { ...begin(info, unit, snapshot, facts), decisions: [allowed], ...more };
}

describe('the facts of an action', () => {
  it('are the same object for the same actions allowed by the same decisions', () => {
    expect(factsOf(judged())).toBe(factsOf(judged()));
  });

  it('are the same object for what differs in its words only', () => {
    const other = { ...action, text: 'SELECT 2', model: action };
    expect(factsOf(judged({ unit: { ...unit, actions: [other] } }))).toBe(factsOf(judged()));
  });

  const other = decided('allow', { policies: ['another'] });
  it.each<[string, Partial<Judgement>]>([
    ['another decision', { decisions: [other], policies: ['another'] }],
    ['a refusal', { effect: 'deny', policies: ['sluice:exposure'] }],
    ['other masked labels', { masked: new Set(['pii']), obligations: [{ kind: 'mask', labels: ['pii'] }] }],
    ['another set of policies', { snapshot: { ...snapshot, hash: 'i' } as Judgement['snapshot'] }],
    ['another name', { unit: { ...unit, name: 'Bind' } }],
    ['other labels', { unit: { ...unit, labels: ['pii'] } }],
    ['another claim of the client', { unit: { ...unit, run: { run: 'r' } } }],
    ['one more action', { unit: { ...unit, actions: [action, action] } }],
    [
      'another action of the same model',
      { unit: { ...unit, actions: [{ ...action, verb: 'sql:delete', model: action }] } },
    ],
    [
      'other resources of the same model',
      { unit: { ...unit, actions: [{ ...action, resources: [], model: action }] } },
    ],
  ])('are put together anew for %s', (_, more) => {
    const first = factsOf(judged());
    const judgement = judged(more);
    const second = factsOf(judgement);
    expect(second).not.toBe(first);
    expect(second).toMatchObject({
      name: judgement.unit.name,
      effect: judgement.effect,
      policies: judgement.policies,
      obligations: judgement.obligations,
      labels: judgement.unit.labels,
      policyHash: judgement.snapshot.hash,
    });
    expect(second.run).toEqual(judgement.unit.run);
    expect(second.actions.map(({ verb }) => verb)).toEqual(judgement.unit.actions.map(({ verb }) => verb));
    expect(second.actions.map(({ resources }) => resources.length)).toEqual(
      judgement.unit.actions.map(({ resources }) => resources.length),
    );
  });

  it('are never kept for actions that may still change', () => {
    const loose = judged({ unit: { ...unit, actions: [{ ...action }] } });
    expect(factsOf(loose)).not.toBe(factsOf(loose));
  });
});
