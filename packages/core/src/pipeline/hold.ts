/**
 * What happens to a held unit: its access request is opened or found, the client waits for a bounded time, and an
 * approval is used only after everything was judged again with the unit as it reads now.
 */
import type { AbortSignalLike, AccessRequestDraft } from '../contract/approvals.ts';
import type { Allowed, Denial, Denied, Held, HoldNotice } from '../contract/session.ts';
import type { AccessRequest } from '../domain/access-request.ts';
import type { Consent, Hold } from '../domain/decision.ts';
import { SluiceError } from '../domain/error.ts';
import { behind } from '../domain/principal.ts';
import type { RecordingEvent } from '../domain/recording-event.ts';
import type { SessionInfo } from '../domain/session.ts';
import type { Unit } from '../domain/unit.ts';
import { bindingDigest, wholeBinding } from './binding.ts';
import { denialOf, groupsOf, pendingDenial, settledDenial, withdrawnDenial } from './denial.ts';
import type { Judgement } from './judgement.ts';
import type { PipelinePorts } from './ports.ts';

export interface HeldUnit {
  readonly outcome: Held;
  withdraw(): void;
}

interface HoldContext {
  readonly ports: PipelinePorts;
  readonly info: SessionInfo;
  readonly seq: number;
  readonly judgement: Judgement;
  readonly hold: Hold;
  judgeAgain(unit: Unit): Judgement;
  record(event: RecordingEvent): void;
  allow(judgement: Judgement, grant: { readonly consents: readonly Consent[]; readonly digest: string }): Allowed;
  deny(denial: Denial): Denied;
  done(): void;
}

export function holdUnit(context: HoldContext): HeldUnit {
  const wait = new Wait();
  let show: (notice: HoldNotice | undefined) => void = () => {};
  const notice = new Promise<HoldNotice | undefined>((resolve) => {
    show = resolve;
  });
  const settled = settle(context, wait, show)
    .catch((error) => context.deny(unavailable(context.judgement, error)))
    .finally(() => {
      show(undefined);
      context.done();
    });
  const withdraw = (): void => wait.abort();
  return { outcome: { effect: 'hold', handle: { seq: context.seq }, notice, settled, withdraw }, withdraw };
}

async function settle(context: HoldContext, wait: Wait, show: (notice: HoldNotice) => void): Promise<Allowed | Denied> {
  const { ports, judgement, hold } = context;
  // What outside the unit gives it meaning may be stale: what is asked for is what it means now.
  const unit = await renewed(judgement.unit);
  if (wait.withdrawn) return context.deny(withdrawnDenial(judgement.policies));
  const digest = digestOf(context, unit);
  let request = await ports.requests.open(draftOf(context, unit, digest));
  note(context, request);
  if (request.state === 'pending') {
    const url = ports.requestUrl(request.id);
    if (hold.wait === 'resend') return context.deny(pendingDenial(request, judgement.policies, url));
    show({ request: request.id, url, reason: reasonOf(judgement), groups: groupsOf(request) });
    const stopParking = hold.wait === 'both' ? ports.clock.after(ports.approvals.park, () => wait.stop()) : () => {};
    request = await ports.requests.settled(request.id, wait);
    stopParking();
    if (wait.withdrawn) {
      await ports.requests.cancel(request.id);
      return context.deny(settledDenial({ ...request, state: 'cancelled' }, judgement.policies, url));
    }
    if (request.state === 'pending') return context.deny(pendingDenial(request, judgement.policies, url));
    note(context, request);
  }
  return request.state === 'approved' ? collect(context, request, wait) : refused(context, request);
}

