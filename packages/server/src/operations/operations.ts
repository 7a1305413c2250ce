/**
 * What connectors can do at their targets for callers that speak another protocol. It finds the target's connector,
 * opens a session there as for any client (so that policy, consent, masking and recording are the same), keeps it for
 * the caller's next operation, and closes it when none comes. It decides nothing beyond whom to ask.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Admission, Connector, Opening } from '@sluice/core/contract/connector.ts';
import {
  type Caller,
  cursorGone,
  type OfferedTarget,
  type OperationDeclaration,
  type OperationResult,
  type OperationSession,
  type Operations,
  type OwnSession,
} from '@sluice/core/contract/operations.ts';
import { DeniedError } from '@sluice/core/contract/session.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { ClientInfo } from '@sluice/core/domain/session.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import { type Place, SessionPool } from './session-pool.ts';

export interface OperationsParts {
  readonly clock: Clock;
  /** By id; asked at each call, since connectors get these operations before all of them are there. */
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly targets: ReadonlyMap<string, Target>;
  /** Whether policy lets the principal connect, with or without consent. */
  mayConnect(principal: Principal, target: string, client: ClientInfo): boolean;
  open(opening: Opening, client: ClientInfo): ReturnType<Admission['open']>;
  request(id: string): Promise<AccessRequest | undefined>;
  /** Newest first. */
  sessions(principal: string, limit: number): Promise<readonly OwnSession[]>;
  /** Whether an access credential is for the target, and nobody took it back since it was shown. */
  credentialIsFor(id: string, target: string): Promise<boolean>;
}

export interface RunningOperations extends Operations {
  close(): void;
}

export function createOperations(parts: OperationsParts): RunningOperations {
  const pool = new SessionPool(parts.clock);

  function connectorOf(target: Target): Connector | undefined {
    return parts.connectors.get(target.connector);
  }

  async function opened(caller: Caller, target: Target, connector: Connector, run: RunContext | undefined) {
    const opening: Opening = {
      principal: caller.principal,
      target: target.name,
      resend: true,
      ...(caller.credential === undefined ? {} : { credential: caller.credential }),
      ...(caller.client.application === undefined ? {} : { application: caller.client.application }),
      ...(run === undefined ? {} : { run }),
      onHold: () => {},
      gone: new Promise(() => {}),
    };
    if (!connector.operate) throw new Error(`connector ${connector.id} has no operations`);
    return connector.operate(opening, (wanted) => parts.open(wanted, caller.client));
  }

  async function calling(
    caller: Caller,
    target: Target,
    connector: Connector,
    run: RunContext | undefined,
    call: (session: Pick<OperationSession, 'call'>) => Promise<OperationResult>,
  ): Promise<OperationResult> {
    const place = placeOf(caller, target.name, run?.run);
    for (let again = false; ; again = true) {
      const session = await pool.get(place, () => opened(caller, target, connector, run));
      if (!session) return busy;
      try {
        return await call(session);
      } catch (error) {
        // A session that ended before anything was begun is no reason to refuse it: it is begun in another, once.
        if (again || !(error instanceof SluiceError && error.code === 'session_over')) throw error;
      }
    }
  }

  /** In the session that keeps the rest, and in no other; whatever is wrong with the cursor, the answer is the same. */
  async function goingOn(
    place: Place,
    cursor: string,
    call: (session: Pick<OperationSession, 'call'>) => Promise<OperationResult>,
  ): Promise<OperationResult> {
    const session = pool.take(place, cursor);
    if (!session) return cursorGone;
    try {
      return await call(session);
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'session_over') return cursorGone;
      throw error;
    }
  }

  async function allowed(caller: Caller, name: string): Promise<Target | undefined> {
    const target = parts.targets.get(name);
    if (!target || !parts.mayConnect(caller.principal, name, caller.client)) return undefined;
    return (await provenFor(caller, name)) ? target : undefined;
  }

  async function provenFor({ credential }: Caller, target: string): Promise<boolean> {
    return credential === undefined || parts.credentialIsFor(credential, target);
  }

  return {
    get declared() {
      return declaredBy([...parts.connectors.values()]);
    },
    targets(caller): readonly OfferedTarget[] {
      return [...parts.targets.values()]
        .filter((target) => parts.mayConnect(caller.principal, target.name, caller.client))
        .map((target) => ({
          target: { name: target.name, connector: target.connector, tags: target.tags },
          operations: (connectorOf(target)?.operations ?? []).map(({ name }) => name),
        }))
        .sort((a, b) => (a.target.name < b.target.name ? -1 : 1));
    },
    async call(caller, targetName, name, input, run, signal): Promise<OperationResult> {
      try {
        const target = await allowed(caller, targetName);
        if (!target) return unknownTarget;
        const connector = connectorOf(target);
        const known = connector?.operations?.map((operation) => operation.name) ?? [];
        if (!connector || !known.includes(name)) {
          const instead = known.length === 0 ? 'it has no operations' : `it has ${known.join(', ')}`;
          return failed('unknown_operation', `The target "${targetName}" has no operation "${name}": ${instead}.`);
        }
        const call = (session: Pick<OperationSession, 'call'>) => session.call(name, input, run, signal);
        const cursor = input['cursor'];
        if (typeof cursor === 'string') return await goingOn(placeOf(caller, target.name, run?.run), cursor, call);
        return await calling(caller, target, connector, run, call);
      } catch (error) {
        if (error instanceof DeniedError) return { outcome: 'refused', denial: error.denial };
        if (error instanceof SluiceError) return failed(error.code, error.publicMessage);
        throw error;
      }
    },
    async request(caller, id) {
      const found = await parts.request(id);
      if (!found || found.requester.id !== caller.principal.id) return undefined;
      return (await provenFor(caller, found.target)) ? found : undefined;
    },
    async sessions(caller, limit) {
      const all = await parts.sessions(caller.principal.id, limit);
      if (caller.credential === undefined) return all;
      const known = new Map<string, boolean>();
      for (const { target } of all) known.set(target, known.get(target) ?? (await provenFor(caller, target)));
      return all.filter(({ target }) => known.get(target));
    },
    close: () => pool.close(),
  };
}

const unknownTarget = failed(
  'unknown_target',
  'There is no such target, or you may not connect to it. List the targets to see which there are for you.',
);

const busy = failed(
  'busy',
  'Too many operations are at work for you. Wait for their answers, or use fewer targets and runs at once.',
);

function failed(code: string, message: string): OperationResult {
  return { outcome: 'failed', code, message };
}

/** Throws when two connectors mean different things by one name: that is a mistake in a connector. */
function declaredBy(connectors: readonly Connector[]): readonly OperationDeclaration[] {
  const declared = new Map<string, OperationDeclaration>();
  for (const operation of connectors.flatMap((connector) => connector.operations ?? [])) {
    const known = declared.get(operation.name);
    if (known && !isDeepStrictEqual(known, operation)) {
      throw new Error(`the operation ${operation.name} is declared in two ways`);
    }
    declared.set(operation.name, operation);
  }
  return [...declared.values()];
}

/** Callers share a session at a target only when nothing about who they are differs. */
function callerKey({ principal, credential, client }: Caller): string {
  // Each of a client's connections has a port of its own.
  const place = [client.address.replace(/:\d+$/, ''), client.secure, client.application ?? null];
  return JSON.stringify([principal, credential ?? null, place]);
}

function placeOf(caller: Caller, target: string, run: string | undefined): Place {
  return {
    principal: caller.principal.id,
    owner: callerKey(caller),
    at: JSON.stringify([target, run ?? null]),
  };
}
