import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { apiReference } from './reference.ts';

it('docs/api.md is what the route table says (npm run docs writes it)', () => {
  expect(readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8')).toBe(apiReference());
});
