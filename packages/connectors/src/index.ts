/**
 * The connectors that ship, and what the configuration must know of each. Adding a protocol is one folder beside this
 * file and one line in this list; nothing else names a connector. It is a list and no more: what two connectors have in
 * common is in `wire` and `sql`.
 */
import type { ConnectorFactory } from '@sluice/core/contract/connector.ts';
import type { Declarations } from '@sluice/core/contract/declarations.ts';
import type { TargetForm } from '@sluice/core/contract/upstream.ts';
import { createHttpConnector } from './http/connector.ts';
import { httpTargets } from './http/target-form.ts';
import { httpDeclarations } from './http/verbs.ts';
import { createMcpConnector } from './mcp/connector.ts';
import { mcpTargets } from './mcp/target-form.ts';
import { mcpDeclarations } from './mcp/verbs.ts';
import { createPostgresConnector } from './postgres/connector.ts';
import { postgresTargets } from './postgres/target-form.ts';
import { sqlDeclarations } from './sql/verbs.ts';
import { createSshConnector } from './ssh/connector.ts';
import { sshTargets } from './ssh/target-form.ts';
import { sshDeclarations } from './ssh/verbs.ts';

export interface ShippedConnector {
  readonly id: string;
  readonly create: ConnectorFactory;
  readonly declares: Declarations;
  /** What the configuration may say about its targets. */
  readonly targets: TargetForm;
}

export const connectors: readonly ShippedConnector[] = [
  { id: 'http', create: createHttpConnector, declares: httpDeclarations, targets: httpTargets },
  { id: 'mcp', create: createMcpConnector, declares: mcpDeclarations, targets: mcpTargets },
  { id: 'postgres', create: createPostgresConnector, declares: sqlDeclarations, targets: postgresTargets },
  { id: 'ssh', create: createSshConnector, declares: sshDeclarations, targets: sshTargets },
];
