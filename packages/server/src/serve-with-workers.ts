import type { Connector } from '@sluice/core/contract/connector.ts';
import { AggregatorRegistry } from 'prom-client';
import type { Config } from './config/config.ts';
import { processEnvironment } from './config/environment.ts';
import { createSecrets } from './config/secrets.ts';
import { createUpstreamCredentials } from './credentials/upstream-credentials.ts';
import { connectorKeys } from './crypto/connector-keys.ts';
import { fingerprintsOf } from './crypto/keys.ts';
import type { DataPlaneConfig } from './data-plane.ts';
import { listenForOthers } from './network/listener.ts';
import { noOperations } from './operations/no-operations.ts';
import { closeConnectors, createConnectors } from './running-connectors.ts';
import type { Serving, ServingGrounds } from './serve-here.ts';
import { targetDial } from './target-dial.ts';
import { systemClock as clock } from './telemetry/clock.ts';
import { WorkerMarks } from './worker-marks.ts';
import { WorkerPool } from './workers/worker-pool.ts';
import { startWorkerProcess } from './workers/worker-process.ts';

/** Connections are accepted in this process, and served in workers. */
export function serveWithWorkers(grounds: ServingGrounds, undo: (() => unknown)[]): Serving {
  const { config, log, logFile, control, pem } = grounds;
  const connectors = connectorsForApi(grounds);
  undo.push(() => closeConnectors(connectors));
  undo.push(() => control.live.stop());
  const pool = new WorkerPool({
    count: config.workers,
    clock,
    log,
    audit: control.recordings.journal,
    metrics: control.metrics,
    marks: new WorkerMarks(config.dataDir),
    fork: startWorkerProcess,
    port: () => control.port(),
    startOf: (number) => ({
      number,
      config: configOf(config),
      pem,
      apiUrl: grounds.apiUrl(),
      logFile,
      keys: fingerprintsOf(control.keys),
    }),
  });
  undo.push(() => pool.stop());
  let inForce = control.policies.status();
  return {
    connectors,
    registry: {
      contentType: control.metrics.registry.contentType,
      metrics: async () => {
        const own = await control.metrics.registry.getMetricsAsJSON();
        // One that can't tell is not up, which is told as well.
        const told = await Promise.all(pool.up.map((worker) => worker.metrics().catch(() => [])));
        return AggregatorRegistry.aggregate([own, ...told] as unknown as object[]).metrics();
      },
    },
    policyStatus() {
      const accepted = control.policies.status();
      if (accepted.epoch === inForce.epoch || (pool.epoch ?? accepted.epoch) >= accepted.epoch) inForce = accepted;
      return inForce;
    },
    serving: () => {
      const up = pool.up.length;
      return { ready: up > 0, checks: { workers: up === config.workers } };
    },
    start: () => pool.start(),
    async listen(id, wanted) {
      const byAddress = connectors.get(id)?.keepsClients === true;
      const { address, close } = await listenForOthers(wanted, id, (socket) => pool.hand(id, socket, byAddress));
      undo.push(close);
      return address;
    },
  };
}

/** The API asks them what a text means and how clients get in; nobody connects to them. */
function connectorsForApi({ config, log, control }: ServingGrounds): ReadonlyMap<string, Connector> {
  const running = new Map<string, Connector>();
  const targets = new Map(config.targets.map((target) => [target.name, target]));
  const upstream = createUpstreamCredentials(config.targets, createSecrets(processEnvironment()));
  const dial = targetDial(targets, upstream);
  const { pins } = control;
  // Made here, where they are not there yet: before any worker reads them.
  const keyOf = connectorKeys(config.dataDir);
  const peers = control.peers.join();
  createConnectors({ config, log, keyOf, pins, operations: noOperations, dial, peers }, running);
  return running;
}

/** What is secret in the rest, and of no use to a worker, stays here. */
function configOf(config: Config): DataPlaneConfig & Pick<Config, 'recording'> {
  const { approvals, dataDir, identity, limits, masking, recording, targets } = config;
  return { approvals, dataDir, identity, limits, masking, recording, targets };
}
