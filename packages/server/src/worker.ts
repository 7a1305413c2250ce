/**
 * A worker process: a data plane of its own, and a channel to the gateway's process in the place of the control plane.
 * Without that channel it ends: sessions are told, recordings closed.
 */
import { connectors } from '@sluice/connectors/index.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import { logLevel, processEnvironment } from './config/environment.ts';
import { isCredentialId } from './credentials/credential-id.ts';
import { connectorKeys } from './crypto/connector-keys.ts';
import { budgetedDeflater } from './crypto/deflate.ts';
import { platformDigests, startSha256 } from './crypto/digests.ts';
import { maskingKeyBytes, readKeys } from './crypto/keys.ts';
import { createDataPlane } from './data-plane.ts';
import { holdDefaultsOf } from './hold-defaults.ts';
import { serverTls } from './network/client-link.ts';
import { Reception } from './network/listener.ts';
import { ToldPolicies } from './policy/told-policies.ts';
import { deflateBudget, witnessedRecorders } from './recording/recorders.ts';
import { createLog } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { askedControlPlane } from './workers/asked-control-plane.ts';
import type { ControlCalls, WorkerCalls, WorkerStart } from './workers/calls.ts';
import { Channel } from './workers/channel.ts';
import { ToldTexts } from './workers/told-texts.ts';
import { endOf } from './workers/worker-process.ts';

/** Sessions that do not end by then are cut; milliseconds. */
const endTime = 10_000;

/** Everything until the gateway said how to start. */
const first = createLog(logLevel(processEnvironment()));
const channel = new Channel<ControlCalls, WorkerCalls>(endOf(process), first);

interface Running {
  readonly log: Log;
  readonly texts: ToldTexts;
  readonly policies: ToldPolicies;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly asked: ReturnType<typeof askedControlPlane>;
  /** Ends all sessions and closes their recordings. */
  stop(): Promise<void>;
}

let running: Running | undefined;
let stopping: Promise<void> | undefined;
let stopped = false;

function start({ number, config, pem, policies: accepted, apiUrl, logFile, keys: told }: WorkerStart): Running {
  const log = createLog(logLevel(processEnvironment()), logFile, { worker: number });
  const keys = readKeys(config.dataDir, told);
  const digests = platformDigests(maskingKeyBytes(keys.maskingKey));
  const texts = new ToldTexts(accepted);
  const policies = new ToldPolicies(texts, {
    declarations: connectors.map(({ declares }) => declares),
    holdDefaults: holdDefaultsOf(config),
    log,
    onBroken: () => void leave('policies could not be taken over'),
  });
  const asked = askedControlPlane(channel, texts, isCredentialId);
  const recorders = witnessedRecorders(
    { dataDir: config.dataDir, ...config.recording },
    { digests, startDigest: startSha256, signer: keys.signer, deflater: budgetedDeflater(deflateBudget), log },
    asked.control.sessions,
  );
  const metrics = createMetrics();
  const plane = createDataPlane({
    config,
    log,
    control: asked.control,
    keyOf: connectorKeys(config.dataDir, 'read'),
    alone: false,
    policies,
    recorders,
    digests,
    overhead: metrics.overhead,
    requestUrl: (id) => `${apiUrl}/api/v1/access-requests/${id}`,
  });
  const tls = pem && serverTls(Buffer.from(pem.cert), Buffer.from(pem.key));
  const receptions = new Map(
    [...plane.connectors.keys()].map((id) => [id, new Reception(id, tls, log, (link) => plane.accept(id, link))]),
  );
  channel.onConnection((listener, socket) => {
    const reception = receptions.get(listener);
    if (!reception || stopping) {
      socket.destroy();
      return;
    }
    // It was accepted like this, and that does not come along with the handle.
    socket.allowHalfOpen = true;
    reception.take(socket);
  });
  return {
    log,
    texts,
    policies,
    metrics,
    asked,
    async stop() {
      await plane.endSessions('The gateway is stopping.');
      for (const reception of receptions.values()) reception.destroy();
      await plane.close();
      await recorders.close();
      policies.close();
    },
  };
}

function stop(): Promise<void> {
  stopping ??= (running?.stop() ?? Promise.resolve()).finally(() => {
    stopped = true;
  });
  return stopping;
}

/** Ends this process, its sessions first. Nothing is decided here without a control plane, or by other policies than its. */
async function leave(why: string): Promise<void> {
  const log = running?.log ?? first;
  log.error({ why }, 'this worker ends');
  setTimeout(() => process.exit(1), endTime);
  await stop().catch((err) => log.error({ err }, 'this worker did not end in good order'));
  process.exit(1);
}

function begun(): Running {
  if (!running) throw new Error('this worker was not started');
  return running;
}

channel.serve({
  async start(how) {
    running = start(how);
  },
  async policies(texts) {
    const { texts: told, policies } = begun();
    told.tell(texts);
    const { hash, epoch } = policies.current();
    if (epoch >= texts.epoch && hash !== texts.hash) throw new Error(`policies are those of ${hash} here`);
  },
  end: (session, reason, message) => begun().asked.end(session, reason, message),
  told: (connector, text) => begun().asked.told(connector, text),
  pulse: () => {},
  metrics: async () => (await begun().metrics.registry.getMetricsAsJSON()) as readonly object[],
  stop,
});

process.on('disconnect', () => void (stopped ? process.exit(0) : leave('the gateway’s own process is gone')));
// A signal to the whole group is for the gateway's own process to answer: it tells its workers in good order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('unhandledRejection', (err) => (running?.log ?? first).error({ err }, 'a rejection nobody waited for'));
