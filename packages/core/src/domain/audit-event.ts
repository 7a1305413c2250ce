/**
 * A fact about the gateway itself, beside what sessions record. The union is closed: a new fact is a new member here,
 * and its fields are classified in `core/audit`, or they are written as `[redacted]`. Times are Unix milliseconds.
 */
export type AuditEvent =
  | { readonly name: 'gateway.started'; readonly version: string; readonly policyHash: string }
  | { readonly name: 'gateway.stopped'; readonly reason: string }
  | { readonly name: 'config.loaded'; readonly path: string; readonly digest: string }
  | { readonly name: 'policy.loaded'; readonly policyHash: string; readonly files: number }
  /** The new set was not taken; `policyHash` is the one that stays in force. */
  | { readonly name: 'policy.rejected'; readonly policyHash: string; readonly error: string }
  /** A connection or a request refused before a principal was known, or because of who it was. */
  | {
      readonly name: 'auth.refused';
      readonly channel: string;
      readonly code: string;
      readonly user: string;
      readonly target: string;
      readonly address: string;
    }
  /** A principal without the right to ask for this. */
  | {
      readonly name: 'api.refused';
      readonly principal: string;
      readonly method: string;
      readonly route: string;
      readonly target: string;
    }
  | {
      readonly name: 'credential.issued';
      readonly credential: string;
      readonly principal: string;
      readonly target: string;
      readonly expiresAt: number;
    }
  | { readonly name: 'credential.redeemed'; readonly credential: string; readonly target: string }
  | { readonly name: 'credential.revoked'; readonly credential: string; readonly by: string }
  | {
      readonly name: 'request.opened';
      readonly request: string;
      readonly session: string;
      readonly requester: string;
      readonly target: string;
      readonly digest: string;
    }
  | {
      readonly name: 'request.answered';
      readonly request: string;
      readonly reviewer: string;
      readonly answer: 'approve' | 'deny';
      readonly comment: string;
    }
  | { readonly name: 'request.settled'; readonly request: string; readonly state: string }
  | {
      readonly name: 'session.opened';
      readonly session: string;
      readonly principal: string;
      readonly target: string;
      readonly address: string;
    }
  /** `head` is the identity of the sealed recording: lower-case hex. */
  | {
      readonly name: 'session.sealed';
      readonly session: string;
      readonly reason: string;
      readonly events: number;
      readonly head: string;
    }
  | { readonly name: 'session.killed'; readonly session: string; readonly by: string }
  | { readonly name: 'principal.disabled'; readonly principal: string; readonly by: string }
  | { readonly name: 'principal.enabled'; readonly principal: string; readonly by: string }
  /** An unsealed recording was found at start, and sealed up to its last whole event. */
  | {
      readonly name: 'recording.recovered';
      readonly session: string;
      readonly events: number;
      readonly droppedBytes: number;
      readonly head: string;
    }
  /** A recording that could not be read back far enough to be recovered; it was left as it is. */
  | { readonly name: 'recording.unreadable'; readonly session: string; readonly error: string }
  /** Someone read a recording that is not their own. */
  | { readonly name: 'recording.read'; readonly session: string; readonly by: string }
  /** A process that serves connections was started; from 1. */
  | { readonly name: 'worker.started'; readonly worker: number; readonly pid: number }
  /** It ended without being asked to, and so many sessions with it. */
  | {
      readonly name: 'worker.ended';
      readonly worker: number;
      readonly pid: number;
      readonly reason: string;
      readonly sessions: number;
    }
  | { readonly name: 'keys.created'; readonly keyId: string }
  | { readonly name: 'keys.rotated'; readonly keyId: string; readonly retired: string }
  /** The journal before this one; `head` is empty when that one has no seal. */
  | { readonly name: 'journal.continued'; readonly previous: string; readonly head: string };

export type AuditEventName = AuditEvent['name'];
