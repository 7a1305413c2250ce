import { connectors } from '@sluice/connectors/index.ts';
import type { KnownConnector } from './config/schema-targets.ts';

/** What the configuration must know of the connectors that ship. */
export const knownConnectors: readonly KnownConnector[] = connectors.map(({ id, targets }) => ({ id, targets }));
