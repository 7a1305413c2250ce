/**
 * Turns an audit event into what may be written of it. Redaction goes by the class of the field, never by guessing
 * from a field's name: a field without a class is a secret. It is not the place where events are stored or sent.
 */
import type { AuditEvent } from '../domain/audit-event.ts';
import type { RecordingEvent } from '../domain/recording-event.ts';
import { type FieldClass, fieldClasses } from './classes.ts';

type Detail = Extract<RecordingEvent, { type: 'event' }>['detail'];

const claimLength = 200;
const personLength = 512;
const hidden = '[redacted]';

/** The event in the form in which a recording carries it. */
export function auditDetail(event: AuditEvent): Detail {
  const classes: Readonly<Record<string, FieldClass>> = Object.hasOwn(fieldClasses, event.name)
    ? fieldClasses[event.name]
    : {};
  const detail: Record<string, string | number | boolean> = {};
  for (const [field, value] of Object.entries(event)) {
    if (field === 'name') continue;
    detail[field] = Object.hasOwn(classes, field) ? written(classes[field], value) : hidden;
  }
  return detail;
}

function written(kind: FieldClass | undefined, value: unknown): string | number | boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'string' || kind === undefined) return hidden;
  switch (kind) {
    case 'fact':
      return value;
    case 'person':
      return shortened(value, personLength);
    case 'claim':
      return looksSecret(value) ? hidden : shortened(value, claimLength);
  }
}

// People paste a token or a connection string where a name belongs; a refused login must not preserve it.
function looksSecret(value: string): boolean {
  return /eyJ[\w-]{8,}\.|-----BEGIN|:\/\/[^/\s]*:[^/\s]*@|\b[\w-]{40,}\b/.test(value);
}

function shortened(value: string, length: number): string {
  return value.length <= length ? value : `${value.slice(0, length)}…`;
}
