// Every connector that ships is held to the contract suite.
import { connectors } from '@sluice/connectors/index.ts';
import { expect, test } from 'vitest';
import type { Adapter } from './adapter.ts';
import { http1Adapter } from './http.ts';
import { http2Adapter } from './http2.ts';
import { mcpAdapter } from './mcp.ts';
import { postgresAdapter } from './postgres.ts';
import { sshAdapter } from './ssh.ts';
import { contractSuite } from './suite.ts';

const adapters: readonly Adapter[] = [http1Adapter, http2Adapter, mcpAdapter, postgresAdapter, sshAdapter];

test('every connector that ships has an adapter for the suite, and only those', () => {
  const held = new Set(adapters.map(({ connector }) => connector));
  expect([...held].sort()).toEqual(connectors.map(({ id }) => id).sort());
});

for (const adapter of adapters) contractSuite(adapter);
