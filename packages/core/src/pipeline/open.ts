/**
 * Opens sessions: recording first, then the decision on `connect`, then the target. Whatever fails on the way leaves a
 * closed recording behind that says why.
 */
import type { Opening } from '../contract/connector.ts';
import type { PolicySnapshot } from '../contract/policy.ts';
import { DeniedError, type Session } from '../contract/session.ts';
import { CoreError } from '../domain/error.ts';
import { targetResource } from '../domain/resource.ts';
import type { ClientInfo, SessionInfo } from '../domain/session.ts';
import type { Target } from '../domain/target.ts';
import type { Unit } from '../domain/unit.ts';
import type { PipelinePorts } from './ports.ts';
import { PipelineSession } from './session.ts';

export async function openSession(ports: PipelinePorts, opening: Opening, client: ClientInfo): Promise<Session> {
  const known = ports.target(opening.target);
  if (known === undefined) {
    throw new CoreError('unknown_target', 'client', `There is no target "${opening.target}" on this gateway.`);
  }
  // Whoever keeps targets may know more of them: where they are, where their secrets are. That is for nobody to read.
  const target: Target = { name: known.name, connector: known.connector, tags: known.tags };
  const info: SessionInfo = {
    id: ports.ids.next('ses'),
    principal: opening.principal,
    target,
    client: {
      address: client.address,
      secure: client.secure || opening.secure === true,
      ...(opening.application === undefined ? {} : { application: opening.application }),
    },
    ...(opening.credential === undefined ? {} : { credential: opening.credential }),
    startedAt: ports.clock.now(),
  };
  const session = new PipelineSession(
    ports,
    info,
    await ports.recorders.open(info, ports.policy.current().hash),
    opening.resend,
  );
  try {
    await decideConnect(session, connectUnit(target, opening.run), opening);
    session.attach(await ports.dial(target));
    const endIfDenied = endWhenNoLongerAllowed(ports, session, opening.run);
    ports.sessions.opened(info, (reason, message) => session.terminate(reason, message));
    // Policy may have changed while the target was dialled.
    endIfDenied(ports.policy.current());
    return session;
  } catch (error) {
    const denied = error instanceof CoreError && error.code === 'denied';
    session.end(denied ? 'denied' : 'gateway_error', error instanceof Error ? error : undefined);
    throw error;
  }
}

async function decideConnect(session: PipelineSession, connect: Unit, opening: Opening): Promise<void> {
  let outcome = session.judge(connect);
  session.flush();
  if (outcome.effect === 'hold') {
    const held = outcome;
    void opening.gone.then(() => held.withdraw());
    void held.notice.then((notice) => notice && opening.onHold(notice));
    outcome = await held.settled;
    session.flush();
  }
  if (outcome.effect === 'deny') throw new DeniedError(outcome.denial);
  session.discard(outcome.permit);
}

function connectUnit(target: Target, run: Unit['run']): Unit {
  const base = {
    name: 'connect',
    bytes: [],
    actions: [
      {
        verb: 'connect',
        access: 'connect',
        resources: [targetResource(target.name)],
        text: `connect to ${target.name}`,
        context: {},
      },
    ],
    labels: [],
    exposures: [],
    parameters: [],
    binding: {},
  } as const;
  return run ? { ...base, run } : base;
}

/** A session lives as long as policy would open it and the identity behind it is valid. Returns what looks whether it would. */
function endWhenNoLongerAllowed(
  ports: PipelinePorts,
  session: PipelineSession,
  run: Unit['run'],
): (snapshot: PolicySnapshot) => void {
  const look = (snapshot: PolicySnapshot): void => {
    if (session.over) stopWatching();
    // Made anew: policies change seldom, and until then nobody needs it.
    else if (!session.mayStay(connectUnit(session.info.target, run), snapshot)) {
      stopWatching();
      session.terminate('revoked', 'Policy no longer allows this session.');
    }
  };
  const stopWatching = ports.policy.onChange(look);
  const cancelExpiry = ports.clock.after(Math.max(0, session.info.principal.expiresAt - ports.clock.now()), () =>
    session.terminate(
      'expired',
      'The identity this session was opened with has expired. Connect again with a fresh one.',
    ),
  );
  session.whenOver(() => {
    stopWatching();
    cancelExpiry();
  });
  return look;
}
