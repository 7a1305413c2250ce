import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { knownConnectors as connectors } from '../gateway-connectors.ts';
import { renderEditorSchema, withKeys } from './reference-page.ts';
import { buildSchema } from './schema.ts';

const doc = (name: string): string => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');

describe('the documents about the configuration', () => {
  test('docs/configuration.md has every key (npm run docs brings it up to date)', () => {
    const page = doc('configuration.md');
    expect(page).toBe(withKeys(page, connectors));
  });

  test('docs/sluice.schema.json is what the gateway checks (npm run docs brings it up to date)', () => {
    expect(doc('sluice.schema.json')).toBe(renderEditorSchema(connectors));
  });

  test('the small file of docs/configuration.md is one', () => {
    const [, small] = /```yaml\n([\s\S]*?)```/.exec(doc('configuration.md')) ?? [];
    expect(buildSchema(connectors).safeParse(parse(small ?? '')).error).toBeUndefined();
  });
});
