import { loadConfig } from '@sluice/server/config/load.ts';
import { knownConnectors } from '@sluice/server/gateway-connectors.ts';
import { startGateway } from '@sluice/server/main.ts';
import { checkPolicies } from '@sluice/server/policy-desk.ts';
import type { Layout } from './layout.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the gateway's listeners are, by protocol. */
export interface Listeners {
  readonly postgres: Address;
  readonly ssh: Address;
  readonly http: Address;
  readonly mcp: Address;
}

export interface StartedGateway {
  readonly listeners: Listeners;
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
  const { api, connectors } = gateway.addresses;
  const { postgres, ssh, http, mcp } = connectors;
  if (!postgres || !ssh || !http || !mcp) {
    await gateway.stop();
    throw new Error('The gateway did not open all its listeners.');
  }
  return {
    listeners: { postgres, ssh, http, mcp },
    api: `http://${api.host}:${api.port}`,
    policyProblems: problems.map(({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`),
    stop: () => gateway.stop(),
  };
}
