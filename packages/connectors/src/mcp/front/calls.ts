import type { AbortSignalLike } from '@sluice/core/contract/approvals.ts';
import type { Caller, OperationDeclaration, Operations } from '@sluice/core/contract/operations.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import { done, failed, type Outcome, outcomeOf } from './outcome.ts';
import { claimNames, mostSessions } from './tools.ts';

/** One call of one tool, with arguments that fit the tool's schema. */
export interface Call {
  readonly name: string;
  readonly arguments: JsonObject;
  /** The claims that came beside the arguments. */
  readonly claims: (named: JsonObject) => RunContext | undefined;
  readonly signal: AbortSignalLike;
}

/** Carries out calls for one caller. What is theirs to see and to do is for the operations to say. */
export async function carryOutCall(operations: Operations, caller: Caller, call: Call): Promise<Outcome> {
  switch (call.name) {
    case 'list_targets':
      return listTargets(operations, caller);
    case 'request_status':
      return requestStatus(operations, caller, String(call.arguments['request'] ?? ''));
    case 'list_my_sessions':
      return listSessions(operations, caller, Number(call.arguments['limit'] ?? 20));
    default:
      return operate(operations, caller, call);
  }
}

async function operate(operations: Operations, caller: Caller, call: Call): Promise<Outcome> {
  const declared = operations.declared.find(({ name }: OperationDeclaration) => name === call.name);
  if (!declared) return failed('unknown_tool', 'There is no such tool.');
  const { target, ...rest } = call.arguments;
  const entries = Object.entries(rest);
  const input = Object.fromEntries(entries.filter(([name]) => !claimNames.includes(name)));
  const named = Object.fromEntries(entries.filter(([name]) => claimNames.includes(name)));
  const run = call.claims(named);
  return outcomeOf(await operations.call(caller, String(target), call.name, input, run, call.signal));
}

function listTargets(operations: Operations, caller: Caller): Outcome {
  const targets = operations.targets(caller).map(({ target, operations: names }) => ({
    name: target.name,
    kind: target.connector,
    tags: [...target.tags],
    operations: [...names],
  }));
  return done({ targets });
}

async function requestStatus(operations: Operations, caller: Caller, id: string): Promise<Outcome> {
  const found = await operations.request(caller, id);
  if (!found) return failed('unknown_request', 'You have no access request of this id.');
  return done({
    request: found.id,
    state: found.state,
    target: found.target,
    actions: found.actions.map(({ verb, text }) => `${verb}: ${text}`),
    groups: [...new Set(found.consents.map(({ group }) => group))],
    answers: found.approvals.map(({ reviewerName, answer, comment }) => ({
      by: reviewerName,
      answer,
      ...(comment === undefined ? {} : { comment }),
    })),
    created_at: time(found.createdAt),
    expires_at: time(found.expiresAt),
    next: next[found.state],
  });
}

const next: Readonly<Record<AccessRequest['state'], string>> = {
  pending: 'Nobody has decided yet. Go on with something else and look again later.',
  approved:
    'Send the identical call again now: same tool, same arguments. The approval is good once, until expires_at.',
  denied: 'A reviewer said no. Do not repeat it; see the comment, and find another way or ask your user.',
  expired: 'Nobody answered in time, or the approval was not used in time. Send the call again to ask anew.',
  cancelled: 'It was withdrawn. Send the call again to ask anew.',
  used: 'It was approved and carried out. Sending the call again asks anew.',
  revoked: 'The approval was taken back. Ask your user before you ask anew.',
};

async function listSessions(operations: Operations, caller: Caller, limit: number): Promise<Outcome> {
  const sessions = await operations.sessions(caller, Math.min(limit, mostSessions));
  return done({
    sessions: sessions.map(({ id, target, startedAt, endedAt, endReason, live }) => ({
      session: id,
      target,
      started_at: time(startedAt),
      ...(endedAt === undefined ? {} : { ended_at: time(endedAt) }),
      ...(endReason === undefined ? {} : { end_reason: endReason }),
      live,
    })),
  });
}

function time(at: number): string {
  return new Date(at).toISOString();
}
