// What the connectors that ship declare, together: one gateway must be able to offer all of it.
import { connectors } from '@sluice/connectors/index.ts';
import { frontTools } from '@sluice/connectors/mcp/front/tools.ts';
import type { Connector } from '@sluice/core/contract/connector.ts';
import { expect, test } from 'vitest';
import { newKey } from '../crypto/connector-keys.ts';
import { memoryPins } from '../store/memory-pins.ts';
import { systemClock } from '../telemetry/clock.ts';
import { noOperations } from './no-operations.ts';
import { createOperations } from './operations.ts';

test('operations of all connectors fit together, and each can be made a tool', async () => {
  const unused = () => Promise.reject(new Error('not used here'));
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const limits = { preAuthBytes: 65_536, preAuthTime: 1_000, messageBytes: 65_536, statementBytes: 65_536 };
  const running = new Map<string, Connector>();
  for (const { id, create } of connectors) {
    const connector = create({
      targets: [],
      key: newKey,
      pins: memoryPins(),
      operations: noOperations,
      issuers: [],
      clock: systemClock,
      labels: { of: () => [], all: () => [] },
      limits,
      log: quiet,
      dialAside: unused,
    });
    running.set(id, connector);
    expect([id, connector.operate !== undefined]).toEqual([id, (connector.operations ?? []).length > 0]);
  }
  const operations = createOperations({
    clock: systemClock,
    connectors: running,
    targets: new Map(),
    mayConnect: () => false,
    open: unused,
    request: unused,
    sessions: unused,
    credentialIsFor: unused,
  });
  expect(operations.declared.map(({ name }) => name)).toEqual(expect.arrayContaining(['query', 'describe']));
  expect(() => frontTools(operations.declared)).not.toThrow();
  for (const connector of running.values()) await connector.close();
});
