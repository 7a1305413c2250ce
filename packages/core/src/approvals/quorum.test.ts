import { describe, expect, it } from 'vitest';
import type { Consent } from '../domain/decision.ts';
import { consentsMet, type Vote } from './quorum.ts';

const asks = (...pairs: [string, number][]): Consent[] =>
  pairs.map(([group, quorum], index) => ({ policy: `p${index}`, group, quorum }));
const by = (person: string, ...groups: string[]): Vote => ({ person, groups });

describe('consents', () => {
  it.each<[string, Consent[], Vote[], boolean]>([
    ['nothing asked is never met', [], [by('ann', 'dba')], false],
    ['one of the group', asks(['dba', 1]), [by('ann', 'dba')], true],
    ['one of another group', asks(['dba', 1]), [by('ann', 'ops')], false],
    ['two asked, one came', asks(['dba', 2]), [by('ann', 'dba')], false],
    ['two asked, two came', asks(['dba', 2]), [by('ann', 'dba'), by('bob', 'dba')], true],
    ['one person twice is one', asks(['dba', 2]), [by('ann', 'dba'), by('ann', 'dba')], false],
    ['one person in two groups is one', asks(['dba', 1], ['sec', 1]), [by('ann', 'dba', 'sec')], false],
    ['two groups, two people', asks(['dba', 1], ['sec', 1]), [by('ann', 'dba', 'sec'), by('bob', 'dba')], true],
    [
      'order of answers does not matter',
      asks(['dba', 1], ['sec', 1]),
      [by('bob', 'dba'), by('ann', 'dba', 'sec')],
      true,
    ],
    [
      'two policies asking one group share its people',
      asks(['dba', 1], ['dba', 2]),
      [by('a', 'dba'), by('b', 'dba')],
      true,
    ],
    ['the higher quorum of a group counts', asks(['dba', 2], ['dba', 1]), [by('a', 'dba')], false],
    [
      'moves people along a chain to make room',
      asks(['a', 1], ['b', 1], ['c', 1]),
      [by('x', 'a', 'b'), by('y', 'a', 'c'), by('z', 'a')],
      true,
    ],
    [
      'three groups over two people',
      asks(['a', 1], ['b', 1], ['c', 1]),
      [by('x', 'a', 'b', 'c'), by('y', 'a', 'b', 'c')],
      false,
    ],
    ['a quorum below one asks for one', asks(['dba', 0]), [], false],
    ['a quorum that is no number is never met', asks(['dba', Number.NaN]), [by('ann', 'dba')], false],
    ['a broken quorum is rounded up', asks(['dba', 1.5]), [by('ann', 'dba')], false],
  ])('%s', (_name, consents, votes, met) => {
    expect(consentsMet(consents, votes)).toBe(met);
  });
});
