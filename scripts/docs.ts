/**
 * Brings the generated documents up to date (`npm run docs`). Each is the value of a function beside what it describes,
 * and a test there compares the two; nothing is decided here.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { apiReference } from '@sluice/api/reference.ts';
import { cliReference } from '@sluice/cli/reference.ts';
import { connectors } from '@sluice/connectors/index.ts';
import { policyReference } from '@sluice/policy/reference.ts';
import { renderEditorSchema, withKeys } from '@sluice/server/config/reference-page.ts';

const docs = new URL('../docs/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, docs), 'utf8');
const pages: Readonly<Record<string, () => string>> = {
  'api.md': apiReference,
  'cli.md': cliReference,
  'configuration.md': () => withKeys(read('configuration.md'), connectors),
  'policy-reference.md': () => policyReference(connectors.map(({ declares }) => declares)),
  'sluice.schema.json': () => renderEditorSchema(connectors),
};

for (const [name, render] of Object.entries(pages)) writeFileSync(new URL(name, docs), render());
