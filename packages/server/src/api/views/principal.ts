import type { Whoami } from '@sluice/api/schema/principal.ts';
import type { Principal, PrincipalRef } from '@sluice/core/domain/principal.ts';
import { time } from './time.ts';

export function refView(ref: PrincipalRef): { kind: PrincipalRef['kind']; id: string } {
  return { kind: ref.kind, id: ref.id };
}

export function whoamiView(principal: Principal): Whoami {
  return {
    ...refView(principal),
    display_name: principal.displayName,
    issuer: principal.issuer,
    subject: principal.subject,
    groups: [...principal.groups],
    ...(principal.owner ? { owner: refView(principal.owner) } : {}),
    chain: principal.chain.map(refView),
    expires_at: time(principal.expiresAt),
  };
}
