/**
 * What there is once in a gateway, however many processes serve its connections: the data directory's lock, keys, the
 * store, the journal, policies as accepted, access requests, who somebody is, revocations, and which sessions are live.
 * It serves no client of a target and judges no unit; what does that reaches it through the port of `control-port.ts`.
 */
import { mkdir } from 'node:fs/promises';
import { connectors } from '@sluice/connectors/index.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { Digests } from '@sluice/core/contract/crypto.ts';
import type { Pins } from '@sluice/core/contract/pins.ts';
import { formatPolicyError } from '@sluice/policy/error.ts';
import { createAccessRequests } from './approvals/access-requests.ts';
import type { AccessRequestService } from './approvals/service.ts';
import type { Config } from './config/config.ts';
import { type ControlParts, type ControlPort, createControlPort } from './control-port.ts';
import { type AccessCredentials, createAccessCredentials } from './credentials/access-credentials.ts';
import { budgetedDeflater, inflater } from './crypto/deflate.ts';
import { platformDigests, startSha256 } from './crypto/digests.ts';
import { randomIds } from './crypto/ids.ts';
import { type Keys, maskingKeyBytes, openKeys } from './crypto/keys.ts';
import { gatewayId } from './gateway-id.ts';
import { holdDefaultsOf } from './hold-defaults.ts';
import { every, hour } from './housekeeping.ts';
import { createIdentity, type DisabledBehind, type RunningIdentity } from './identity/identity.ts';
import { LatelyProven } from './identity/lately-proven.ts';
import { LookedAhead } from './identity/looked-ahead.ts';
import { RevocationNews } from './identity/revocation-news.ts';
import { PeerHub } from './peer-hub.ts';
import { openPolicyFiles, type PolicyFiles } from './policy/policy-files.ts';
import { deflateBudget } from './recording/recorders.ts';
import { openRecordings, type Recordings } from './recording/recordings.ts';
import { LiveSessions } from './sessions/live-sessions.ts';
import { Revocations } from './sessions/revocations.ts';
import type { AccessCredentialRow } from './store/access-credential-rows.ts';
import { accessCredentialRows } from './store/access-credentials.ts';
import { accessRequestRows } from './store/access-requests.ts';
import { lockDirectory } from './store/directory-lock.ts';
import { pinRows } from './store/pins.ts';
import { principalRows } from './store/principals.ts';
import type { SessionIndex } from './store/session-index.ts';
import { sessionIndex } from './store/sessions.ts';
import { openStore } from './store/store.ts';
import type { Store } from './store/store-port.ts';
import { systemClock as clock } from './telemetry/clock.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { WorkerMarks } from './worker-marks.ts';

export interface RunningControl {
  readonly keys: Keys;
  readonly digests: Digests;
  readonly recordings: Recordings;
  readonly store: Store;
  readonly policies: PolicyFiles;
  readonly pins: Pins;
  readonly credentials: AccessCredentials;
  readonly requests: AccessRequestService;
  readonly identity: RunningIdentity;
  readonly index: SessionIndex;
  readonly live: LiveSessions;
  readonly metrics: Metrics;
  readonly peers: PeerHub;
  /** A port for one data plane. */
  port(): ControlPort;
}

/** What is to be undone is added to `undo`, the last first. Rejects with an error for people. */
export async function startControlPlane(
  config: Config,
  log: Log,
  undo: (() => unknown)[],
  onLost: (error: Error) => void,
): Promise<RunningControl> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  undo.push(await lockDirectory(config.dataDir, { onLost }));
  await new WorkerMarks(config.dataDir).awaitNone();
  const keys = openKeys(config.dataDir, clock.now);
  const digests = platformDigests(maskingKeyBytes(keys.maskingKey));
  const recordings = await openRecordings(
    { dataDir: config.dataDir, ...config.recording },
    {
      digests,
      startDigest: startSha256,
      signer: keys.signer,
      deflater: budgetedDeflater(deflateBudget),
      inflater,
      log,
      now: clock.now,
    },
  );
  undo.push(() => recordings.close());
  const audit = recordings.journal;
  if (keys.created) audit.record({ name: 'keys.created', keyId: keys.signer.keyId });
  const store = await openStore(
    config.store.kind === 'embedded'
      ? { kind: 'embedded', dir: config.dataDir }
      : { kind: 'postgres', url: config.store.url.reveal() },
    log,
  );
  undo.push(() => store.close());
  const policies = await openPolicies(config, log, recordings);
  undo.push(() => policies.close());

  const principals = principalRows(store, clock);
  const credentialRows = accessCredentialRows(store);
  const index = sessionIndex(store, await gatewayId(config.dataDir, randomIds));
  const news = new RevocationNews();
  const credentials = createAccessCredentials({
    rows: credentialRows,
    digests,
    ids: randomIds,
    clock,
    audit,
    log,
    ahead: new LookedAhead<Promise<AccessCredentialRow | undefined>>(news, clock),
    ...config.accessCredentials,
  });
  undo.push(every(hour, () => credentialRows.removeExpired(clock.now() - hour), clock, log));
  const requests = await createAccessRequests(
    { rows: accessRequestRows(store), principals, clock, ids: randomIds, audit, log },
    { maxPending: config.approvals.maxPending },
  );
  undo.push(() => requests.close());
  const identity = createIdentity({
    issuers: config.identity.issuers,
    credentials,
    clock,
    log,
    principalsSeen: principals,
    disabled: principals,
    ahead: new LookedAhead<Promise<DisabledBehind>>(news, clock),
  });
  void identity.preload();

  const metrics = createMetrics();
  const live = new LiveSessions({
    clock,
    log,
    audit,
    index,
    pathOf: (session) => recordings.pathOf(session),
    metrics,
  });
  await index.interrupted(clock.now());
  const revocations = new Revocations(live, credentialRows, principals, log);
  const unsubscribe = [
    await index.onKill((id) => live.killed(id)),
    await credentialRows.onRevoked(() => news.heard()),
    await principals.onDisabled(() => news.heard()),
    ...(await revocations.watch()),
  ];
  undo.push(() => Promise.all(unsubscribe.map((stop) => stop())));

  const peers = new PeerHub(log);
  const pins = pinRows(store, clock);
  const parts: ControlParts = {
    clock,
    log,
    identity,
    proven: new LatelyProven(news, clock),
    requests,
    pins,
    credentials,
    principals,
    policies,
    recordings,
    index,
    live,
    metrics,
    peers,
    endIfRevoked: (session, end) => revocations.endIfRevoked(session, end),
  };
  return {
    keys,
    digests,
    recordings,
    store,
    policies,
    pins,
    credentials,
    requests,
    identity,
    index,
    live,
    metrics,
    peers,
    port: () => createControlPort(parts),
  };
}

async function openPolicies(config: Config, log: Log, { journal }: Recordings): Promise<PolicyFiles> {
  const policies = await openPolicyFiles({
    directory: config.dir,
    globs: config.policies,
    declarations: connectors.map(({ declares }) => declares),
    holdDefaults: holdDefaultsOf(config),
    clock,
    log,
  });
  const tell = (): void => {
    const { hash, files } = policies.status();
    journal.record({ name: 'policy.loaded', policyHash: hash, files: files.length });
  };
  tell();
  policies.onChange(tell);
  policies.onProblem((problems) => {
    const error = problems.map(formatPolicyError).join('\n');
    log.error({ policyHash: policies.status().hash }, `policies were not taken over: ${error}`);
    journal.record({ name: 'policy.rejected', policyHash: policies.status().hash, error });
  });
  return policies;
}