/** Judged again with the grant, because policy, groups or schema may have changed meanwhile. */
async function collect(context: HoldContext, request: AccessRequest, wait: Wait): Promise<Allowed | Denied> {
  const unit = await renewed(context.judgement.unit);
  const again = context.judgeAgain(unit);
  if (again.effect === 'deny') return context.deny(denialOf(again));
  const changed = digestOf(context, unit) !== request.digest;
  if (changed || (again.hold && !covers(request.consents, again.hold.consents))) {
    return context.deny({
      decision: 'deny',
      reason: `What access request ${request.id} approved is no longer what this would do.`,
      policies: again.policies,
      request: request.id,
      url: context.ports.requestUrl(request.id),
      hint: 'Send it again to ask anew.',
    });
  }
  if (wait.withdrawn || !(await context.ports.requests.use(request.id, request.digest))) {
    return refused(context, { ...request, state: wait.withdrawn ? 'cancelled' : 'expired' });
  }
  note(context, { ...request, state: 'used' });
  // The client gave up while the approval was being used: it is spent, and nothing runs.
  if (wait.withdrawn) return refused(context, { ...request, state: 'cancelled' });
  return context.allow({ ...again, effect: 'allow', hold: undefined }, request);
}

function refused(context: HoldContext, request: AccessRequest): Denied {
  return context.deny(settledDenial(request, context.judgement.policies, context.ports.requestUrl(request.id)));
}

/** Every consent that policy asks for now was asked for then, and by at least as many. */
export function covers(given: readonly Consent[], asked: readonly Consent[]): boolean {
  return asked.every((need) =>
    given.some((had) => had.policy === need.policy && had.group === need.group && had.quorum >= need.quorum),
  );
}

function renewed(unit: Unit): Promise<Unit> {
  return unit.renew ? unit.renew() : Promise.resolve(unit);
}

function digestOf(context: HoldContext, unit: Unit): string {
  return bindingDigest(context.ports.digests, context.info.principal, context.info.target, unit);
}

function reasonOf(judgement: Judgement): string {
  return judgement.reasons.map((reason) => reason.text).join('; ');
}

function unavailable(judgement: Judgement, error: unknown): Denial {
  const why = error instanceof SluiceError ? error.publicMessage : 'The gateway could not ask for it.';
  return {
    decision: 'deny',
    reason: `It needs consent, which could not be asked for: ${why}`,
    policies: judgement.policies,
    hint: 'Try again; if it persists, tell the operator of the gateway.',
  };
}

function note(context: HoldContext, request: AccessRequest): void {
  const comment = request.approvals.find((approval) => approval.comment)?.comment;
  context.record({
    type: 'approval',
    unit: context.seq,
    request: request.id,
    state: request.state,
    digest: request.digest,
    reviewers: request.approvals.map((approval) => approval.reviewer),
    ...(comment ? { comment } : {}),
  });
}

function draftOf(context: HoldContext, unit: Unit, digest: string): AccessRequestDraft {
  const { info, judgement, hold, ports } = context;
  const { principal } = info;
  return {
    session: info.id,
    requester: { kind: principal.kind, id: principal.id },
    requesterName: principal.displayName,
    behind: behind(principal),
    ...(principal.owner ? { owner: principal.owner } : {}),
    target: info.target.name,
    unit: unit.name,
    actions: unit.actions.map((action) => ({
      verb: action.verb,
      access: action.access,
      resources: action.resources.map((resource) => `${resource.type}::${resource.id}`),
      text: action.text,
    })),
    parameters: unit.parameters,
    binding: wholeBinding(unit),
    labels: unit.labels,
    ...(unit.run ? { run: unit.run } : {}),
    digest,
    consents: hold.consents,
    reasons: judgement.reasons.map((reason) => reason.text),
    policyHash: judgement.snapshot.hash,
    expiresAt: ports.clock.now() + hold.timeout,
    grantTtl: hold.grantTtl,
  };
}

/** Ends a wait in one of two ways: the client stays but is told to come back, or it is gone. */
class Wait implements AbortSignalLike {
  aborted = false;
  withdrawn = false;
  readonly #listeners = new Set<() => void>();

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  stop(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of [...this.#listeners]) listener();
  }

  abort(): void {
    this.withdrawn = true;
    this.stop();
  }
}
