import type { Question } from '@sluice/core/contract/policy.ts';
import { describe, expect, it, vi } from 'vitest';
import { Engine } from './engine.ts';
import { action, ask, customers, enforce, principal, shop } from './fixtures.ts';

const policies = `
@id("reads") permit (principal in Group::"staff", action in Action::"read", resource in Tag::"env=prod");
@id("hours") permit (principal in Group::"night", action in Action::"read", resource) when { context.hour > 20 };
`;

const frozen = Object.freeze(action('sql:select', [customers]));
const staff = principal('user', 'ada', ['staff']);
const question = (more: Partial<Question>): Question => ({
  ...ask('sql:select'),
  principal: staff,
  action: frozen,
  ...more,
});

describe('a question about an action that was met before', () => {
  it('is answered for the principal of the question', () => {
    const snapshot = enforce(policies.split('\n').slice(0, 2).join('\n'));
    expect(snapshot.decide(question({})).effect).toBe('allow');
    expect(snapshot.decide(question({})).effect).toBe('allow');
    expect(snapshot.decide(question({ principal: principal('user', 'ada', []) })).effect).toBe('deny');
  });

  it('is answered for the target of the question', () => {
    const snapshot = enforce(policies.split('\n').slice(0, 2).join('\n'));
    expect(snapshot.decide(question({})).effect).toBe('allow');
    expect(snapshot.decide(question({ target: { ...shop, tags: [] } })).effect).toBe('deny');
    expect(snapshot.decide(question({})).effect).toBe('allow');
  });

  it('is answered by the policies of now', () => {
    expect(enforce(policies).decide(question({})).effect).toBe('allow');
    expect(
      enforce('@id("none") permit (principal, action in Action::"write", resource);').decide(question({})).effect,
    ).toBe('deny');
  });

  it('is decided anew where a policy reads the session', () => {
    const snapshot = enforce(policies);
    const night = principal('user', 'ada', ['night']);
    const at = (hour: number) => ({ ...ask('sql:select').facts, now: Date.UTC(2026, 0, 16, hour) });
    const effects = [9, 22, 9].map((hour) => snapshot.decide(question({ principal: night, facts: at(hour) })).effect);
    expect(effects).toEqual(['deny', 'allow', 'deny']);
  });

  it('is asked of the policies once where they read nothing but what is the very same', () => {
    const snapshot = enforce(`
      @id("inside") permit (principal, action in Action::"read", resource)
      when { context.secure && context.run != "r2" && !context.labels_seen.contains("pci") };`);
    const asked = vi.spyOn(Engine.prototype, 'applying');
    const facts = { ...ask('sql:select').facts, client: { address: '127.0.0.1:1', secure: true } };
    const effectOf = (more: Partial<typeof facts> = {}) =>
      snapshot.decide(question({ facts: { ...facts, ...more } })).effect;
    expect([effectOf(), effectOf({ now: facts.now + 1 })]).toEqual(['allow', 'allow']);
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
    // Each of these is another session, or one that has gone on.
    expect(effectOf({ client: { address: '127.0.0.1:1', secure: false } })).toBe('deny');
    expect(effectOf()).toBe('allow');
    expect(effectOf({ run: { run: 'r2' } })).toBe('deny');
    expect(effectOf()).toBe('allow');
    expect(effectOf({ labelsSeen: ['pci'] })).toBe('deny');
    expect(effectOf()).toBe('allow');
  });

  it('is refused without a time', () => {
    const snapshot = enforce(policies.split('\n').slice(0, 2).join('\n'));
    expect(snapshot.decide(question({})).effect).toBe('allow');
    expect(snapshot.decide(question({ facts: { ...ask('sql:select').facts, now: Number.NaN } })).effect).toBe('deny');
  });
});
