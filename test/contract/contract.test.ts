// Every connector that ships is held to the contract suite; each adapter has a file of its own beside this one, so that
// they run side by side.
import { readdirSync, readFileSync } from 'node:fs';
import { connectors } from '@sluice/connectors/index.ts';
import { expect, test } from 'vitest';
import type { Adapter } from './adapter.ts';
import { http1Adapter } from './http.ts';
import { http2Adapter } from './http2.ts';
import { mcpAdapter } from './mcp.ts';
import { postgresAdapter } from './postgres.ts';
import { sshAdapter } from './ssh.ts';

const adapters: Readonly<Record<string, Adapter>> = {
  http1Adapter,
  http2Adapter,
  mcpAdapter,
  postgresAdapter,
  sshAdapter,
};

test('every connector that ships has an adapter for the suite, and only those', () => {
  const held = new Set(Object.values(adapters).map(({ connector }) => connector));
  expect([...held].sort()).toEqual(connectors.map(({ id }) => id).sort());
});

test('every adapter is put to the suite', () => {
  const folder = new URL('.', import.meta.url);
  const run = readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => /^contractSuite\((\w+)\);$/m.exec(readFileSync(new URL(name, folder), 'utf8'))?.[1] ?? []);
  expect(run.sort()).toEqual(Object.keys(adapters).sort());
});
