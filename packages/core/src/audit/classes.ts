import type { AuditEvent, AuditEventName } from '../domain/audit-event.ts';

/**
 * What may be written of a field. `fact`: made by the gateway or the operator. `person`: says who somebody is.
 * `claim`: text from outside, written shortened and only when it does not look like a secret.
 */
export type FieldClass = 'fact' | 'person' | 'claim';

type FieldsOf<Name extends AuditEventName> = Exclude<keyof Extract<AuditEvent, { name: Name }>, 'name'>;

/** Every field of every event has a class; the compiler refuses a new field without one. */
export const fieldClasses: { readonly [Name in AuditEventName]: { readonly [F in FieldsOf<Name>]: FieldClass } } = {
  'gateway.started': { version: 'fact', policyHash: 'fact' },
  'gateway.stopped': { reason: 'fact' },
  'config.loaded': { path: 'fact', digest: 'fact' },
  'policy.loaded': { policyHash: 'fact', files: 'fact' },
  'policy.rejected': { policyHash: 'fact', error: 'claim' },
  'auth.refused': { channel: 'fact', code: 'fact', user: 'claim', target: 'claim', address: 'fact' },
  'api.refused': { principal: 'person', method: 'fact', route: 'fact', target: 'claim' },
  'credential.issued': { credential: 'fact', principal: 'person', target: 'fact', expiresAt: 'fact' },
  'credential.redeemed': { credential: 'fact', target: 'fact' },
  'credential.revoked': { credential: 'fact', by: 'person' },
  'request.opened': { request: 'fact', session: 'fact', requester: 'person', target: 'fact', digest: 'fact' },
  'request.answered': { request: 'fact', reviewer: 'person', answer: 'fact', comment: 'claim' },
  'request.settled': { request: 'fact', state: 'fact' },
  'session.opened': { session: 'fact', principal: 'person', target: 'fact', address: 'fact' },
  'session.sealed': { session: 'fact', reason: 'fact', events: 'fact', head: 'fact' },
  'session.killed': { session: 'fact', by: 'person' },
  'principal.disabled': { principal: 'person', by: 'person' },
  'principal.enabled': { principal: 'person', by: 'person' },
  'recording.recovered': { session: 'fact', events: 'fact', droppedBytes: 'fact', head: 'fact' },
  'recording.unreadable': { session: 'fact', error: 'claim' },
  'recording.read': { session: 'fact', by: 'person' },
  'worker.started': { worker: 'fact', pid: 'fact' },
  'worker.ended': { worker: 'fact', pid: 'fact', reason: 'fact', sessions: 'fact' },
  'keys.created': { keyId: 'fact' },
  'keys.rotated': { keyId: 'fact', retired: 'fact' },
  'journal.continued': { previous: 'fact', head: 'fact' },
};
