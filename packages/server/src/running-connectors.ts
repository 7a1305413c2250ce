import { connectors } from '@sluice/connectors/index.ts';
import type { Connector, Log } from '@sluice/core/contract/connector.ts';
import type { PeerLine } from '@sluice/core/contract/control-plane.ts';
import type { Operations } from '@sluice/core/contract/operations.ts';
import type { Peers } from '@sluice/core/contract/peers.ts';
import type { Pins } from '@sluice/core/contract/pins.ts';
import type { DialAside } from '@sluice/core/contract/upstream.ts';
import type { Redacted } from '@sluice/core/domain/redacted.ts';
import { createLabelMap } from '@sluice/core/masking/label-map.ts';
import type { Config } from './config/config.ts';
import { systemClock as clock } from './telemetry/clock.ts';

export interface ConnectorGrounds {
  readonly config: Pick<Config, 'identity' | 'limits' | 'masking' | 'targets'>;
  readonly log: Log;
  /** A connector's own key, by the connector's id and the key's name. */
  keyOf(connector: string, name: string): Redacted;
  readonly pins: Pins;
  readonly operations: Operations;
  readonly dial: DialAside;
  /** Absent where this process is the only one. */
  readonly peers: PeerLine | undefined;
}

/** One of each connector that ships, put into `running` by its id as soon as it is there. */
export function createConnectors(grounds: ConnectorGrounds, running: Map<string, Connector>): void {
  const { config, log, pins, operations, dial } = grounds;
  const labels = createLabelMap(config.masking.labels);
  const listening = new Map<string, (text: string) => void>();
  grounds.peers?.onTold((connector, text) => listening.get(connector)?.(text));
  for (const { id, create } of connectors) {
    const peers = grounds.peers && peersOf(id, grounds.peers, listening);
    running.set(
      id,
      create({
        targets: config.targets.filter((target) => target.connector === id),
        key: (name) => grounds.keyOf(id, name),
        pins,
        operations,
        issuers: config.identity.issuers.map(({ issuer }) => issuer),
        clock,
        labels,
        limits: config.limits,
        log,
        dialAside: dial,
        ...(peers ? { peers } : {}),
      }),
    );
  }
}

function peersOf(id: string, line: PeerLine, listening: Map<string, (text: string) => void>): Peers {
  return {
    tell: (text) => line.tell(id, text),
    onTold: (callback) => void listening.set(id, callback),
  };
}

export async function closeConnectors(running: ReadonlyMap<string, Connector>): Promise<void> {
  await Promise.all([...running.values()].map((connector) => connector.close()));
}
