import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { annotationNames } from './annotations.ts';
import { maxDepth } from './entities.ts';
import { gatewayVerbs } from './gateway.ts';
import { mapBounds } from './maps.ts';
import { sessionAttributes } from './session-context.ts';

const guide = readFileSync(new URL('../../../docs/policies.md', import.meta.url), 'utf8');

test('the guide names every annotation, every verb of the gateway and every attribute of the session', () => {
  for (const name of annotationNames) expect(guide).toContain(`| \`@${name}`);
  for (const { verb, resources } of gatewayVerbs) expect(guide).toContain(`| \`${verb}\` | \`${resources.join()}\` |`);
  for (const { name, type } of sessionAttributes) expect(guide).toContain(`| \`${name}\` | \`${type}\` |`);
  for (const { name } of sessionAttributes.filter((each) => each.claim)) {
    expect(guide).toMatch(new RegExp(`\\| \`${name}\` \\|.*\\*\\*claim\\*\\*`));
  }
});

test('the guide says how large a map may be, and how deep a resource may lie', () => {
  for (const bound of Object.values(mapBounds)) expect(guide).toContain(bound.toLocaleString('en'));
  expect(guide).toContain(`${maxDepth} levels deep`);
});
