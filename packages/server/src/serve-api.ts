import { readFile } from 'node:fs/promises';
import type { Connector, Log } from '@sluice/core/contract/connector.ts';
import { isMasked } from '@sluice/core/masking/sentinel.ts';
import type { FastifyInstance } from 'fastify';
import { createApi } from './api/app.ts';
import { createMetrics, type MetricsRegistry } from './api/metrics.ts';
import type { Health } from './api/services.ts';
import { apiServices } from './api-services.ts';
import type { Config } from './config/config.ts';
import { formatHostPort, type HostPort, isLoopbackHost } from './config/host-port.ts';
import type { RunningControl } from './control-plane.ts';
import { listenError } from './network/listener.ts';
import type { PolicyFilesStatus } from './policy/policy-files.ts';
import { systemClock as clock } from './telemetry/clock.ts';
import { version } from './version.ts';

/** The gateway's own certificate and key, in PEM. */
export interface OwnPem {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export async function readPem({ tls }: Pick<Config, 'tls'>): Promise<OwnPem | undefined> {
  return tls && { cert: await readFile(tls.cert), key: await readFile(tls.key) };
}

export interface ApiGrounds {
  readonly config: Config;
  readonly log: Log;
  readonly control: RunningControl;
  readonly pem: OwnPem | undefined;
  readonly connectors: ReadonlyMap<string, Connector>;
  /** What is in force wherever units are judged. */
  policyStatus(): PolicyFilesStatus;
  /** How what serves connections is. */
  serving(): Health;
  listening(connector: string): HostPort | undefined;
}

/** Resolves with where the API is, and its base URL. */
export async function serveApi(
  { config, log, control, pem, ...rest }: ApiGrounds,
  undo: (() => unknown)[],
): Promise<{ readonly address: HostPort; readonly base: string }> {
  const { identity, policies, credentials, requests, index, live, recordings, keys, store } = control;
  const services = apiServices({
    ...rest,
    identity,
    clock,
    log,
    audit: recordings.journal,
    targets: new Map(config.targets.map((target) => [target.name, target])),
    policies,
    credentials,
    requests,
    index,
    live,
    library: recordings.library,
    publicKeys: keys.publicKeys,
    isMasked,
    ping: () => store.ping(),
  });
  const app = await createApi(services, { version, tls: isLoopbackHost(config.listen.api.host) ? undefined : pem });
  undo.push(() => app.close());
  const address = await listenHttp(app, config.listen.api, 'api');
  const scheme = pem && !isLoopbackHost(address.host) ? 'https' : 'http';
  return { address, base: `${scheme}://${formatHostPort(address)}` };
}

/** Undefined where none is configured. */
export async function serveMetrics(
  wanted: HostPort | undefined,
  registry: MetricsRegistry,
  undo: (() => unknown)[],
): Promise<HostPort | undefined> {
  if (!wanted) return undefined;
  const app = await createMetrics(registry);
  undo.push(() => app.close());
  return listenHttp(app, wanted, 'metrics');
}

async function listenHttp(app: FastifyInstance, { host, port }: HostPort, name: string): Promise<HostPort> {
  await app.listen({ host, port }).catch((error: Error) => {
    throw listenError(error, host, port, name);
  });
  const address = app.server.address();
  return { host, port: typeof address === 'object' && address ? address.port : port };
}
