import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { annotationNames } from './annotations.ts';
import { formatPolicyError } from './error.ts';
import { declarations } from './fixtures.ts';
import { gatewayVerbs } from './gateway.ts';
import { loadPolicies } from './load.ts';
import { sessionAttributes } from './session-context.ts';

const guide = readFileSync(new URL('../../../docs/policies.md', import.meta.url), 'utf8');

/** The lines of every Cedar block, each file keeping its place in the guide. */
function blocks(): { path: string; text: string }[] {
  return [...guide.matchAll(/```cedar\n([\s\S]*?)```/g)].map((match) => {
    const line = guide.slice(0, match.index).split('\n').length;
    return { path: `docs/policies.md (block at line ${line})`, text: match[1] ?? '' };
  });
}

test('every policy shown in the guide is valid, and together they make a set', () => {
  expect(blocks().length).toBeGreaterThan(4);
  const loaded = loadPolicies(blocks(), [declarations]);
  expect(loaded.ok ? [] : loaded.errors.map(formatPolicyError)).toEqual([]);
});

test('the guide names every annotation, every verb of the gateway and every attribute of the session', () => {
  for (const name of annotationNames) expect(guide).toContain(`| \`@${name}`);
  for (const { verb, resources } of gatewayVerbs) expect(guide).toContain(`| \`${verb}\` | \`${resources.join()}\` |`);
  for (const { name, type } of sessionAttributes) expect(guide).toContain(`| \`${name}\` | \`${type}\` |`);
  for (const { name } of sessionAttributes.filter((each) => each.claim)) {
    expect(guide).toMatch(new RegExp(`\\| \`${name}\` \\|.*\\*\\*claim\\*\\*`));
  }
});
