import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';

/** Remembers who logged in and with which groups, for those who must know a membership later. */
export interface PrincipalsSeen {
  seen(principal: Principal): Promise<void>;
}

/** What is known of a principal is written again after this long, changed or not; milliseconds. */
export const seenAgainAfter = 60_000;
/** Principals kept in mind; beyond, the one longest not written is forgotten, and written again when it comes. */
export const mostSeen = 10_000;

/**
 * Passes on who was seen, and not with every request: where nothing about a principal has changed, once a minute is
 * enough. Protocols that prove who they are with each request would otherwise have the store write for each.
 */
export function seenLately(principals: PrincipalsSeen, clock: Pick<Clock, 'now'>): PrincipalsSeen {
  const written = new Map<string, { readonly at: number; readonly what: string }>();
  return {
    async seen(principal) {
      const { id } = principal;
      const what = whatIsKept(principal);
      const at = clock.now();
      const last = written.get(id);
      // A clock that was set back is no reason to write nothing until it has caught up.
      if (last?.what === what && at >= last.at && at - last.at < seenAgainAfter) return;
      await principals.seen(principal);
      written.delete(id);
      written.set(id, { at, what });
      if (written.size <= mostSeen) return;
      const oldest = written.keys().next();
      if (!oldest.done) written.delete(oldest.value);
    },
  };
}

function whatIsKept({ kind, displayName, groups, owner }: Principal): string {
  return JSON.stringify([kind, displayName, groups, owner?.id ?? null]);
}
