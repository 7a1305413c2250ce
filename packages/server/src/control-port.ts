import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { ControlPlane } from '@sluice/core/contract/control-plane.ts';
import type { Identity } from '@sluice/core/contract/identity.ts';
import type { OwnSession } from '@sluice/core/contract/operations.ts';
import type { Pins } from '@sluice/core/contract/pins.ts';
import type { EndReason, SessionInfo } from '@sluice/core/domain/session.ts';
import { isSessionId } from '@sluice/core/recording/format.ts';
import type { AccessRequestService } from './approvals/service.ts';
import type { AccessCredentials } from './credentials/access-credentials.ts';
import type { LatelyProven } from './identity/lately-proven.ts';
import type { PeerHub } from './peer-hub.ts';
import type { PolicyFiles } from './policy/policy-files.ts';
import { journalPrefix } from './recording/layout.ts';
import type { Recordings } from './recording/recordings.ts';
import type { LiveSessions } from './sessions/live-sessions.ts';
import { stillAdmitted } from './still-admitted.ts';
import type { PrincipalRows } from './store/principal-rows.ts';
import type { SessionEntry, SessionIndex } from './store/session-index.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface ControlParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly identity: Identity;
  readonly proven: LatelyProven;
  readonly requests: AccessRequestService;
  readonly pins: Pins;
  readonly credentials: AccessCredentials;
  readonly principals: Pick<PrincipalRows, 'disabledAmong'>;
  readonly policies: PolicyFiles;
  readonly recordings: Pick<Recordings, 'journal' | 'witness' | 'recover'>;
  readonly index: Pick<SessionIndex, 'list'>;
  readonly live: LiveSessions;
  readonly metrics: Metrics;
  readonly peers: PeerHub;
  /** Ends the session if what it stands on was revoked since it was proven. */
  endIfRevoked(session: SessionInfo, end: (reason: EndReason, message: string) => void): void;
}

/** The port as one data plane has it. */
export interface ControlPort extends ControlPlane {
  /**
   * The data plane is gone without a word: what it left open is marked as interrupted, and its recordings are closed.
   * Resolves with how many sessions that were.
   */
  gone(): Promise<number>;
}

export function createControlPort(parts: ControlParts): ControlPort {
  const { clock, credentials, live, recordings, requests, policies } = parts;
  const peers = parts.peers.join();
  const open = new Map<string, SessionInfo>();
  /** Those whose recordings would have to be looked for. */
  const unsealed = new Map<string, SessionInfo>();
  let end: (session: string, reason: EndReason, message: string) => void = () => {};
  const { disabledAmong } = parts.principals;
  const { identity, proven } = parts;
  return {
    identity: {
      ...identity,
      bearer: (token) => proven.by(() => identity.bearer(token), undefined),
      redeem: (credential, target) => proven.by(() => identity.redeem(credential, target), credential),
    },
    requests,
    pins: parts.pins,
    peers,
    admit: (principal, credential) =>
      stillAdmitted(
        {
          vouched: (...opening) => proven.vouches(...opening),
          credential: (id) => credentials.find(id),
          disabledAmong,
          now: clock.now,
        },
        { principal, ...(credential === undefined ? {} : { credential }) },
      ),
    sessions: {
      opening: (session) => {
        checkNew(session);
        unsealed.set(session.id, session);
      },
      recorded: (session) => {
        if (!unsealed.has(session.id)) throw new Error(`${session.id} was not announced`);
        recordings.witness.opened(session);
      },
      dropped: (session) => void unsealed.delete(session),
      opened: (session) => {
        if (live.has(session.id)) throw new Error(`${session.id} is open already`);
        const endThis = (reason: EndReason, message: string): void => end(session.id, reason, message);
        open.set(session.id, session);
        live.opened(session, endThis);
        // What was revoked before it was among the live ones ended none of those.
        if (!proven.stands(session.principal, session.credential)) parts.endIfRevoked(session, endThis);
      },
      ended: (session, reason, counts) => {
        // One that was refused before it opened is known by its recording alone.
        if (open.delete(session.id)) live.ended(session, reason, counts);
      },
      sealed: (session, seal) => {
        if (unsealed.delete(session)) recordings.witness.sealed(session, seal);
      },
      onEnd: (callback) => {
        end = callback;
      },
    },
    own: {
      request: (id) => requests.get(id),
      sessions: async (principal, limit) => (await parts.index.list({ principal, limit })).map(ownSession),
      credentialIsFor: async (id, target) => {
        const found = await credentials.find(id);
        return found?.target === target && found.revokedAt === undefined;
      },
    },
    policies: {
      current: () => policies.texts(),
      onChange: (callback) => policies.onChange(() => callback(policies.texts())),
    },
    refused: (refusal) => {
      parts.metrics.refused(refusal.code);
      recordings.journal.record({ name: 'auth.refused', ...refusal });
    },
    async gone() {
      peers.leave();
      for (const session of open.values()) live.interrupted(session);
      const lost = open.size;
      open.clear();
      const left = [...unsealed.values()];
      unsealed.clear();
      await recordings.recover(left);
      return lost;
    },
  };
}

/** The id becomes a file's name, and the journal's own are in the same place. */
function checkNew({ id, startedAt }: SessionInfo): void {
  if (!isSessionId(id) || id.startsWith(journalPrefix) || !Number.isSafeInteger(startedAt)) {
    throw new Error(`${id} can't be a session`);
  }
}

function ownSession({ id, target, startedAt, live, endedAt, endReason }: SessionEntry): OwnSession {
  return {
    id,
    target,
    startedAt,
    live,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(endReason === undefined ? {} : { endReason }),
  };
}
