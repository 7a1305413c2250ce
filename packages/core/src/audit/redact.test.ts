import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../domain/audit-event.ts';
import { auditDetail } from './redact.ts';

const refused: AuditEvent = {
  name: 'auth.refused',
  channel: 'postgres',
  code: 'unauthenticated',
  user: 'dana',
  target: 'shop',
  address: '10.0.0.7:5522',
};

describe('audit events', () => {
  it('keep their classified fields', () => {
    expect(auditDetail(refused)).toEqual({
      channel: 'postgres',
      code: 'unauthenticated',
      user: 'dana',
      target: 'shop',
      address: '10.0.0.7:5522',
    });
  });

  it('treat a field without a class as a secret', () => {
    const event = { ...refused, password: 'hunter2' } as AuditEvent;
    expect(auditDetail(event)).toMatchObject({ password: '[redacted]', user: 'dana' });
  });

  it('treat every field of an unknown event as a secret', () => {
    const event = { name: '__proto__', toString: 'x', code: 'y' } as unknown as AuditEvent;
    expect(auditDetail(event)).toEqual({ toString: '[redacted]', code: '[redacted]' });
  });

  it.each([
    ['a token pasted as a user name', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln'],
    ['a connection string', 'postgres://dana:hunter2@db.internal/shop'],
    ['a private key', '-----BEGIN PRIVATE KEY-----'],
    ['a long opaque string', 'a'.repeat(64)],
  ])('hide %s', (_what, user) => {
    expect(auditDetail({ ...refused, user })).toMatchObject({ user: '[redacted]' });
  });

  it('shorten text from outside', () => {
    const detail = auditDetail({ ...refused, user: 'dana '.repeat(100) });
    expect(String(detail['user']).length).toBeLessThan(210);
  });

  it('never write a value that is neither text, number nor boolean', () => {
    const event = { ...refused, user: { secret: 'hunter2' } } as unknown as AuditEvent;
    expect(JSON.stringify(auditDetail(event))).not.toContain('hunter2');
  });
});
