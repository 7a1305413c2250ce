/**
 * The composition root: starts a gateway from its configuration, part by part, and stops it in the opposite order. The
 * one file that names every part; no part names another.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { connectors } from '@sluice/connectors/index.ts';
import type { Connector, Log, Opening } from '@sluice/core/contract/connector.ts';
import { behind } from '@sluice/core/domain/principal.ts';
import type { ClientInfo } from '@sluice/core/domain/session.ts';
import { createLabelMap } from '@sluice/core/masking/label-map.ts';
import { createLookingMasker } from '@sluice/core/masking/looking-masker.ts';
import { createCellMasker } from '@sluice/core/masking/masker.ts';
import { isMasked } from '@sluice/core/masking/sentinel.ts';
import { parseStrategies } from '@sluice/core/masking/strategy.ts';
import { createTextMaskers } from '@sluice/core/masking/text-maskers.ts';
import { openSession } from '@sluice/core/pipeline/open.ts';
import type { PipelinePorts } from '@sluice/core/pipeline/ports.ts';
import { holdDefaults } from '@sluice/policy/annotations.ts';
import { formatPolicyError } from '@sluice/policy/error.ts';
import type { FastifyInstance } from 'fastify';
import { createApi } from './api/app.ts';
import { createMetrics as createMetricsApi } from './api/metrics.ts';
import { apiServices } from './api-services.ts';
import { createAccessRequests } from './approvals/access-requests.ts';
import type { Config } from './config/config.ts';
import { logLevel, processEnvironment } from './config/environment.ts';
import { formatHostPort, type HostPort, isLoopbackHost } from './config/host-port.ts';
import { formatProblem } from './config/problem.ts';
import { createSecrets } from './config/secrets.ts';
import { createAccessCredentials } from './credentials/access-credentials.ts';
import { createUpstreamCredentials } from './credentials/upstream-credentials.ts';
import { connectorKeys } from './crypto/connector-keys.ts';
import { budgetedDeflater, inflater } from './crypto/deflate.ts';
import { platformDigests, startSha256 } from './crypto/digests.ts';
import { randomIds } from './crypto/ids.ts';
import { maskingKeyBytes, openKeys } from './crypto/keys.ts';
import { gatewayId } from './gateway-id.ts';
import { createIdentity } from './identity/identity.ts';
import { serverTls } from './network/client-link.ts';
import { type Listener, listen, listenError } from './network/listener.ts';
import { createOperations } from './operations/operations.ts';
import { mayConnect } from './policy/may-connect.ts';
import { openPolicyFiles } from './policy/policy-files.ts';
import { openRecordings } from './recording/recordings.ts';
import { LiveSessions } from './sessions/live-sessions.ts';
import { stillAdmitted } from './still-admitted.ts';
import { accessCredentialRows } from './store/access-credentials.ts';
import { accessRequestRows } from './store/access-requests.ts';
import { lockDirectory } from './store/directory-lock.ts';
import { pinRows } from './store/pins.ts';
import { principalRows } from './store/principals.ts';
import { sessionIndex } from './store/sessions.ts';
import { openStore } from './store/store.ts';
import { targetDial } from './target-dial.ts';
import { systemClock as clock } from './telemetry/clock.ts';
import { createLog } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
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
    return { ...(await start(config, log, undo, lost)), stop, stopped };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  config: Config,
  log: Log,
  undo: (() => unknown)[],
  onLost: (error: Error) => void,
): Promise<Pick<Gateway, 'addresses'>> {
  for (const warning of config.warnings) log.warn({}, formatProblem(warning));
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  undo.push(await lockDirectory(config.dataDir, { onLost }));

  const keys = openKeys(config.dataDir, clock.now);
  const digests = platformDigests(maskingKeyBytes(keys.maskingKey));
  const ids = randomIds;
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

  const policies = await openPolicyFiles({
    directory: config.dir,
    globs: config.policies,
    declarations: connectors.map(({ declares }) => declares),
    holdDefaults: { ...holdDefaults, grantTtl: config.approvals.grantTtl, timeout: config.approvals.timeout },
    clock,
    log,
  });
  const tellPolicies = (): void => {
    const { hash, files } = policies.status();
    audit.record({ name: 'policy.loaded', policyHash: hash, files: files.length });
  };
  tellPolicies();
  policies.onChange(tellPolicies);
  policies.onProblem((problems) => {
    const error = problems.map(formatPolicyError).join('\n');
    log.error({ policyHash: policies.status().hash }, `policies were not taken over: ${error}`);
    audit.record({ name: 'policy.rejected', policyHash: policies.status().hash, error });
  });
  undo.push(() => policies.close());

  const principals = principalRows(store, clock);
  const credentialRows = accessCredentialRows(store);
  const index = sessionIndex(store, await gatewayId(config.dataDir, ids));
  const credentials = createAccessCredentials({
    rows: credentialRows,
    digests,
    ids,
    clock,
    audit,
    log,
    ...config.accessCredentials,
  });
  undo.push(every(hour, () => credentialRows.removeExpired(clock.now() - hour), log));
  const requests = await createAccessRequests(
    { rows: accessRequestRows(store), principals, clock, ids, audit, log },
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
  const unsubscribe = [
    await index.onKill((id) => live.killed(id)),
    await credentialRows.onRevoked((id) => void endRevoked(id)),
    await principals.onDisabled((id) => void endDisabled(id)),
  ];
  undo.push(() => Promise.all(unsubscribe.map((stop) => stop())));

  async function endRevoked(id: string | undefined): Promise<void> {
    for (const used of id === undefined ? live.credentialsInUse() : [id]) {
      const row = await credentialRows.find(used);
      if (!row || row.revokedAt !== undefined) live.endOfCredential(used);
    }
  }
  async function endDisabled(id: string | undefined): Promise<void> {
    const disabled = id === undefined ? await principals.disabledAmong(live.principalsInUse()) : [id];
    for (const each of disabled) live.endOfPrincipal(each);
  }

  const targets = new Map(config.targets.map((target) => [target.name, target]));
  const upstream = createUpstreamCredentials(config.targets, createSecrets(processEnvironment()));
  const dial = targetDial(targets, upstream);
  const strategies = parseStrategies(config.masking.strategies);
  const labels = createLabelMap(config.masking.labels);
  const running = new Map<string, Connector>();
  const keyOf = connectorKeys(config.dataDir);
  const operations = createOperations({
    clock,
    connectors: running,
    targets,
    mayConnect: (principal, name, client) => mayConnect({ clock, policies, targets }, principal, name, client),
    open: openAdmitted,
    request: (id) => requests.get(id),
    sessions: (principal, limit) => index.list({ principal, limit }),
    credentialIsFor: async (id, target) => {
      const found = await credentials.find(id);
      return found?.target === target && found.revokedAt === undefined;
    },
  });
  undo.push(() => operations.close());
  for (const { id, create } of connectors) {
    const connector = create({
      targets: config.targets.filter((target) => target.connector === id),
      key: (name) => keyOf(id, name),
      pins: pinRows(store, clock),
      operations,
      issuers: config.identity.issuers.map(({ issuer }) => issuer),
      clock,
      labels,
      limits: config.limits,
      log,
      dialAside: dial,
    });
    running.set(id, connector);
    undo.push(() => connector.close());
  }

  async function openAdmitted(opening: Opening, client: ClientInfo) {
    const { disabledAmong } = principals;
    await stillAdmitted({ credential: (id) => credentials.find(id), disabledAmong, now: clock.now }, opening);
    return openSession(ports, opening, client);
  }

  const apiUrl = { base: '' };
  const ports: PipelinePorts = {
    clock,
    ids,
    digests,
    policy: policies,
    requests,
    recorders: recordings.recorders,
    target: (name) => targets.get(name),
    dial: (target) => dial(target.name),
    masker: (session) => {
      const masker = createCellMasker({ strategies, digests, scope: session.id });
      const { detect } = config.masking;
      if (detect.length === 0) return masker;
      const { principal, target, client } = session;
      return createLookingMasker(masker, (label) => {
        if (!detect.includes(label)) return false;
        const facts = { client, labelsSeen: [], now: clock.now() };
        return !policies.current().reveals(principal, target, label, facts);
      });
    },
    texts: (session, hidden) => {
      const masker = createCellMasker({ strategies, digests, scope: session.id });
      const { detectText } = config.masking;
      return createTextMaskers(masker, hidden, (label) => detectText.includes(label) && hidden(label));
    },
    isMasked,
    discharges: (id) => running.get(id)?.discharges ?? [],
    sessions: {
      opened: (session, end) => {
        live.opened(session, end);
        // What was revoked between the login and now was told to nobody.
        const behindIt = behind(session.principal);
        Promise.all([
          session.credential === undefined ? undefined : endRevoked(undefined),
          principals.disabledAmong(behindIt).then((ids) => {
            for (const id of ids) live.endOfPrincipal(id);
          }),
        ]).catch((error) => {
          log.error(
            { session: session.id, err: error },
            'a new session could not be checked for revocation, and is ended',
          );
          end('gateway_error', 'The gateway could not check whether this session may go on.');
        });
      },
      ended: (session, reason, counts) => live.ended(session, reason, counts),
    },
    requestUrl: (id) => `${apiUrl.base}/api/v1/access-requests/${id}`,
    approvals: { park: config.approvals.park },
  };
  undo.push(() => live.stop());

  const listeners: Record<string, Listener> = {};
  const pem = config.tls && { cert: await readFile(config.tls.cert), key: await readFile(config.tls.key) };
  const app = await createApi(
    apiServices({
      identity,
      clock,
      log,
      audit,
      targets,
      connectors: running,
      policies,
      credentials,
      requests,
      index,
      live,
      library: recordings.library,
      publicKeys: keys.publicKeys,
      listening: (id) => listeners[id]?.address,
      isMasked,
      ping: () => store.ping(),
    }),
    { version, tls: isLoopbackHost(config.listen.api.host) ? undefined : pem },
  );
  undo.push(() => app.close());
  const api = await listenHttp(app, config.listen.api, 'api');
  apiUrl.base = `${pem && !isLoopbackHost(api.host) ? 'https' : 'http'}://${formatHostPort(api)}`;

  let metricsAddress: HostPort | undefined;
  if (config.listen.metrics) {
    const metricsApp = await createMetricsApi(metrics.registry);
    undo.push(() => metricsApp.close());
    metricsAddress = await listenHttp(metricsApp, config.listen.metrics, 'metrics');
  }

  const tls = pem && serverTls(pem.cert, pem.key);
  for (const [id, address] of Object.entries(config.listen.connectors)) {
    const connector = running.get(id);
    if (!connector) continue;
    const listener = await listen(address, id, tls, log, (link) =>
      connector.accept(link, {
        identity,
        open: (opening) => openAdmitted(opening, { address: link.remote, secure: link.secure }),
        refused: (code, user, target) => {
          metrics.refused(code);
          audit.record({ name: 'auth.refused', channel: id, code, user, target, address: link.remote });
        },
      }),
    );
    undo.push(async () => {
      await listener.close();
      await live.stop();
      listener.destroy();
    });
    listeners[id] = listener;
  }

  const configDigest = createHash('sha256')
    .update(await readFile(config.file))
    .digest('hex');
  audit.record({ name: 'config.loaded', path: config.file, digest: configDigest });
  audit.record({ name: 'gateway.started', version, policyHash: policies.current().hash });
  undo.push(() => audit.record({ name: 'gateway.stopped', reason: 'asked to stop' }));
  const listening = Object.fromEntries(Object.entries(listeners).map(([id, { address }]) => [id, address]));
  log.info({ api, metrics: metricsAddress, ...listening }, 'gateway started');
  return { addresses: { api, connectors: listening, ...(metricsAddress ? { metrics: metricsAddress } : {}) } };
}

/** Compression may use this much of the event loop: bytes per second. */
const deflateBudget = 8 * 1024 * 1024;

const hour = 3_600_000;

/** Does it now and then until the returned function is called; a failure is logged and the next time is kept. */
function every(ms: number, work: () => Promise<unknown>, log: Log): () => void {
  let cancel = (): void => {};
  const again = (): void => {
    cancel = clock.after(ms, () => {
      work().catch((err) => log.warn({ err }, 'housekeeping failed'));
      again();
    });
  };
  again();
  return () => cancel();
}

async function listenHttp(app: FastifyInstance, { host, port }: HostPort, name: string): Promise<HostPort> {
  await app.listen({ host, port }).catch((error: Error) => {
    throw listenError(error, host, port, name);
  });
  const address = app.server.address();
  return { host, port: typeof address === 'object' && address ? address.port : port };
}

/** Undoes every step, last first; a step that fails does not keep the others from being undone. */
async function unwind(undo: (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (let step = undo.pop(); step; step = undo.pop()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'not every part of the gateway stopped in good order');
}
