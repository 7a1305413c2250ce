import type { Connector, Log } from '@sluice/core/contract/connector.ts';
import type { MetricsRegistry } from './api/metrics.ts';
import type { Health } from './api/services.ts';
import type { Config } from './config/config.ts';
import type { HostPort } from './config/host-port.ts';
import type { RunningControl } from './control-plane.ts';
import { connectorKeys } from './crypto/connector-keys.ts';
import { createDataPlane } from './data-plane.ts';
import { serverTls } from './network/client-link.ts';
import { listen } from './network/listener.ts';
import type { PolicyFilesStatus } from './policy/policy-files.ts';
import type { OwnPem } from './serve-api.ts';

export interface ServingGrounds {
  readonly config: Config;
  readonly log: Log;
  readonly logFile: string | undefined;
  readonly control: RunningControl;
  readonly pem: OwnPem | undefined;
  /** Base URL of the API; empty until that listens. */
  apiUrl(): string;
}

/** Whatever serves connections. */
export interface Serving {
  /** For what the API needs to know of protocols. */
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly registry: MetricsRegistry;
  /** The policies that all units are judged by. */
  policyStatus(): PolicyFilesStatus;
  serving(): Health;
  /** Resolves when connections can be taken. */
  start(): Promise<void>;
  listen(connector: string, address: HostPort): Promise<HostPort>;
}

/** Connections are served in this process. */
export function serveHere(grounds: ServingGrounds, undo: (() => unknown)[]): Serving {
  const { config, log, control, pem } = grounds;
  const plane = createDataPlane({
    config,
    log,
    control: control.port(),
    keyOf: connectorKeys(config.dataDir),
    alone: true,
    policies: control.policies,
    recorders: control.recordings.recorders,
    digests: control.digests,
    overhead: control.metrics.overhead,
    requestUrl: (id) => `${grounds.apiUrl()}/api/v1/access-requests/${id}`,
  });
  undo.push(() => plane.close());
  undo.push(() => control.live.stop());
  const tls = pem && serverTls(pem.cert, pem.key);
  return {
    connectors: plane.connectors,
    registry: control.metrics.registry,
    policyStatus: () => control.policies.status(),
    serving: () => ({ ready: true, checks: {} }),
    start: async () => {},
    async listen(id, wanted) {
      const listener = await listen(wanted, id, tls, log, (link) => plane.accept(id, link));
      undo.push(async () => {
        await listener.close();
        await control.live.stop();
        listener.destroy();
      });
      return listener.address;
    },
  };
}
