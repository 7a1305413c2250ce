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

  test('every list of targets in docs/configuration.md is one', () => {
    const blocks = [...doc('configuration.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) =>
      parse(text ?? ''),
    );
    const lists = blocks.filter((block) => block.targets !== undefined);
    const shown = new Set<string>();
    for (const { targets } of lists) {
      const identity = { issuers: [{ issuer: 'https://login.example.com', audience: 'sluice' }] };
      const result = buildSchema(connectors).safeParse({ listen: { api: '127.0.0.1:1' }, identity, targets });
      expect(result.error).toBeUndefined();
      for (const { connector } of targets) shown.add(connector);
    }
    expect([...shown].sort()).toEqual(connectors.map(({ id }) => id).sort());
  });

  test('the small file of docs/configuration.md is one', () => {
    const [, small] = /```yaml\n([\s\S]*?)```/.exec(doc('configuration.md')) ?? [];
    expect(buildSchema(connectors).safeParse(parse(small ?? '')).error).toBeUndefined();
  });
});
