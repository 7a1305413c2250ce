import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { PrincipalRows, SeenPrincipal } from './principal-rows.ts';
import type { Queries, Store, StoreTransaction } from './store-port.ts';
import type { Tables } from './tables.ts';

const channel = 'principal_disabled';

export function principalRows(store: Store, clock: Pick<Clock, 'now'>): PrincipalRows {
  const { db } = store;
  const disabledAmong = async (ids: readonly string[]): Promise<readonly string[]> => {
    if (ids.length === 0) return [];
    const rows = await db
      .selectFrom('disabled_principals')
      .select('id')
      .where('id', 'in', [...ids])
      .execute();
    return rows.map((row) => row.id);
  };
  return {
    async seen(principal) {
      const at = clock.now();
      const row = {
        kind: principal.kind,
        display_name: principal.displayName,
        groups: JSON.stringify(principal.groups),
        owner_id: principal.owner?.id ?? null,
        last_seen: at,
      };
      await db
        .insertInto('principals')
        .values({ id: principal.id, ...row })
        .onConflict((conflict) =>
          // A slower gateway must not bring back groups that a later proof no longer had.
          conflict.column('id').doUpdateSet(row).where(sql.ref('principals.last_seen'), '<=', at),
        )
        .execute();
    },
    async find(id) {
      const row = await db.selectFrom('principals').selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromTable(row);
    },
    memberships: (ids) => membershipsIn(db, ids),
    disable(id, by, reason) {
      return store.transaction(async (trx) => {
        await trx
          .insertInto('disabled_principals')
          .values({ id, disabled_at: clock.now(), disabled_by: by, reason })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute();
        await store.notify(channel, id, trx);
      });
    },
    async enable(id) {
      const result = await db.deleteFrom('disabled_principals').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    anyDisabled: async (ids) => (await disabledAmong(ids)).length > 0,
    disabledAmong,
    async listDisabled() {
      const rows = await db.selectFrom('disabled_principals').selectAll().orderBy('disabled_at', 'desc').execute();
      return rows.map((row) => ({ id: row.id, at: row.disabled_at, by: row.disabled_by, reason: row.reason }));
    },
    onDisabled(callback) {
      return store.subscribe(channel, (notice) => callback(notice.kind === 'message' ? notice.payload : undefined));
    },
  };
}

/** See `PrincipalRows.memberships`; inside a transaction where the answer must hold with what it decides. */
export async function membershipsIn(
  db: Queries | StoreTransaction,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('principals')
    .select(['principals.id', 'principals.groups'])
    .where('principals.id', 'in', [...ids])
    .where((on) =>
      on.not(
        on.exists(
          on
            .selectFrom('disabled_principals')
            .select('disabled_principals.id')
            .where((or) =>
              or.or([
                or('disabled_principals.id', '=', or.ref('principals.id')),
                or('disabled_principals.id', '=', or.ref('principals.owner_id')),
              ]),
            ),
        ),
      ),
    )
    .execute();
  return new Map(rows.map((row) => [row.id, row.groups]));
}

function fromTable(row: Selectable<Tables['principals']>): SeenPrincipal {
  return {
    kind: row.kind,
    id: row.id,
    displayName: row.display_name,
    groups: row.groups,
    ...(row.owner_id === null ? {} : { owner: row.owner_id }),
    lastSeen: row.last_seen,
  };
}
