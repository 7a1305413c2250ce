import { loadConfig } from '@sluice/server/config/load.ts';
import { knownConnectors } from '@sluice/server/gateway-connectors.ts';
import { startGateway } from '@sluice/server/main.ts';
import { checkPolicies } from '@sluice/server/policy-desk.ts';
import type { Layout } from './layout.ts';

export interface StartedGateway {
  readonly postgres: { readonly host: string; readonly port: number };
  /** Base URL. */
  readonly api: string;
  /** What is wrong with the policies, a line each; while there is something, everything is denied. */
  readonly policyProblems: readonly string[];
  stop(): Promise<void>;
}

/** Starts the gateway that `sluice start` starts, on the configuration that lies in the data directory. */
export async function startGatewayOn(at: Layout): Promise<StartedGateway> {
  const config = loadConfig(at.config, { connectors: knownConnectors });
  const { problems } = await checkPolicies(config);
  const gateway = await startGateway({ config, logFile: at.log });
  const postgres = gateway.addresses.connectors['postgres'];
  if (!postgres) {
    await gateway.stop();
    throw new Error('The gateway did not open its PostgreSQL listener.');
  }
  const { api } = gateway.addresses;
  return {
    postgres,
    api: `http://${api.host}:${api.port}`,
    policyProblems: problems.map(({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`),
    stop: () => gateway.stop(),
  };
}
