/** The one place where the gateway's refusals and errors become MCP's own. */
import { type Denial, DeniedError } from '@sluice/core/contract/session.ts';
import { CoreError, type CoreErrorCode, SluiceError } from '@sluice/core/domain/error.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import { NotAMessage, type RpcError, rpcCodes } from '../jsonrpc/message.ts';

/** JSON-RPC 2.0 section 5.1 leaves -32000 to -32099 to implementations; what a target says in it is told as -32000. */
export const refusedCode = -32080;
export const serverErrorCode = -32000;

/**
 * `_meta` of a target's answers is never passed on: whoever finds this member in it can tell a refusal of the gateway
 * from a target that pretends to be one.
 */
export const refusalKey = 'sluice/refusal';

const codes: Readonly<Record<CoreErrorCode, number>> = {
  unauthenticated: serverErrorCode,
  unknown_target: serverErrorCode,
  denied: refusedCode,
  recording_failed: rpcCodes.internal,
  upstream_unreachable: serverErrorCode,
  upstream_login: serverErrorCode,
  upstream_protocol: serverErrorCode,
  client_protocol: rpcCodes.invalidRequest,
  permit_spent: rpcCodes.internal,
  session_over: serverErrorCode,
  stopping: serverErrorCode,
  internal: rpcCodes.internal,
};

/** For programs and models alike: what was decided, why, and what to do next. */
export function refusalOf(denial: Denial): JsonObject {
  return {
    status: denial.decision === 'hold' ? 'pending' : 'denied',
    decision: denial.decision,
    reason: denial.reason,
    policies: denial.policies,
    ...(denial.request === undefined ? {} : { request: denial.request }),
    ...(denial.url === undefined ? {} : { url: denial.url }),
    hint: denial.hint,
  };
}

/** A tool that was not called: a result that says so, since models are shown results and not always errors. */
export function refusedToolResult(denial: Denial): JsonObject {
  const refusal = refusalOf(denial);
  const held = denial.decision === 'hold';
  const lines = [
    held ? `Not done yet: this call waits for consent. ${denial.reason}` : `Refused by policy: ${denial.reason}`,
    ...(denial.policies.length > 0 ? [`Policies: ${denial.policies.join(', ')}`] : []),
    ...(denial.request === undefined
      ? []
      : [`Access request: ${denial.request}${denial.url ? ` (${denial.url})` : ''}`]),
    denial.hint,
  ];
  return {
    content: [{ type: 'text', text: lines.join('\n') }],
    structuredContent: refusal,
    isError: true,
    _meta: { [refusalKey]: refusal },
  };
}

export function refusedError(denial: Denial): RpcError {
  return { code: refusedCode, message: denial.reason, data: refusalOf(denial) };
}

export function rpcErrorOf(error: unknown): RpcError {
  if (error instanceof DeniedError) return refusedError(error.denial);
  if (error instanceof NotAMessage) return { code: error.rpcCode, message: error.publicMessage };
  if (error instanceof CoreError) return { code: codes[error.code], message: error.publicMessage };
  if (error instanceof SluiceError) return { code: rpcCodes.internal, message: error.publicMessage };
  return { code: rpcCodes.internal, message: 'The gateway met an internal error; its log says more.' };
}
