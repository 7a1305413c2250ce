/**
 * A connector with everything behind it (policy, pipeline, masking, recording on disk) and nothing in front of it: the
 * bytes of client and target are handed over in memory, so that what a unit costs can be counted without sockets, timers
 * or another process taking part. It knows no protocol; what a session says first is each protocol's own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Admission, ConnectorFactory, Log } from '@sluice/core/contract/connector.ts';
import type { UpstreamAccess } from '@sluice/core/contract/upstream.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { createLabelMap } from '@sluice/core/masking/label-map.ts';
import { createCellMasker } from '@sluice/core/masking/masker.ts';
import { isMasked } from '@sluice/core/masking/sentinel.ts';
import { createTextMaskers } from '@sluice/core/masking/text-maskers.ts';
import { openSession } from '@sluice/core/pipeline/open.ts';
import type { PipelinePorts } from '@sluice/core/pipeline/ports.ts';
import { loadPolicies } from '@sluice/policy/load.ts';
import { EnforcedPolicies } from '@sluice/policy/snapshot.ts';
import { platformDigests } from '@sluice/server/crypto/digests.ts';
import { randomIds } from '@sluice/server/crypto/ids.ts';
import { noOperations } from '@sluice/server/operations/no-operations.ts';
import type { Disk } from '@sluice/server/recording/disk.ts';
import { memoryPins } from '@sluice/server/store/memory-pins.ts';
import { systemClock as clock } from '@sluice/server/telemetry/clock.ts';
import { openTestRecordings } from '../harness/recordings.ts';
import { MemoryLink } from './memory-link.ts';

export interface ConnectorRigOptions {
  readonly connector: ConnectorFactory;
  /** The one target. */
  readonly target: string;
  /** How it is reached, but for the socket, which is one in memory. */
  readonly access: Omit<UpstreamAccess, 'socket'>;
  readonly dialAside: () => Promise<UpstreamAccess>;
  readonly policies: string;
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** Where recordings go instead of the disk itself. */
  readonly disk?: Disk | undefined;
}

export interface ConnectorRig {
  accept(client: MemoryLink): Promise<void>;
  /** Connections to the target, in the order in which they were dialled. */
  readonly upstreams: readonly MemoryLink[];
  stop(): Promise<void>;
}

const principal: Principal = {
  kind: 'agent',
  id: 'https://idp.test#agent',
  issuer: 'https://idp.test',
  subject: 'agent',
  displayName: 'agent',
  groups: ['agents'],
  chain: [],
  expiresAt: Number.MAX_SAFE_INTEGER,
};

export async function createConnectorRig(options: ConnectorRigOptions): Promise<ConnectorRig> {
  const { access, dialAside } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-rig-'));
  const { recordings } = await openTestRecordings(dataDir, {}, options.disk ? { disk: options.disk } : {});
  const digests = platformDigests(new Uint8Array(32));
  const quiet = (): void => {};
  const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const upstreams: MemoryLink[] = [];
  const connector = options.connector({
    targets: [{ name: options.target, settings: access.settings }],
    key: () => new Redacted(''),
    pins: memoryPins(),
    operations: noOperations,
    issuers: [],
    clock,
    labels: createLabelMap(options.labels),
    limits: { preAuthBytes: 65_536, preAuthTime: 60_000, messageBytes: 16_777_216, statementBytes: 262_144 },
    log,
    dialAside,
  });
  const loaded = loadPolicies([{ path: 'rig.cedar', text: options.policies }], [connector.declares]);
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message: text }) => text).join('\n'));
  const policies = new EnforcedPolicies(loaded.set, 1);
  const target = { name: options.target, connector: connector.id, tags: ['env=test'] };
  const ports: PipelinePorts = {
    clock,
    ids: randomIds,
    digests,
    policy: { current: () => policies, onChange: () => () => {} },
    requests: {
      open: () => Promise.reject(new Error('nothing is held in the rig')),
      settled: () => Promise.reject(new Error('nothing is held in the rig')),
      use: () => Promise.resolve(false),
      cancel: () => Promise.resolve(),
    },
    recorders: recordings.recorders,
    target: () => target,
    dial: async () => {
      const socket = new MemoryLink();
      upstreams.push(socket);
      return { ...access, socket };
    },
    masker: (session) => createCellMasker({ strategies: new Map(), digests, scope: session.id }),
    texts: (session, hidden) =>
      createTextMaskers(createCellMasker({ strategies: new Map(), digests, scope: session.id }), hidden, () => false),
    isMasked,
    discharges: () => connector.discharges,
    sessions: { opened: () => {}, ended: () => {} },
    requestUrl: (id) => id,
    approvals: { park: 1_000 },
    overhead: { micros: () => performance.now() * 1_000, spent: () => {} },
  };
  const admission: Admission = {
    identity: {
      bearer: () => Promise.resolve(principal),
      scramVerifier: () => Promise.reject(new Error('tokens only')),
      proves: () => Promise.resolve(false),
      redeem: () => Promise.reject(new Error('tokens only')),
      isCredentialId: () => false,
    },
    open: (opening) => openSession(ports, opening, { address: '127.0.0.1:1', secure: false }),
    refused: () => {},
  };
  return {
    accept: (client) => connector.accept(client, admission),
    upstreams,
    stop: async () => {
      await connector.close();
      await recordings.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Lets everything else go on until it holds; rejects after half a minute. */
export async function until(holds: () => boolean): Promise<void> {
  const patience = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > patience) throw new Error('the session does not get on');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
