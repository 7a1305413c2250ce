/**
 * The composition root: starts a gateway from its configuration and stops it in the opposite order. `control-plane.ts`
 * has what there is once, `data-plane.ts` what serves connections; here they are put together, in one process or with
 * workers. No part names another.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { Config } from './config/config.ts';
import { logLevel, processEnvironment } from './config/environment.ts';
import type { HostPort } from './config/host-port.ts';
import { formatProblem } from './config/problem.ts';
import { startControlPlane } from './control-plane.ts';
import { unwind } from './housekeeping.ts';
import { readPem, serveApi, serveMetrics } from './serve-api.ts';
import { serveHere } from './serve-here.ts';
import { serveWithWorkers } from './serve-with-workers.ts';
import { createLog } from './telemetry/log.ts';
import { version } from './version.ts';

export interface StartOptions {
  readonly config: Config;
  /** Where the log goes instead of standard error. */
  readonly logFile?: string;
}

export interface Gateway {
  readonly addresses: {
    readonly api: HostPort;
    readonly metrics?: HostPort;
    /** By connector id. */
    readonly connectors: Readonly<Record<string, HostPort>>;
  };
  /** Ends every session, seals every recording, and lets go of the data directory. */
  stop(): Promise<void>;
  /** Resolves when the gateway has stopped, for whatever reason. */
  readonly stopped: Promise<void>;
}

/** Rejects with an error for people; whatever was started until then is stopped again. */
export async function startGateway({ config, logFile }: StartOptions): Promise<Gateway> {
  const log = createLog(logLevel(processEnvironment()), logFile);
  const undo: (() => unknown)[] = [];
  let stopping: Promise<void> | undefined;
  let tell: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const stop = (): Promise<void> => {
    stopping ??= unwind(undo).finally(tell);
    return stopping;
  };
  const lost = (error: Error): void => {
    log.error({ err: error }, 'the data directory is no longer ours: stopping');
    stop().catch((failure) => log.error({ err: failure }, 'not everything stopped in good order'));
  };
  try {
    return { ...(await start(config, log, logFile, undo, lost)), stop, stopped };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  config: Config,
  log: Log,
  logFile: string | undefined,
  undo: (() => unknown)[],
  onLost: (error: Error) => void,
): Promise<Pick<Gateway, 'addresses'>> {
  for (const warning of config.warnings) log.warn({}, formatProblem(warning));
  const control = await startControlPlane(config, log, undo, onLost);
  const pem = await readPem(config);
  const serve = config.workers > 1 ? serveWithWorkers : serveHere;
  const apiUrl = { base: '' };
  const listening: Record<string, HostPort> = {};
  const serving = serve({ config, log, logFile, control, pem, apiUrl: () => apiUrl.base }, undo);
  const api = await serveApi({ config, log, control, pem, ...serving, listening: (id) => listening[id] }, undo);
  apiUrl.base = api.base;
  const metrics = await serveMetrics(config.listen.metrics, serving.registry, undo);
  await serving.start();
  for (const [id, address] of Object.entries(config.listen.connectors)) {
    if (serving.connectors.has(id)) listening[id] = await serving.listen(id, address);
  }
  const { journal: audit } = control.recordings;
  const configDigest = createHash('sha256')
    .update(await readFile(config.file))
    .digest('hex');
  audit.record({ name: 'config.loaded', path: config.file, digest: configDigest });
  audit.record({ name: 'gateway.started', version, policyHash: control.policies.current().hash });
  undo.push(() => audit.record({ name: 'gateway.stopped', reason: 'asked to stop' }));
  log.info({ api: api.address, metrics, ...listening }, 'gateway started');
  return { addresses: { api: api.address, connectors: listening, ...(metrics ? { metrics } : {}) } };
}
