/**
 * What serves connections: connectors, the pipeline, recorders, and the dialling of targets. There is one in the
 * gateway's process, or one in each worker. It keeps nothing that must be known once (who somebody is, access requests,
 * revocations): for that it asks its control plane, and it never goes on without one.
 */
import type { Connector, Log, Opening } from '@sluice/core/contract/connector.ts';
import type { ConnectionRefusal, ControlPlane } from '@sluice/core/contract/control-plane.ts';
import type { Digests } from '@sluice/core/contract/crypto.ts';
import type { ClientLink } from '@sluice/core/contract/link.ts';
import type { Overhead } from '@sluice/core/contract/overhead.ts';
import type { PolicySource } from '@sluice/core/contract/policy.ts';
import type { RecorderFactory } from '@sluice/core/contract/recorder.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import type { Redacted } from '@sluice/core/domain/redacted.ts';
import type { ClientInfo, EndReason, SessionInfo } from '@sluice/core/domain/session.ts';
import { createLookingMasker } from '@sluice/core/masking/looking-masker.ts';
import { createCellMasker } from '@sluice/core/masking/masker.ts';
import { isMasked } from '@sluice/core/masking/sentinel.ts';
import { parseStrategies } from '@sluice/core/masking/strategy.ts';
import { createTextMaskers } from '@sluice/core/masking/text-maskers.ts';
import { openSession } from '@sluice/core/pipeline/open.ts';
import type { PipelinePorts } from '@sluice/core/pipeline/ports.ts';
import type { Config } from './config/config.ts';
import { processEnvironment } from './config/environment.ts';
import { createSecrets } from './config/secrets.ts';
import { createUpstreamCredentials } from './credentials/upstream-credentials.ts';
import { randomIds } from './crypto/ids.ts';
import { createOperations } from './operations/operations.ts';
import { mayConnect } from './policy/may-connect.ts';
import { closeConnectors, createConnectors } from './running-connectors.ts';
import { targetDial } from './target-dial.ts';
import { systemClock as clock } from './telemetry/clock.ts';

/** What of the configuration connections are served by. */
export type DataPlaneConfig = Pick<Config, 'approvals' | 'dataDir' | 'identity' | 'limits' | 'masking' | 'targets'>;

export interface DataPlaneParts {
  readonly config: DataPlaneConfig;
  readonly log: Log;
  readonly control: ControlPlane;
  /** A connector's own key, by the connector's id and the key's name. */
  keyOf(connector: string, name: string): Redacted;
  /** Whether it is the only one. */
  readonly alone: boolean;
  readonly policies: PolicySource;
  readonly recorders: RecorderFactory;
  readonly digests: Digests;
  readonly overhead: Overhead;
  /** Where a person looks at an access request. */
  requestUrl(id: string): string;
}

export interface DataPlane {
  /** By id. */
  readonly connectors: ReadonlyMap<string, Connector>;
  /** Serves one connection of a connector's clients to its end. */
  accept(connector: string, link: ClientLink): Promise<void>;
  /** Ends all sessions, natively, and resolves when their recordings are closed. */
  endSessions(message: string): Promise<void>;
  /** Lets go of what is kept beside sessions. Call `endSessions` before. */
  close(): Promise<void>;
}

export function createDataPlane(parts: DataPlaneParts): DataPlane {
  const { config, log, control, policies } = parts;
  const targets = new Map(config.targets.map((target) => [target.name, target]));
  const upstream = createUpstreamCredentials(config.targets, createSecrets(processEnvironment()));
  const dial = targetDial(targets, upstream);
  const running = new Map<string, Connector>();
  const live = new OpenSessions(control);
  const operations = createOperations({
    clock,
    connectors: running,
    targets,
    mayConnect: (principal, name, client) => mayConnect({ clock, policies, targets }, principal, name, client),
    open: openAdmitted,
    ...control.own,
  });
  const peers = parts.alone ? undefined : control.peers;
  const { keyOf } = parts;
  createConnectors({ config, log, keyOf, pins: control.pins, operations, dial, peers }, running);

  async function openAdmitted(opening: Opening, client: ClientInfo): Promise<Session> {
    await control.admit(opening.principal, opening.credential);
    return openSession(ports, opening, client);
  }

  const ports: PipelinePorts = {
    clock,
    ids: randomIds,
    digests: parts.digests,
    policy: policies,
    requests: control.requests,
    recorders: parts.recorders,
    target: (name) => targets.get(name),
    dial: (target) => dial(target.name),
    ...maskersOf(parts),
    isMasked,
    discharges: (id) => running.get(id)?.discharges ?? [],
    sessions: live,
    requestUrl: parts.requestUrl,
    approvals: { park: config.approvals.park },
    overhead: parts.overhead,
  };

  /** Nothing follows from it, so neither does anything from its failing, but that it is said. */
  function noteRefusal(refusal: ConnectionRefusal): void {
    try {
      control.refused(refusal);
    } catch (err) {
      log.error({ ...refusal, err }, 'a refused connection is not in the journal');
    }
  }

  return {
    connectors: running,
    async accept(id, link) {
      const connector = running.get(id);
      if (!connector) throw new Error(`no connector ${id}`);
      await connector.accept(link, {
        identity: control.identity,
        open: (opening) => openAdmitted(opening, { address: link.remote, secure: link.secure }),
        refused: (code, user, target) => noteRefusal({ channel: id, code, user, target, address: link.remote }),
      });
    },
    endSessions: (message) => live.end(message),
    async close() {
      operations.close();
      await closeConnectors(running);
    },
  };
}

function maskersOf({ config, digests, policies }: DataPlaneParts): Pick<PipelinePorts, 'masker' | 'texts'> {
  const strategies = parseStrategies(config.masking.strategies);
  const { detect, detectText } = config.masking;
  return {
    masker: (session) => {
      const masker = createCellMasker({ strategies, digests, scope: session.id });
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
      return createTextMaskers(masker, hidden, (label) => detectText.includes(label) && hidden(label));
    },
  };
}

type End = (reason: EndReason, message: string) => void;

/** The sessions of this data plane, so that each can be ended by its id. */
class OpenSessions implements PipelineSessions {
  readonly #control: ControlPlane;
  readonly #open = new Map<string, End>();
  #ending: string | undefined;
  #whenNone: (() => void)[] = [];

  constructor(control: ControlPlane) {
    this.#control = control;
    control.sessions.onEnd((session, reason, message) => this.#open.get(session)?.(reason, message));
  }

  opened(session: SessionInfo, end: End): void {
    this.#open.set(session.id, end);
    this.#control.sessions.opened(session);
    // It was on its way when all were ended.
    if (this.#ending !== undefined) end('gateway_stopped', this.#ending);
  }

  ended(...[session, reason, counts]: Parameters<PipelineSessions['ended']>): void {
    this.#open.delete(session.id);
    this.#control.sessions.ended(session, reason, counts);
    if (this.#open.size === 0) for (const tell of this.#whenNone.splice(0)) tell();
  }

  async end(message: string): Promise<void> {
    this.#ending = message;
    for (const end of [...this.#open.values()]) end('gateway_stopped', message);
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#whenNone.push(resolve));
  }
}

type PipelineSessions = PipelinePorts['sessions'];
