/**
 * Access requests over the store: opened by sessions, answered by people, used once. The rules are the state machine's
 * in core, and exactly-once is the store's; here they meet waiting, time and other gateways. It does not decide who may
 * see a request, nor what needs one.
 */
import { type AccessRequestEvent, advance } from '@sluice/core/approvals/machine.ts';
import type { AuditSink } from '@sluice/core/contract/audit.ts';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { Ids } from '@sluice/core/contract/crypto.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import type { AccessRequestRows, Members } from '../store/access-request-rows.ts';
import type { PrincipalRows } from '../store/principal-rows.ts';
import { AccessRequestError, notFound, refused } from './access-request-error.ts';
import { DueTimer } from './due-timer.ts';
import type { AccessRequestService } from './service.ts';
import { Waiters } from './waiters.ts';

export interface AccessRequestParts {
  readonly rows: AccessRequestRows;
  readonly principals: Pick<PrincipalRows, 'seen'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly audit: AuditSink;
  readonly log: Log;
}

export interface AccessRequestOptions {
  /** A requester may have at most this many pending; 50 when absent. */
  readonly maxPending?: number;
  /** Milliseconds for which a denial answers the same question in the same session or run; a day when absent. */
  readonly rememberDenied?: number;
}

const longestComment = 2_000;
/** After a failure of the store: nothing is lost by it, only late. */
const retry = 5_000;

/** Rejects when the store does. What was pending before a restart stays so until its time runs out. */
export async function createAccessRequests(
  parts: AccessRequestParts,
  options: AccessRequestOptions = {},
): Promise<AccessRequestService> {
  const { rows, clock, ids, audit, log, principals } = parts;
  const { maxPending = 50, rememberDenied = 86_400_000 } = options;
  const waiters = new Waiters();
  const timer = new DueTimer(clock, () => void expire());
  let closed = false;

  const settle = async (): Promise<void> => {
    for (const request of await rows.settleDue(clock.now())) {
      waiters.tell(request);
      try {
        witness(request);
      } catch (error) {
        // Time can't be refused for want of a witness.
        log.error({ error: textOf(error), request: request.id }, 'the end of an access request could not be recorded');
      }
    }
  };

  const expire = async (): Promise<void> => {
    if (closed) return;
    try {
      await settle();
      const next = await rows.nextDue();
      if (next !== undefined) timer.set(next);
    } catch (error) {
      log.warn({ error: textOf(error) }, 'access requests could not be expired; trying again');
      timer.set(clock.now() + retry);
    }
  };

  const witness = ({ id, state }: AccessRequest): void => {
    if (state !== 'pending') audit.record({ name: 'request.settled', request: id, state });
  };

  const look = async (id: string): Promise<void> => {
    if (!waiters.has(id)) return;
    const request = await rows.get(id);
    if (request) waiters.tell(request);
  };

  /** Another gateway, or this one, changed it; without an id, anything may have changed. */
  const changed = (id: string | undefined): void => {
    if (closed) return;
    const looks = id === undefined ? waiters.ids().map(look) : [look(id)];
    Promise.all(looks).catch((error: unknown) => {
      log.warn({ error: textOf(error) }, 'a change of an access request could not be read; trying again');
      clock.after(retry, () => changed(id));
    });
    // Requests of other gateways run out as well; whoever opened one may be gone by then.
    if (id === undefined) void expire();
  };

  /** Runs one event through the state machine; rejects with what it refuses, and with `not_found`. */
  const move = async (
    id: string,
    event: (members: Members) => AccessRequestEvent,
    witnessFirst: () => void = () => {},
  ): Promise<AccessRequest> => {
    const step = await rows.change(id, (request, members) => {
      const result = advance(request, event(members), clock.now());
      // Inside the step: what cannot be recorded does not happen.
      if (result.ok) witnessFirst();
      if (result.request !== request) witness(result.request);
      return { request: result.request, result };
    });
    if (!step) throw notFound();
    waiters.tell(step.request);
    if (!step.ok) throw refused(step.refusal);
    if (step.request.state === 'approved') timer.set(step.request.expiresAt);
    return step.request;
  };

  const unsubscribe = await rows.onChange(changed);
  await expire();

  return {
    async open(draft) {
      const now = clock.now();
      const opened = await rows.open({
        draft,
        id: ids.next('req'),
        now,
        maxPending,
        deniedSince: now - rememberDenied,
        witness: (request) =>
          audit.record({
            name: 'request.opened',
            request: request.id,
            session: request.session,
            requester: request.requester.id,
            target: request.target,
            digest: request.digest,
          }),
      });
      if (opened.kind === 'too_many') {
        throw new AccessRequestError(
          'too_many_pending',
          'client',
          `${maxPending} requests of this principal are waiting already. Wait for their answers, or withdraw some.`,
        );
      }
      timer.set(opened.request.expiresAt);
      return opened.request;
    },

    async settled(id, signal) {
      // First the wait, then the look: what settles in between wakes it.
      const wait = waiters.wait(id, signal);
      try {
        const current = await rows.get(id);
        if (!current) throw notFound();
        if (current.state === 'pending') timer.set(current.expiresAt);
        waiters.tell(current);
        return (await wait.woken) ?? (await rows.get(id).catch(() => undefined)) ?? current;
      } finally {
        wait.stop();
      }
    },

    async use(id, digest) {
      try {
        await move(id, (members) => ({ type: 'use', digest, members }));
        return true;
      } catch (error) {
        if (error instanceof AccessRequestError) return false;
        throw error;
      }
    },

    async cancel(id) {
      try {
        await move(id, () => ({ type: 'cancel' }));
      } catch (error) {
        if (!(error instanceof AccessRequestError)) throw error;
      }
    },

    async list(filter) {
      await settle();
      return rows.list(filter);
    },

    async get(id) {
      await settle();
      return rows.get(id);
    },

    async answer(id, reviewer, answer, comment) {
      const text = comment?.trim() ?? '';
      if (text.length > longestComment) {
        const message = `A comment can have ${longestComment} characters at most.`;
        throw new AccessRequestError('comment_too_long', 'client', message);
      }
      // The groups it is given with are also what its use is checked against, until a later login tells otherwise.
      await principals.seen(reviewer);
      const event = { type: 'answer', reviewer, answer, ...(text ? { comment: text } : {}) } as const;
      return move(
        id,
        () => event,
        () => audit.record({ name: 'request.answered', request: id, reviewer: reviewer.id, answer, comment: text }),
      );
    },

    async revoke(id, by) {
      const request = await move(id, () => ({ type: 'revoke' }));
      log.info({ request: id, by: by.id }, 'a grant was taken back');
      return request;
    },

    async close() {
      closed = true;
      timer.stop();
      waiters.close();
      await unsubscribe();
    },
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
