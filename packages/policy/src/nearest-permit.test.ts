import { describe, expect, it } from 'vitest';
import { ask, enforce } from './fixtures.ts';

const policies = `
@id("reads") permit (principal in Group::"react-agents", action in Action::"read", resource in Schema::"shop/audit");
@id("small") permit (principal in Group::"react-agents", action == Action::"sql:select", resource)
  when { context.rows_limit > 0 && context.client_address.isInRange(ip("10.9.8.0/24")) };
@id("of-others") permit (principal in Group::"finance", action in Action::"read", resource);
@id("trial") @status("dry_run") permit (principal, action in Action::"read", resource in Schema::"shop/trial");
`.replace('context.client_address.isInRange', 'context has client_address && context.client_address.isInRange');

describe('a refusal for want of a permit', () => {
  it('says which permit is nearest, and for what', () => {
    const hint = enforce(policies).nearest(ask('sql:select'));
    expect(hint).toContain('policy "reads" permits it for resource in Schema::"shop/audit"');
  });

  it('does not tell a condition, nor what others may, nor what is only tried', () => {
    const hint = enforce(policies).nearest(ask('sql:select'));
    expect(hint).toContain('policy "small" permits it under a condition that does not hold here');
    expect(hint).not.toMatch(/10\.9\.8|of-others|trial/);
  });

  it('names no place at another target', () => {
    const elsewhere = enforce(`
      @id("other") permit (principal, action in Action::"read", resource in Schema::"warehouse/public");
      @id("tagged") permit (principal, action in Action::"read", resource in Tag::"env=nowhere");
    `);
    const hint = elsewhere.nearest(ask('sql:select'));
    expect(hint).toContain('"tagged"');
    expect(hint).not.toContain('warehouse');
  });

  it('says nothing where nothing is near', () => {
    expect(enforce(policies).nearest(ask('sql:update'))).toBeUndefined();
  });

  it('is explained a bounded number of times a second', () => {
    const set = enforce(policies);
    const hints = Array.from({ length: 100 }, () => set.nearest(ask('sql:select')));
    expect(hints.filter((hint) => hint !== undefined).length).toBe(20);
  });
});

describe('a forbid', () => {
  it('says what to do instead, in the words of its @hint', () => {
    const set = enforce(`
      @id("all") permit (principal, action, resource);
      @id("never") @hint("Read the view audit_summary.") forbid (principal, action == Action::"sql:select", resource);
    `);
    expect(set.decide(ask('sql:select'))).toMatchObject({ effect: 'deny', hint: 'Read the view audit_summary.' });
  });

  it('has the only use for a hint', () => {
    expect(() => enforce('@id("a") @hint("x") permit (principal, action, resource);')).toThrow(/belongs on a forbid/);
  });
});
