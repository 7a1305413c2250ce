import type { OperationResult } from '@sluice/core/contract/operations.ts';
import type { Denial } from '@sluice/core/contract/session.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';

/** What a tool of the gateway answers, before it is put into the protocol's form. */
export interface Outcome {
  readonly content: JsonObject;
  readonly isError: boolean;
}

export function done(result: JsonObject): Outcome {
  return { content: { status: 'done', result }, isError: false };
}

export function failed(code: string, message: string, hint?: string): Outcome {
  return { content: { status: 'failed', code, message, ...(hint === undefined ? {} : { hint }) }, isError: true };
}

export function outcomeOf(result: OperationResult): Outcome {
  switch (result.outcome) {
    case 'done':
      return done(result.value);
    case 'refused':
      return refused(result.denial);
    case 'failed':
      return failed(result.code, result.message);
  }
}

/**
 * Neither was carried out, and `isError` is the one mark by which a program that knows nothing of the gateway sees that
 * this is not the tool's own result. A denial teaches; what waits says what to do, so that no way around it is looked for.
 */
function refused({ decision, reason, policies, request, url, hint }: Denial): Outcome {
  const about = {
    reason,
    policies: [...policies],
    ...(request === undefined ? {} : { request }),
    ...(url === undefined ? {} : { url }),
  };
  if (decision === 'deny') return { content: { status: 'denied', ...about, hint }, isError: true };
  return { content: { status: 'pending', ...about, hint: pendingHint }, isError: true };
}

const pendingHint =
  'Not done yet, and nothing is wrong with the call: people were asked. Go on with something else, look at request_status now and then, and once it is approved send the identical call again: same tool, same arguments.';
